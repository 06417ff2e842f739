//! What a human decides: whether somebody is who the evidence says (B-018), and where something belongs that names nothing which
//! joins systems (B-002, B-101): it is queued, never guessed, and the candidate keeps moving.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Write;
use crate::domain::context::{Client, Context, Right};
use crate::domain::index::key;
use crate::domain::lifecycle::text;
use crate::domain::record::{Kind, Leaves};
use crate::domain::review::{Asks, Opening};
use crate::scim;
use crate::scim::comparable::instant;
use crate::service::create::Given;
use crate::service::{Asked, Came, Error, Written};
use crate::store::{self, Tx};

const APPLICATION: &str = "application.value";

impl Write<'_> {
    /// What hangs on an application and names it by an e-mail address is a question for a human.
    pub(in crate::service) fn queue(
        &self,
        tx: &mut Tx<'_>,
        given: &Given,
        asked: &Asked,
    ) -> Result<Option<Written>, Error> {
        let named = text(&given.leaves, APPLICATION).unwrap_or_default();
        if !self.view.kind.is_hiring() || !named.contains('@') {
            return Ok(None);
        }
        let payload = json!({
            "endpoint": self.view.resource_type.endpoint, "externalId": given.external_id, "values": given.leaves,
        });
        let opening = Opening {
            asks: Asks::Quarantine,
            subject: None,
            about: None,
            payload: Some((payload.to_string(), named.to_lowercase())),
            candidates: Vec::new(),
            path: Some("application".into()),
            system: self.context.system().to_owned(),
        };
        let opened = self.muster.open_review(tx, self.context, &opening)?;
        let review = match opened {
            Some(id) => store::record::find(tx, self.context.tenant(), id)?,
            None => self.asked_already(tx, &opening)?,
        };
        let review = review.ok_or_else(|| Error::Internal("a review was not opened".into()))?;
        let view = self.muster.0.renderer.catalog().at("/Reviews").cloned();
        let view = view.ok_or_else(|| Error::Internal("there are no reviews".into()))?;
        Ok(Some(Written {
            resource: self
                .muster
                .show_one(tx, self.context, &view, review, asked)?,
            ignored: Vec::new(),
            suggested: Vec::new(),
            came: Came::Queued,
        }))
    }

    fn asked_already(
        &self,
        tx: &mut Tx<'_>,
        opening: &Opening,
    ) -> Result<Option<crate::domain::record::Folded>, Error> {
        let (path, value) = opening.key();
        let known = self.citing(tx, (Kind::Review, path), &[key(&value)])?;
        Ok(known
            .into_iter()
            .find(|review| opening.is_asked_by(&review.leaves)))
    }

    /// What was queued is taken in where a human says that it belongs.
    pub(in crate::service) fn release(
        &self,
        tx: &mut Tx<'_>,
        review: &Leaves,
    ) -> Result<(), Error> {
        let Some(application) = text(review, "resolvedTo.value") else {
            return Err(scim::Error::invalid_value(
                "to approve this review say where it belongs: 'resolvedTo' takes the id of an application",
            )
            .into());
        };
        let payload: Value = serde_json::from_str(text(review, "payload").unwrap_or_default())
            .map_err(|error| Error::Internal(error.to_string()))?;
        let mut leaves: Leaves = serde_json::from_value(payload["values"].clone())
            .map_err(|error| Error::Internal(error.to_string()))?;
        leaves.insert(APPLICATION.into(), application.into());
        let mut given = Given::of(leaves);
        given.external_id = payload["externalId"].as_str().map(str::to_owned);
        let endpoint = payload["endpoint"].as_str().unwrap_or_default();
        let system = text(review, "system").unwrap_or_default();
        self.create_as(tx, (endpoint, system), given)
    }

    /// A human's answer to a manual review is a verification of its own, which looks at that one again.
    pub(in crate::service) fn judge(
        &self,
        tx: &mut Tx<'_>,
        review: &Leaves,
        passed: bool,
    ) -> Result<(), Error> {
        let about = text(review, "about.value").and_then(|id| id.parse().ok());
        let found = match about {
            Some(id) => store::record::find(tx, self.context.tenant(), id)?,
            None => None,
        };
        let Some(asked) = found.filter(|found| found.kind == Kind::Verification) else {
            return Err(Error::Conflict(
                "the verification that this review is about is gone".into(),
            ));
        };
        let mut leaves = asked.leaves.clone();
        leaves.retain(|path, _| {
            [
                "application.value",
                "tierRequired",
                "tierSatisfied",
                "evidencePackRef",
                "vendor",
            ]
            .contains(&path.as_str())
        });
        if !passed {
            leaves.insert("tierSatisfied".into(), 0.into());
        } else if let Some(required) = leaves.get("tierRequired").cloned() {
            leaves.insert("tierSatisfied".into(), required);
        }
        leaves.insert("occurredAt".into(), instant(self.context.now).into());
        leaves.insert(
            "decision".into(),
            if passed { "pass" } else { "fail" }.into(),
        );
        leaves.insert("actorType".into(), "human".into());
        leaves.insert("appealOf.value".into(), asked.id.to_string().into());
        if let Some(reason) = text(review, "reasonCode") {
            leaves.insert("reasonCodes".into(), json!([reason]));
        }
        // Said where the question was asked: a human's answer counts also where another system is master.
        let system = text(review, "system")
            .unwrap_or(self.context.system())
            .to_owned();
        self.create_as(tx, ("/Verifications", &system), Given::of(leaves))
    }

    /// Creates another record in this transaction, as the caller who speaks for `system`.
    fn create_as(
        &self,
        tx: &mut Tx<'_>,
        (endpoint, system): (&str, &str),
        given: Given,
    ) -> Result<(), Error> {
        let context = Context {
            client: Arc::new(Client {
                system: system.to_owned(),
                ..Client::clone(&self.context.client)
            }),
            ..self.context.clone()
        };
        let view = self.muster.view(&context, endpoint, Right::Write)?;
        let mut write = Write::new(self.muster, &context, &view);
        write.cause = Some(self.event);
        write.create(tx, given).map(drop)
    }
}
