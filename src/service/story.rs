//! What happened to an application (B-043), and the pack of its evidence (B-010): from what its reader may see, across merges of
//! persons and changes of tools. Its cost goes with the application, not with the population.

use serde_json::{Value, json};

use super::change::{Write, find, missing};
use super::{Asked, Error, Muster};
use crate::domain::context::{Context, Right};
use crate::domain::lifecycle::text;
use crate::domain::masked::{Masked, Resource};
use crate::domain::record::{Folded, Kind, Leaves};
use crate::domain::story;
use crate::domain::view::View;
use crate::id::{EventId, ResourceId};
use crate::store::{self, Tx};

/// The most events that a timeline tells; a note says if there are more.
const MOST: i64 = 2000;
/// Events of the person that belong to the story of an application.
const OF_PERSON: [&str; 7] = [
    "person.merged",
    "person.split",
    "person.erased",
    "account.",
    "employment.",
    "onboarding.",
    "CandidateToEmployee",
];

/// What is told, and what of it is classified and was shown.
struct Told {
    /// The whole story.
    story: Value,
    shown: Vec<Masked<Resource>>,
}

impl Muster {
    /// What happened to an application, oldest first.
    pub async fn timeline(&self, context: &Context, id: &str) -> Result<Value, Error> {
        self.telling(context, id, |muster, context, tx, application| {
            let (events, shown) = muster.events_around(tx, context, &application)?;
            let story = json!({
                "applicationId": application.id.to_string(),
                "candidateId": text(&application.leaves, "candidate.value"),
                "status": text(&application.leaves, "status"),
                "more": i64::try_from(events.len()).unwrap_or(MOST) >= MOST,
                "events": events.iter().map(story::line).collect::<Vec<_>>(),
            });
            Ok(Told { story, shown })
        })
        .await
    }

    /// Who the candidate is, what ran when, what was reviewed, what was decided, by whom, and the proof that the log says so.
    pub async fn evidence_pack(&self, context: &Context, id: &str) -> Result<Value, Error> {
        self.telling(context, id, |muster, context, tx, application| {
            muster.pack(tx, context, application)
        })
        .await
    }

    async fn telling(
        &self,
        context: &Context,
        id: &str,
        tell: fn(&Self, &Context, &mut Tx<'_>, Folded) -> Result<Told, Error>,
    ) -> Result<Value, Error> {
        let view = self.view(context, "/Applications", Right::Read)?;
        let (muster, reader, id) = (self.clone(), context.clone(), id.to_owned());
        let read = move |tx: &mut Tx<'_>| {
            let found = find(tx, &reader, &view, &id)?;
            if !muster.reaches(&reader, &view, &found.leaves, Right::Read) {
                return Err(missing(&view, &id));
            }
            tell(&muster, &reader, tx, found)
        };
        let told = self.0.store.read(read).await?;
        self.disclose(context, "Application", told.shown.iter(), Vec::new())
            .await?;
        Ok(story::without_nulls(told.story))
    }

    /// The events of an application, and those of its person that belong to its story, as the caller may see them.
    fn events_around(
        &self,
        tx: &mut Tx<'_>,
        context: &Context,
        application: &Folded,
    ) -> Result<(Vec<Value>, Vec<Masked<Resource>>), Error> {
        let tenant = context.tenant();
        let mut places = store::story::of_application(tx, tenant, application.id, MOST)?;
        let mut persons = Vec::new();
        let candidate = text(&application.leaves, "candidate.value");
        if let Some(candidate) = candidate.and_then(|id| id.parse::<ResourceId>().ok()) {
            let alias = store::alias::find(tx, tenant, candidate)?;
            persons.push(candidate);
            if let Some(alias) = alias {
                persons.extend(store::record::identify(tx, alias.survivor)?);
            }
        }
        let own: Vec<i64> = places.clone();
        for person in persons {
            places.extend(store::story::of_record(tx, tenant, person, MOST)?);
        }
        places.sort_unstable();
        places.dedup();
        let (mut told, mut shown) = (Vec::new(), Vec::new());
        for (place, body) in store::event::at(tx, &places)? {
            let what = body["type"].as_str().unwrap_or_default();
            let belongs = OF_PERSON.iter().any(|kind| what.starts_with(kind))
                && body["applicationId"].is_null();
            if !(own.contains(&place) || belongs) || !self.may_see_event(tx, context, &body)? {
                continue;
            }
            let masked = self.0.renderer.tell_event(context, &body);
            told.push(value(&masked)?);
            shown.push(masked);
        }
        Ok((told, shown))
    }

