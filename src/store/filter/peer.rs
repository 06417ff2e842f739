//! Tests of the record on the other side of a membership: a member of a group, or a group of a person.

use serde_json::Value;

use super::value::{id_test, id_text, text_test, value_test};
use super::{Form, Scope, truth, unsupported};
use crate::domain::catalog::endpoint;
use crate::domain::record::Kind;
use crate::id::ResourceId;
use crate::scim::comparable::Comparison;
use crate::scim::filter::{Condition, Test};
use crate::scim::resource_type::Location;
use crate::scim::schema;
use crate::store::sql_nodes::Fragment;
use crate::store::sql_types::key;
use crate::store::{Error, Tx, attribute_path};

/// From which side a membership is looked at.
#[derive(Clone, Copy)]
pub(super) enum Side {
    /// From the group: the peer is a member.
    Members,
    /// From the person: the peer is a group.
    Groups,
}

impl Side {
    /// The side from which a view's attribute looks, if it is one of the two that live in rows of members.
    pub(super) fn of(kind: Kind, location: &Location) -> Option<Self> {
        match (kind, &*location.attribute, &location.extension) {
            (Kind::Person, "groups", None) => Some(Self::Groups),
            (Kind::Group, "members", None) => Some(Self::Members),
            _ => None,
        }
    }

    /// What a peer of a kind is called, and where its name stands: the first of these paths that it has.
    fn peers(self) -> &'static [(Kind, &'static str, &'static [&'static str])] {
        match self {
            Self::Members => &[
                (Kind::Person, "User", &["displayName", "userName"]),
                (Kind::Group, "Group", &["displayName"]),
            ],
            Self::Groups => &[(Kind::Group, "Group", &["displayName"])],
        }
    }
}

/// The groups above a person, at any height, each once: what is shown as `groups` (RFC 7643 §4.1.2).
const UP: &str = "EXISTS (WITH RECURSIVE up (grp) AS ( \
    SELECT grp FROM group_member WHERE member = resource.id \
    UNION SELECT u.grp FROM up JOIN group_member u ON u.member = up.grp \
    ) SELECT 1 FROM up JOIN resource AS peer ON peer.id = up.grp WHERE ";

