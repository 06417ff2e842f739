//! The pack of an application's evidence (B-010, B-044): who the candidate is, what ran when, what was reviewed, what was decided, by
//! whom, and the proof that the log says so; from what its reader may see.

use serde_json::{Value, json};

use super::change::Write;
use super::story::{Told, value};
use super::{Error, Muster};
use crate::domain::context::{Context, Right};
use crate::domain::lifecycle::text;
use crate::domain::masked::{Masked, Resource};
use crate::domain::record::{Folded, Kind, Leaves};
use crate::domain::story;
use crate::id::EventId;
use crate::scim::comparable::instant;
use crate::store::Tx;

/// Where what hangs on an application names it.
const APPLICATION: &str = "application.value";

/// A pack that is being put together.
struct Pack<'a> {
    muster: &'a Muster,
    context: &'a Context,
    told: Value,
    shown: Vec<Masked<Resource>>,
}

impl Pack<'_> {
    /// Puts resources in it; as values.
    fn put(&mut self, name: &str, found: Vec<Masked<Resource>>) -> Result<Vec<Value>, Error> {
        let values: Vec<Value> = found.iter().map(value).collect::<Result<_, _>>()?;
        self.told[name] = json!(values);
        self.shown.extend(found);
        Ok(values)
    }

    /// Puts the one resource in it that an id names.
    fn put_one(
        &mut self,
        tx: &mut Tx<'_>,
        name: &str,
        (endpoint, id): (&str, Option<&str>),
    ) -> Result<(), Error> {
        let one = self.muster.named(tx, self.context, endpoint, id)?;
        if let Some(one) = one {
            self.told[name] = value(&one)?;
            self.shown.push(one);
        }
        Ok(())
    }

    /// Puts all of a kind in it that name one of `ids` at a path.
    fn hang(
        &mut self,
        tx: &mut Tx<'_>,
        name: &str,
        of: (Kind, &str),
        ids: &[String],
    ) -> Result<Vec<Value>, Error> {
        let mut found = Vec::new();
        for id in ids {
            found.extend(self.muster.hanging(tx, self.context, of, id)?);
        }
        self.put(name, found)
    }
}

fn ids(resources: &[Value]) -> Vec<String> {
    let ids = resources.iter().filter_map(|one| one["id"].as_str());
    ids.map(str::to_owned).collect()
}

impl Muster {
    /// The evidence of an application.
    pub async fn evidence_pack(&self, context: &Context, id: &str) -> Result<Value, Error> {
        self.telling(context, id, |muster, context, tx, application| {
            muster.pack(tx, context, &application)
        })
        .await
    }

    fn pack(
        &self,
        tx: &mut Tx<'_>,
        context: &Context,
        application: &Folded,
    ) -> Result<Told, Error> {
        let around = self.events_around(tx, context, application)?;
        let (id, leaves) = (application.id.to_string(), &application.leaves);
        let told = json!({
            "applicationId": id, "preparedAt": instant(context.now), "preparedFor": context.client.name,
            "more": around.more,
        });
        let mut pack = Pack {
            muster: self,
            context,
            told,
            shown: around.shown,
        };
        let cited = |path: &str| text(leaves, path);
        for (name, endpoint, id) in [
            ("application", "/Applications", Some(&*id)),
            ("candidate", "/Persons", cited("candidate.value")),
            ("requisition", "/Requisitions", cited("requisition.value")),
        ] {
            pack.put_one(tx, name, (endpoint, id))?;
        }
        let own = [id.clone()];
        let verifications =
            pack.hang(tx, "verifications", (Kind::Verification, APPLICATION), &own)?;
        let interviews = pack.hang(tx, "interviews", (Kind::Interview, APPLICATION), &own)?;
        pack.hang(tx, "assessments", (Kind::Assessment, APPLICATION), &own)?;
        let offers = pack.hang(tx, "offers", (Kind::Offer, APPLICATION), &own)?;
        pack.hang(
            tx,
            "employments",
            (Kind::Employment, "offer.value"),
            &ids(&offers),
        )?;
        let others = self.other_applications(tx, context, leaves, &id)?;
        let carried = pack.hang(
            tx,
            "carriedOver",
            (Kind::Verification, APPLICATION),
            &others,
        )?;
        pack.hang(
            tx,
            "reviews",
            (Kind::Review, "about.value"),
            &ids(&verifications),
        )?;
        let required = pack.told["requisition"]["requiredVerificationTier"].as_i64();
        let appeals = |one: &&Value| one.get("appealOf").is_some();
        pack.told["appeals"] = verifications.iter().filter(appeals).cloned().collect();
        let all = [verifications, carried].concat();
        let required = (required, shows_order(context));
        pack.told["identityChecks"] = story::order(required, &all, &interviews);
        let mut lines: Vec<Value> = around.told.iter().map(story::line).collect();
        pack.told["log"] = self.prove(tx, context, &mut lines)?;
        pack.told["timeline"] = lines.into();
        Ok(Told {
            story: pack.told,
            shown: pack.shown,
        })
    }

    /// Adds to each line the proof that its event is under the newest signed head, which is given. Proofs count all events: none
    /// for a reader that may not.
    fn prove(
        &self,
        tx: &mut Tx<'_>,
        context: &Context,
        lines: &mut [Value],
    ) -> Result<Value, Error> {
        if let Some(guessed) = context.client.clearance.guesses() {
            let why = format!(
                "proofs count all events, and this reader may write of a {guessed} what is hidden from it: let one prepare the pack that \
                 reads alone"
            );
            return Ok(json!({ "withheld": why }));
        }
        let Some(head) = super::log::head_of(tx, context.tenant())? else {
            return Ok(Value::Null);
        };
        for line in lines {
            let id = line["eventId"]
                .as_str()
                .and_then(|id| id.parse::<EventId>().ok());
            if let Some(id) = id
                && let Some(mut proof) = super::log::inclusion(tx, context.tenant(), &head, id)?
            {
                // One head is for all of them.
                proof.as_object_mut().map(|proof| proof.remove("head"));
                line["proof"] = proof;
            }
        }
        Ok(self.told_head(&head))
    }

    /// The ids of the other applications of the same person, whose verifications count here too (B-005).
    fn other_applications(
        &self,
        tx: &mut Tx<'_>,
        context: &Context,
        application: &Leaves,
        id: &str,
    ) -> Result<Vec<String>, Error> {
        let view = self.0.renderer.catalog().at("/Applications").cloned();
        let candidate = text(application, "candidate.value").and_then(|id| id.parse().ok());
        let (Some(view), Some(candidate)) = (view, candidate) else {
            return Ok(Vec::new());
        };
        let write = Write::new(self, context, &view);
        let person = write.survivor(tx, candidate)?;
        let all = write.applications(tx, person)?.into_iter();
        Ok(all
            .map(|one| one.id.to_string())
            .filter(|one| one != id)
            .collect())
    }
}

/// Whether a reader sees all from which it follows whether the checks came first: of one who does not it would be guessed.
fn shows_order(context: &Context) -> bool {
    let needed: [(&str, &[&str]); 3] = [
        ("Requisition", &["requiredVerificationTier"]),
        (
            "Verification",
            &[
                "decision",
                "tierSatisfied",
                "occurredAt",
                "validUntil",
                "appealOf.value",
            ],
        ),
        ("Interview", &["startedAt", "status", "scheduledAt"]),
    ];
    needed.iter().all(|(ty, paths)| {
        let clearance = context.client.clearance.on(ty);
        let read = context.client.may(Right::Read, ty) && !clearance.is_bounded();
        read && paths.iter().all(|path| clearance.shows(path))
    })
}
