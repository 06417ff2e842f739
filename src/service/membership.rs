//! Memberships as resources (draft-zollner-scim-group-members-01): one member of one group, made and ended at a cost that
//! does not know how many others there are. They are the rows of members and nothing else: the id of a membership is the
//! id of its group and the id of its member with a full stop between, and what happens to one is an event and a version of
//! its group.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::change::Write;
use super::idempotency::Repeat;
use super::roster::{Manner, shown, type_name};
use super::{Came, Error, Muster, Page, Written, permit, precondition};
use crate::domain::context::{Context, Right};
use crate::domain::idempotency::Done;
use crate::domain::masked::{Masked, Resource};
use crate::domain::record::{Folded, Kind};
use crate::domain::view::View;
use crate::id::ResourceId;
use crate::scim;
use crate::scim::filter::{Condition, Test};
use crate::scim::list::ListRequest;
use crate::scim::patch::{Change, Rows};
use crate::scim::projection::Projection;
use crate::scim::receive::{Purpose, receive};
use crate::scim::resource_type::Location;
use crate::store::member::Peer;
use crate::store::membership::{self, Narrow};
use crate::store::{self, Tx};

const NAME: &str = "GroupMembership";

/// The two sides of a membership that a request names.
#[derive(Clone)]
struct Pair {
    group: String,
    member: String,
}

impl Pair {
    /// The two of a membership's id; nothing if it is none of ours.
    fn of(id: &str) -> Option<Self> {
        let (group, member) = id.split_once('.')?;
        Some(Self {
            group: group.to_owned(),
            member: member.to_owned(),
        })
    }

    fn narrow(&self) -> Option<Narrow> {
        Some(Narrow {
            group: Some(self.group.parse().ok()?),
            member: Some(self.member.parse().ok()?),
        })
    }
}

/// A membership about to be made.
pub(super) struct Join {
    groups: Arc<View>,
    pair: Pair,
    projection: Projection,
    ignored: Vec<String>,
}

impl Join {
    /// Makes it.
    pub(super) fn perform(
        &self,
        muster: &Muster,
        context: &Context,
        tx: &mut Tx<'_>,
    ) -> Result<Written, Error> {
        Write::new(muster, context, &self.groups).join(tx, &self.pair)?;
        Ok(Written {
            resource: muster.membership(tx, context, &self.pair, &self.projection)?,
            suggested: Vec::new(),
            came: Came::default(),
            ignored: self.ignored.clone(),
        })
    }
}

impl Repeat<Written> for Join {
    fn again(
        &self,
        muster: &Muster,
        context: &Context,
        tx: &mut Tx<'_>,
        _: &Done,
    ) -> Result<Written, Error> {
        Ok(Written {
            resource: muster.membership(tx, context, &self.pair, &self.projection)?,
            suggested: Vec::new(),
            ignored: Vec::new(),
            came: Came::default(),
        })
    }
}

/// A membership about to end.
pub(super) struct Leave {
    groups: Arc<View>,
    pair: Pair,
    if_match: Option<String>,
}

impl Leave {
    /// Ends it.
    pub(super) fn perform(
        &self,
        muster: &Muster,
        context: &Context,
        tx: &mut Tx<'_>,
    ) -> Result<(), Error> {
        let known = muster.membership(tx, context, &self.pair, &Projection::default())?;
        precondition::check(self.if_match.as_deref(), &known.seen().version)?;
        Write::new(muster, context, &self.groups).leave(tx, &self.pair)
    }
}

impl Repeat<()> for Leave {
    fn again(&self, _: &Muster, _: &Context, _: &mut Tx<'_>, _: &Done) -> Result<(), Error> {
        Ok(())
    }
}

impl Muster {
    /// Whether the caller may do that with memberships, which also tell of groups; gives the groups' view.
    fn memberships(&self, context: &Context, right: Right) -> Result<Arc<View>, Error> {
        permit(context, right, NAME)?;
        self.view(context, "/Groups", Right::Read)
    }

    /// Makes a record a member of a group: a conflict if it is one, an error if one of the two is not there.
    pub async fn create_membership(
        &self,
        context: &Context,
        body: Map<String, Value>,
        projection: &Projection,
    ) -> Result<Written, Error> {
        let join = self.prepare_join(context, body, projection)?;
        self.perform(context, join, Join::perform).await
    }