impl Scope<'_> {
    /// Some peer passes.
    pub(super) fn some_peer(
        &self,
        tx: &mut Tx<'_>,
        out: &mut Fragment,
        side: Side,
        condition: &Condition,
    ) -> Result<(), Error> {
        match (side, named_peer(condition)) {
            (Side::Members, None) => {
                out.sql(
                    "EXISTS (SELECT 1 FROM group_member m JOIN resource AS peer ON peer.id = m.member \
                     WHERE m.grp = resource.id AND ",
                );
            }
            // One member is looked for: its groups are few, whatever their number and size in all.
            (Side::Members, Some(id)) => {
                out.sql(
                    "resource.id IN (SELECT m.grp FROM group_member m JOIN resource AS peer ON peer.id = m.member \
                     WHERE ",
                );
                self.is_peer(out, "peer", id);
                out.sql(" AND ");
            }
            (Side::Groups, Some(id)) if !self.pinned.get() && self.form == Form::Set => {
                return self.below(tx, out, id, condition);
            }
            (Side::Groups, _) => {
                out.sql(UP);
            }
        }
        self.peer_passes(tx, out, side, condition)?;
        out.sql(")");
        Ok(())
    }

    fn peer_passes(
        &self,
        tx: &mut Tx<'_>,
        out: &mut Fragment,
        side: Side,
        condition: &Condition,
    ) -> Result<(), Error> {
        super::element::inside(out, condition, &mut |out, location, test| {
            let close = self.open(tx.dialect(), out);
            self.peer_test(tx, out, side, location, test)?;
            out.sql(close);
            Ok(())
        })
    }

    pub(super) fn is_peer(&self, out: &mut Fragment, table: &str, id: ResourceId) {
        out.sql(&format!(
            "{table}.tenant = {} AND {table}.uuid = ",
            self.tenant.0
        ))
        .bytes(key(id.0));
    }

    /// One group is looked for and nothing else says of which person: who is in it, found from the group downward.
    fn below(
        &self,
        tx: &mut Tx<'_>,
        out: &mut Fragment,
        group: ResourceId,
        condition: &Condition,
    ) -> Result<(), Error> {
        out.sql("(resource.id IN (");
        self.all_below(out, group);
        out.sql(")");
        if !matches!(condition, Condition::Test { .. }) {
            out.sql(" AND ").sql(UP);
            self.peer_passes(tx, out, Side::Groups, condition)?;
            out.sql(")");
        }
        out.sql(")");
        Ok(())
    }

    /// The query for the numbers of all who are in a group, directly or through another.
    pub(super) fn all_below(&self, out: &mut Fragment, group: ResourceId) {
        out.sql("WITH RECURSIVE down (grp) AS (SELECT top.id FROM resource AS top WHERE ");
        self.is_peer(out, "top", group);
        out.sql(&format!(
            " UNION SELECT n.member FROM down JOIN group_member n ON n.grp = down.grp \
             JOIN resource AS nested ON nested.id = n.member AND nested.kind = {} \
             ) SELECT m.member FROM down JOIN group_member m ON m.grp = down.grp",
            Kind::Group.number()
        ));
    }

    fn peer_test(
        &self,
        tx: &mut Tx<'_>,
        out: &mut Fragment,
        side: Side,
        location: &Location,
        test: &Test,
    ) -> Result<(), Error> {
        let dialect = tx.dialect();
        match location.sub.as_deref() {
            None | Some("value") => id_test(out, dialect, "peer.uuid", test),
            Some("type") => match side {
                Side::Groups => {
                    const OWN: &str = "EXISTS (SELECT 1 FROM group_member own WHERE own.grp = peer.id AND own.member = resource.id)";
                    match (is_called("direct", test), is_called("indirect", test)) {
                        (true, false) => out.sql(OWN),
                        (false, true) => out.sql("NOT ").sql(OWN),
                        (both, _) => out.sql(truth(both)),
                    };
                }
                Side::Members => each(out, side, |out, kind, name, _| {
                    out.sql(&format!("peer.kind = {} AND ", kind.number()))
                        .sql(truth(is_called(name, test)));
                    Ok(())
                })?,
            },
            Some("$ref") => each(out, side, |out, kind, name, _| {
                let start = format!("{}{}/", self.base_url, endpoint(name).unwrap_or_default());
                out.sql(&format!("peer.kind = {} AND ", kind.number()));
                text_test(out, dialect, test, |out| {
                    out.sql("(").text(start.clone());
                    out.sql(&format!(" || {})", id_text(dialect, "peer.uuid")));
                });
                Ok(())
            })?,
            Some("display") => each(out, side, |out, kind, _, paths| {
                self.name_test(tx, out, (kind, paths), test)
            })?,
            _ => return Err(unsupported(location)),
        }
        Ok(())
    }

    /// The peer is of this kind and its name, the first of `paths` that it has, passes.
    fn name_test(
        &self,
        tx: &mut Tx<'_>,
        out: &mut Fragment,
        (kind, paths): (Kind, &[&str]),
        test: &Test,
    ) -> Result<(), Error> {
        out.sql(&format!("peer.kind = {} AND (", kind.number()));
        let mut missing = String::new();
        for path in paths {
            let Some(path) = attribute_path::find(tx, self.tenant, kind, path)? else {
                continue;
            };
            let has = format!(
                "EXISTS (SELECT 1 FROM attribute_index i WHERE i.resource = peer.id AND i.path = {path}"
            );
            out.sql(&missing).sql(&has);
            value_test(out, tx.dialect(), "i", test);
            out.sql(") OR ");
            missing = format!("{missing}NOT {has}) AND ");
        }
        out.sql("1 = 0)");
        Ok(())
    }
}

/// The id that a peer must have to pass, if the condition names one.
pub(super) fn named_peer(condition: &Condition) -> Option<ResourceId> {
    match condition {
        Condition::All(terms) => terms.iter().find_map(named_peer),
        Condition::Test {
            location,
            test: Test::Equal(id),
            ..
        } if matches!(location.sub.as_deref(), None | Some("value")) => id.parse().ok(),
        _ => None,
    }
}

/// `(… OR …)` over the kinds that a peer may be of; `write` gets the kind, its type's name and the paths of its name.
fn each(
    out: &mut Fragment,
    side: Side,
    mut write: impl FnMut(&mut Fragment, Kind, &str, &[&str]) -> Result<(), Error>,
) -> Result<(), Error> {
    for (n, (kind, name, paths)) in side.peers().iter().enumerate() {
        out.sql(if n == 0 { "((" } else { ") OR (" });
        write(out, *kind, name, paths)?;
    }
    out.sql("))");
    Ok(())
}

fn is_called(name: &str, test: &Test) -> bool {
    let fold = Comparison {
        kind: schema::Kind::String,
        case_exact: false,
    };
    test.passes(fold, &Value::from(name))
}
