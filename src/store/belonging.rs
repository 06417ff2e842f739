//! The groups that a record belongs to: its own, and those that it is in through a nested group (RFC 7643 §4.1.2).

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};

use super::db::on_both;
use super::schema::{group_member, resource};
use super::sql_types::uuid;
use super::values::BATCH;
use super::{Error, Tx};
use crate::id::ResourceId;

/// A group that a record belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Belonging {
    /// The group's number.
    pub group: i64,
    /// Its id.
    pub id: ResourceId,
    /// What it is called.
    pub display: Option<String>,
    /// Whether the record is a member itself.
    pub direct: bool,
}

/// By the member's number.
pub type Belongings = BTreeMap<i64, Vec<Belonging>>;

type GroupRow = (i64, i64, Vec<u8>, Option<String>);

mod outer {
    use super::group_member;
    diesel::alias!(group_member as outer_member: OuterMember);
}
use outer::outer_member;

/// The groups of which `member` is a member itself, in the order of their numbers.
pub fn direct(tx: &mut Tx<'_>, member: i64) -> Result<Vec<Belonging>, Error> {
    let (mut found, _) = own(tx, &[member])?;
    Ok(found.remove(&member).unwrap_or_default())
}

/// All groups of each of `members`, each group once: the member's own first, then those above them. Groups that hold each
/// other in a circle end the search, as any group does that has been seen.
pub fn list(tx: &mut Tx<'_>, members: &[i64]) -> Result<Belongings, Error> {
    let (mut found, nested) = own(tx, members)?;
    // Most groups are in no other: the common case is the one statement above.
    let own: BTreeSet<(i64, i64)> = nested
        .iter()
        .filter_map(|member| Some((member, found.get(member)?)))
        .flat_map(|(member, groups)| groups.iter().map(|group| (*member, group.group)))
        .collect();
    for members in nested.chunks(BATCH) {
        for (member, belonging) in above(tx, members)? {
            if !own.contains(&(member, belonging.group)) {
                found.entry(member).or_default().push(belonging);
            }
        }
    }
    Ok(found)
}

/// The direct groups, and the members for whom one of them is in another group.
fn own(tx: &mut Tx<'_>, members: &[i64]) -> Result<(Belongings, Vec<i64>), Error> {
    let query = || {
        let nested = outer_member
            .filter(
                outer_member
                    .field(group_member::member)
                    .eq(group_member::grp),
            )
            .select(outer_member.field(group_member::grp));
        group_member::table
            .inner_join(resource::table.on(resource::id.eq(group_member::grp)))
            .order((group_member::member.asc(), group_member::grp.asc()))
            .select((
                (
                    group_member::member,
                    group_member::grp,
                    resource::uuid,
                    resource::display,
                ),
                diesel::dsl::exists(nested),
            ))
    };
    let rows: Result<Vec<(GroupRow, bool)>, _> = match members {
        [] => return Ok((Belongings::new(), Vec::new())),
        // A statement of one text, which is prepared once.
        [one] => {
            let of_one = query().filter(group_member::member.eq(*one));
            on_both!(tx.db(), connection => of_one.load(connection))
        }
        many => query()
            .filter(group_member::member.eq_any(many.to_vec()))
            .load(tx.db()),
    };
    let (mut found, mut nested) = (Belongings::new(), Vec::new());
    for ((member, group, id, display), is_nested) in rows.map_err(|error| tx.explain(error))? {
        if is_nested && nested.last() != Some(&member) {
            nested.push(member);
        }
        found.entry(member).or_default().push(Belonging {
            group,
            id: ResourceId(uuid(&id)),
            display,
            direct: true,
        });
    }
    Ok((found, nested))
}

#[derive(QueryableByName)]
struct AboveRow {
    #[diesel(sql_type = BigInt)]
    member: i64,
    #[diesel(sql_type = BigInt)]
    grp: i64,
    #[diesel(sql_type = Binary)]
    uuid: Vec<u8>,
    #[diesel(sql_type = Nullable<Text>)]
    display: Option<String>,
}

/// Every group above each of `members`, at any height.
fn above(tx: &mut Tx<'_>, members: &[i64]) -> Result<Vec<(i64, Belonging)>, Error> {
    let numbers: Vec<String> = members.iter().map(i64::to_string).collect();
    // UNION, not UNION ALL: what has been seen is not looked at again, which is what ends a circle.
    let query = diesel::sql_query(format!(
        "WITH RECURSIVE above (member, grp) AS ( \
           SELECT member, grp FROM group_member WHERE member IN ({}) \
           UNION SELECT above.member, m.grp FROM above JOIN group_member m ON m.member = above.grp \
         ) SELECT above.member, above.grp, resource.uuid, resource.display \
         FROM above JOIN resource ON resource.id = above.grp ORDER BY above.member, above.grp",
        numbers.join(", ")
    ));
    let rows: Vec<AboveRow> = query.load(tx.db()).map_err(|error| tx.explain(error))?;
    let belonging = |row: AboveRow| {
        let group = Belonging {
            group: row.grp,
            id: ResourceId(uuid(&row.uuid)),
            display: row.display,
            direct: false,
        };
        (row.member, group)
    };
    Ok(rows.into_iter().map(belonging).collect())
}
