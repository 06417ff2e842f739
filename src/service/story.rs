//! What happened to an application (B-043): from what its reader may see, across merges of persons and changes of tools. Its cost goes with the application, not with the population.

use serde_json::{Value, json};

use super::change::{Write, find, missing};
use super::{Asked, Error, Muster};
use crate::domain::context::{Context, Right};
use crate::domain::lifecycle::text;
use crate::domain::masked::{Masked, Resource};
use crate::domain::record::{Folded, Kind};
use crate::domain::story;
use crate::domain::view::View;
use crate::id::ResourceId;
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

/// The events of an application and its person, as the caller sees them.
pub(super) struct Around {
    pub(super) told: Vec<Value>,
    /// The same as the log has them, each with its place: not for who asks.
    whole: Vec<(i64, Value)>,
    pub(super) shown: Vec<Masked<Resource>>,
    /// Whether there are more than are told.
    pub(super) more: bool,
}

/// What is told, and what of it is classified and was shown.
pub(super) struct Told {
    /// The whole story.
    pub(super) story: Value,
    pub(super) shown: Vec<Masked<Resource>>,
}

impl Muster {
    /// What happened to an application, oldest first.
    pub async fn timeline(&self, context: &Context, id: &str) -> Result<Value, Error> {
        self.keep_heard_now().await?;
        self.telling(context, id, |muster, context, tx, application| {
            let around = muster.events_around(tx, context, &application)?;
            let lines = muster.delivered_lines(tx, context, &around)?;
            let story = json!({
                "applicationId": application.id.to_string(),
                "candidateId": text(&application.leaves, "candidate.value"),
                "status": text(&application.leaves, "status"),
                "more": around.more,
                "events": lines,
            });
            let shown = around.shown;
            Ok(Told { story, shown })
        })
        .await
    }

    pub(super) async fn telling(
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
    pub(super) fn events_around(
        &self,
        tx: &mut Tx<'_>,
        context: &Context,
        application: &Folded,
    ) -> Result<Around, Error> {
        let tenant = context.tenant();
        let mut places = store::story::of_application(tx, tenant, application.id, MOST + 1)?;
        let mut persons = Vec::new();
        let candidate = text(&application.leaves, "candidate.value");
        if let Some(candidate) = candidate.and_then(|id| id.parse::<ResourceId>().ok()) {
            let alias = store::alias::find(tx, tenant, candidate)?;
            persons.push(candidate);
            if let Some(alias) = alias {
                persons.extend(store::record::identify(tx, alias.survivor)?);
            }
        }
        for person in persons {
            let of = (&OF_PERSON[..], MOST + 1);
            places.extend(store::story::of_person(tx, tenant, person, of)?);
        }
        places.sort_unstable();
        places.dedup();
        let most = usize::try_from(MOST).unwrap_or(usize::MAX);
        let more = places.len() > most;
        places.truncate(most);
        let (mut told, mut shown, mut whole) = (Vec::new(), Vec::new(), Vec::new());
        for (seq, body) in store::event::at(tx, &places)? {
            if !self.may_see_event(tx, context, &body)? {
                continue;
            }
            let masked = self.0.renderer.tell_event(context, &body);
            told.push(value(&masked)?);
            shown.push(masked);
            whole.push((seq, body));
        }
        Ok(Around {
            told,
            whole,
            shown,
            more,
        })
    }

    /// The events of a timeline, each with who of those that read the feed has got it (B-079).
    pub(super) fn delivered_lines(
        &self,
        tx: &mut Tx<'_>,
        context: &Context,
        around: &Around,
    ) -> Result<Vec<Value>, Error> {
        let mut deliveries = self.deliveries(tx, context, &around.whole)?;
        let events = around.told.iter().zip(&around.whole);
        let lines = events.map(|(event, (seq, _))| {
            let mut line = story::line(event);
            if let Some(all) = deliveries.remove(seq) {
                line["deliveries"] = all;
            }
            line
        });
        Ok(lines.collect())
    }

    /// The resources of a kind that name `id` at a path, as far as the caller may read them.
    pub(super) fn hanging(
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

    pub(super) fn named(
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

    pub(super) fn shown_by(
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

pub(super) fn value(masked: &Masked<Resource>) -> Result<Value, Error> {
    serde_json::to_value(masked).map_err(|error| Error::Internal(error.to_string()))
}