    fn pack(&self, tx: &mut Tx<'_>, context: &Context, application: Folded) -> Result<Told, Error> {
        let (events, mut shown) = self.events_around(tx, context, &application)?;
        let id = application.id.to_string();
        let leaves = application.leaves.clone();
        let mut pack = json!({ "applicationId": id, "preparedAt": crate::scim::comparable::instant(context.now), "preparedFor": context.client.name });
        let mut put = |name: &str, found: Vec<Masked<Resource>>| -> Result<Vec<Value>, Error> {
            let values: Vec<Value> = found.iter().map(value).collect::<Result<_, _>>()?;
            pack[name] = json!(values);
            shown.extend(found);
            Ok(values)
        };
        put(
            "application",
            vec![self.shown_in(tx, context, "/Applications", application)?]
                .into_iter()
                .flatten()
                .collect(),
        )?;
        for (name, endpoint, path) in [
            ("candidate", "/Persons", "candidate.value"),
            ("requisition", "/Requisitions", "requisition.value"),
        ] {
            let one = self.named(tx, context, endpoint, text(&leaves, path))?;
            put(name, one.into_iter().collect())?;
        }
        let mut hanging = |tx: &mut Tx<'_>, name: &str, kind: Kind, path: &str, of: &str| {
            let found = self.hanging(tx, context, (kind, path), of)?;
            put(name, found)
        };
        let verifications = hanging(
            tx,
            "verifications",
            Kind::Verification,
            "application.value",
            &id,
        )?;
        let interviews = hanging(tx, "interviews", Kind::Interview, "application.value", &id)?;
        hanging(
            tx,
            "assessments",
            Kind::Assessment,
            "application.value",
            &id,
        )?;
        let offers = hanging(tx, "offers", Kind::Offer, "application.value", &id)?;
        for offer in &offers {
            let of = offer["id"].as_str().unwrap_or_default().to_owned();
            hanging(tx, "employments", Kind::Employment, "offer.value", &of)?;
        }
        let mut carried = Vec::new();
        for other in self.other_applications(tx, context, &leaves, &id)? {
            carried.extend(self.hanging(
                tx,
                context,
                (Kind::Verification, "application.value"),
                &other,
            )?);
        }
        let carried = put("carriedOver", carried)?;
        let mut reviews = Vec::new();
        for verification in &verifications {
            let of = verification["id"].as_str().unwrap_or_default().to_owned();
            reviews.extend(self.hanging(tx, context, (Kind::Review, "about.value"), &of)?);
        }
        put("reviews", reviews)?;
        for name in ["application", "candidate", "requisition"] {
            pack[name] = pack[name].get(0).cloned().unwrap_or_default();
        }
        let required = pack["requisition"]["requiredVerificationTier"].as_i64();
        let all = [verifications.clone(), carried].concat();
        pack["identityChecks"] = story::order(required, &all, &interviews);
        let appeals = |one: &&Value| one.get("appealOf").is_some();
        pack["appeals"] = verifications.iter().filter(appeals).cloned().collect();
        let mut lines: Vec<Value> = events.iter().map(story::line).collect();
        pack["log"] = self.prove(tx, context, &mut lines)?;
        pack["timeline"] = lines.into();
        Ok(Told { story: pack, shown })
    }

    /// Adds to each line the proof that its event is under the newest signed head, which is given.
    fn prove(
        &self,
        tx: &mut Tx<'_>,
        context: &Context,
        lines: &mut [Value],
    ) -> Result<Value, Error> {
        let Some(head) = self.head_of(tx, context.tenant())? else {
            return Ok(Value::Null);
        };
        for line in lines {
            let id = line["eventId"]
                .as_str()
                .and_then(|id| id.parse::<EventId>().ok());
            if let Some(id) = id
                && let Some(mut proof) = self.inclusion(tx, context.tenant(), &head, id)?
            {
                // One head is for all of them.
                proof.as_object_mut().map(|proof| proof.remove("head"));
                line["proof"] = proof;
            }
        }
        Ok(self.told_head(&head))
    }

    /// The resources of a kind that name `id` at a path, as far as the caller may read them.
    fn hanging(
        &self,
        tx: &mut Tx<'_>,
        context: &Context,
        of: (Kind, &str),
        id: &str,
    ) -> Result<Vec<Masked<Resource>>, Error> {
        let views = self.0.renderer.catalog().views().iter();
        let Some(view) = views.into_iter().find(|view| view.kind == of.0) else {
            return Ok(Vec::new());
        };
        let write = Write::new(self, context, view);
        let mut found = write.citing(tx, of, &[id.to_owned()])?;
        found.sort_by_key(|one| one.created);
        let mut shown = Vec::new();
        for one in found {
            shown.extend(self.shown_by(tx, context, view, one)?);
        }
        Ok(shown)
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

    fn named(
        &self,
        tx: &mut Tx<'_>,
        context: &Context,
        endpoint: &str,
        id: Option<&str>,
    ) -> Result<Option<Masked<Resource>>, Error> {
        let view = self.0.renderer.catalog().at(endpoint).cloned();
        let (Some(view), Some(id)) = (view, id) else {
            return Ok(None);
        };
        match find(tx, context, &view, id) {
            Ok(found) => self.shown_by(tx, context, &view, found),
            Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn shown_in(
        &self,
        tx: &mut Tx<'_>,
        context: &Context,
        endpoint: &str,
        record: Folded,
    ) -> Result<Option<Masked<Resource>>, Error> {
        match self.0.renderer.catalog().at(endpoint).cloned() {
            Some(view) => self.shown_by(tx, context, &view, record),
            None => Ok(None),
        }
    }

    fn shown_by(
        &self,
        tx: &mut Tx<'_>,
        context: &Context,
        view: &View,
        record: Folded,
    ) -> Result<Option<Masked<Resource>>, Error> {
        let name = &view.resource_type.name;
        if !context.client.may(Right::Read, name)
            || !self.reaches(context, view, &record.leaves, Right::Read)
        {
            return Ok(None);
        }
        self.show_one(tx, context, view, record, &Asked::default())
            .map(Some)
    }
}

fn value(masked: &Masked<Resource>) -> Result<Value, Error> {
    serde_json::to_value(masked).map_err(|error| Error::Internal(error.to_string()))
}