    /// What can be done of it before the transaction.
    pub(super) fn prepare_join(
        &self,
        context: &Context,
        body: Map<String, Value>,
        projection: &Projection,
    ) -> Result<Join, Error> {
        let groups = self.memberships(context, Right::Write)?;
        let resource_type = self.0.renderer.catalog().membership();
        let received = receive(resource_type, body, Purpose::Create, context.client.profile)?;
        let value = |attribute: &str| {
            let value = &received
                .document
                .get(attribute)
                .and_then(|of| of.get("value"));
            value.and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        Ok(Join {
            pair: Pair {
                group: value("group"),
                member: value("member"),
            },
            groups,
            projection: projection.clone(),
            ignored: received.ignored,
        })
    }

    /// The membership of that id.
    pub async fn get_membership(
        &self,
        context: &Context,
        id: &str,
        projection: &Projection,
    ) -> Result<Masked<Resource>, Error> {
        self.memberships(context, Right::Read)?;
        let pair = Pair::of(id).ok_or_else(|| missing(id))?;
        let (muster, context, projection) = (self.clone(), context.clone(), projection.clone());
        let read = move |tx: &mut Tx<'_>| muster.membership(tx, &context, &pair, &projection);
        self.0.store.read(read).await
    }

    /// Ends a membership.
    pub async fn delete_membership(
        &self,
        context: &Context,
        id: &str,
        if_match: Option<&str>,
    ) -> Result<(), Error> {
        let leave = self.prepare_leave(context, id, if_match)?;
        self.perform(context, leave, Leave::perform).await
    }

    /// What can be done of it before the transaction.
    pub(super) fn prepare_leave(
        &self,
        context: &Context,
        id: &str,
        if_match: Option<&str>,
    ) -> Result<Leave, Error> {
        Ok(Leave {
            groups: self.memberships(context, Right::Delete)?,
            pair: Pair::of(id).ok_or_else(|| missing(id))?,
            if_match: if_match.map(str::to_owned),
        })
    }

    /// One page of the memberships that match.
    pub async fn list_memberships(
        &self,
        context: &Context,
        request: ListRequest,
    ) -> Result<Page, Error> {
        self.memberships(context, Right::Search)?;
        if request.sort.is_some() {
            return Err(scim::Error::invalid_value(
                "leave 'sortBy' out: memberships have one order, that of their groups and then of their members",
            )
            .into());
        }
        if request.cursor.is_some() {
            return Err(scim::Error::invalid_value(
                "leave 'cursor' out: memberships are paged by 'startIndex'",
            )
            .into());
        }
        let narrow = match &request.filter {
            Some(condition) => narrow(condition)?,
            None => Some(Narrow::default()),
        };
        let offset = i64::try_from(request.start_index - 1).unwrap_or(i64::MAX);
        let limit = self.0.paging.limit(request.count);
        let (muster, context) = (self.clone(), context.clone());
        let read = move |tx: &mut Tx<'_>| {
            let (total, pairs) = match narrow {
                Some(narrow) => membership::list(tx, context.tenant(), narrow, offset, limit)?,
                None => (0, Vec::new()),
            };
            let shown = |(group, member): &(Peer, Peer)| {
                muster.shown_membership(&context, group, member, &request.projection)
            };
            Ok(Page {
                total: Some(u64::try_from(total).unwrap_or(0)),
                start_index: Some(request.start_index),
                next_cursor: None,
                resources: pairs.iter().map(shown).collect(),
            })
        };
        self.0.store.read(read).await
    }

    fn membership(
        &self,
        tx: &mut Tx<'_>,
        context: &Context,
        pair: &Pair,
        projection: &Projection,
    ) -> Result<Masked<Resource>, Error> {
        let missing = || missing(&format!("{}.{}", pair.group, pair.member));
        let narrow = pair.narrow().ok_or_else(missing)?;
        let (_, found) = membership::list(tx, context.tenant(), narrow, 0, 1)?;
        let (group, member) = found.first().ok_or_else(missing)?;
        Ok(self.shown_membership(context, group, member, projection))
    }

    fn shown_membership(
        &self,
        context: &Context,
        group: &Peer,
        member: &Peer,
        projection: &Projection,
    ) -> Masked<Resource> {
        let manner = Manner::of(context);
        let mut shown_group = shown(group, &manner);
        if let Some(parts) = shown_group.as_object_mut() {
            parts.remove("type");
        }
        let mut document = Map::new();
        document.insert("group".into(), shown_group);
        document.insert("member".into(), shown(member, &manner));
        let id = format!("{}.{}", group.id, member.id);
        let renderer = &self.0.renderer;
        let masked = renderer.mask_membership(context, &id, document);
        masked.narrowed(|document| projection.apply(renderer.catalog().membership(), document))
    }
}

impl Write<'_> {
    fn join(&self, tx: &mut Tx<'_>, pair: &Pair) -> Result<(), Error> {
        let group = self.group(tx, &pair.group)?;
        let group = group.ok_or_else(|| {
            let value = &pair.group;
            scim::Error::invalid_value(format!(
                "'group.value': there is no Group with id '{value}'"
            ))
        })?;
        let add = Change::Add(vec![json!({ "value": pair.member })]);
        let (after, strangers) = self.change_members(tx, &group, &[add])?;
        if !strangers.is_empty() {
            let (value, user, or) = (
                &pair.member,
                type_name(Kind::Person),
                type_name(Kind::Group),
            );
            return Err(scim::Error::invalid_value(format!(
                "'member.value': there is no {user} or {or} with id '{value}'"
            ))
            .into());
        }
        if after.version == group.version {
            return Err(scim::Error::uniqueness(
                "this member is in this group already: find the membership with a filter",
            )
            .into());
        }
        Ok(())
    }

    fn leave(&self, tx: &mut Tx<'_>, pair: &Pair) -> Result<(), Error> {
        let missing = || missing(&format!("{}.{}", pair.group, pair.member));
        let group = self.group(tx, &pair.group)?.ok_or_else(missing)?;
        let remove = Change::Remove(Rows::Values(vec![pair.member.clone()]));
        let (after, _) = self.change_members(tx, &group, &[remove])?;
        // Somebody else was faster.
        if after.version == group.version {
            return Err(missing());
        }
        Ok(())
    }

    fn group(&self, tx: &mut Tx<'_>, id: &str) -> Result<Option<Folded>, Error> {
        let Ok(id) = id.parse::<ResourceId>() else {
            return Ok(None);
        };
        let found = store::record::find(tx, self.context.tenant(), id)?;
        let groups = found.filter(|record| record.kind == Kind::Group);
        // One that the role does not reach is not there.
        let right = if self.context.client.may(Right::Write, "Group") {
            Right::Write
        } else {
            Right::Read
        };
        let reaches = |group: &Folded| {
            self.muster
                .reaches(self.context, self.view, &group.leaves, right)
        };
        Ok(groups.filter(reaches))
    }
}

fn missing(id: &str) -> Error {
    Error::NotFound(format!("there is no {NAME} with id '{id}'"))
}

/// What a filter asks for: one group, one member, or both; nothing if it can hold for none. Everything else would mean to
/// look at every membership there is.
fn narrow(condition: &Condition) -> Result<Option<Narrow>, Error> {
    let mut narrow = Narrow::default();
    Ok(add(&mut narrow, condition)?.then_some(narrow))
}

/// Adds what a condition asks for; whether it can hold.
fn add(narrow: &mut Narrow, condition: &Condition) -> Result<bool, Error> {
    match condition {
        Condition::All(terms) => {
            let mut possible = true;
            for term in terms {
                possible &= add(narrow, term)?;
            }
            Ok(possible)
        }
        Condition::Element { condition, .. } => add(narrow, condition),
        Condition::Test {
            location,
            test: Test::Equal(value),
            ..
        } => match (&*location.attribute, location.sub.as_deref()) {
            ("group", None | Some("value")) => Ok(meet(&mut narrow.group, value)),
            ("member", None | Some("value")) => Ok(meet(&mut narrow.member, value)),
            ("id", None) => Ok(Pair::of(value).is_some_and(|pair| {
                meet(&mut narrow.group, &pair.group) & meet(&mut narrow.member, &pair.member)
            })),
            _ => Err(unserved(Some(location))),
        },
        Condition::Test { location, .. } => Err(unserved(Some(location))),
        Condition::Any(_) | Condition::Not(_) => Err(unserved(None)),
    }
}

/// One more id that must be this side's.
fn meet(side: &mut Option<ResourceId>, value: &str) -> bool {
    let Ok(id) = value.parse() else { return false };
    *side.get_or_insert(id) == id
}

fn unserved(location: Option<&Location>) -> Error {
    let what = location.map_or_else(|| "'or' and 'not'".to_owned(), |at| format!("'{at}' so"));
    scim::Error::invalid_filter(format!(
        "memberships cannot be searched by {what}: ask for 'group.value eq', 'member.value eq' or 'id eq', joined by 'and'"
    ))
    .into()
}
