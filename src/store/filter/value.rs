//! One test of one value as SQL: an id, an instant, a text, a row of the attribute index.

use crate::domain::index::{self, LONGEST};
use crate::id::ResourceId;
use crate::scim;
use crate::scim::comparable::parse_date_time;
use crate::scim::filter::Test;
use crate::store::Error;
use crate::store::db::Dialect;
use crate::store::sql_nodes::Fragment;
use crate::store::sql_types::{key, micros};

/// The id in `column` as clients write it, in byte order.
pub(super) fn id_text(dialect: Dialect, column: &str) -> String {
    let (hex, order) = match dialect {
        Dialect::Sqlite => (format!("lower(hex({column}))"), ""),
        Dialect::Postgres => (format!("encode({column}, 'hex')"), " COLLATE \"C\""),
    };
    let part = |from: u8, length: u8| format!("substr({hex}, {from}, {length})");
    format!(
        "(({}||'-'||{}||'-'||{}||'-'||{}||'-'||{}){order})",
        part(1, 8),
        part(9, 4),
        part(13, 4),
        part(17, 4),
        part(21, 12)
    )
}

/// Whether the text in `column` has the form of our ids.
pub(super) fn is_id(dialect: Dialect, column: &str) -> String {
    let lengths = [8, 4, 4, 4, 12];
    match dialect {
        Dialect::Sqlite => {
            let parts = lengths.map(|length| "[0-9a-f]".repeat(length));
            format!("{column} GLOB '{}'", parts.join("-"))
        }
        Dialect::Postgres => {
            let parts = lengths.map(|length| format!("[0-9a-f]{{{length}}}"));
            format!("{column} ~ '^{}$'", parts.join("-"))
        }
    }
}

/// An id is one of ours or matches nothing; other operators compare it as text.
pub(in crate::store) fn id_test(out: &mut Fragment, dialect: Dialect, column: &str, test: &Test) {
    match test {
        Test::Present => {
            out.sql("1 = 1");
        }
        Test::Equal(needle) => match needle.parse::<ResourceId>() {
            Ok(id) => {
                out.sql(&format!("{column} = ")).bytes(key(id.0));
            }
            Err(_) => {
                out.sql("1 = 0");
            }
        },
        test => {
            let expression = id_text(dialect, column);
            text_test(out, dialect, test, |out| {
                out.sql(&expression);
            });
        }
    }
}

pub(in crate::store) fn instant_test(
    out: &mut Fragment,
    column: &str,
    test: &Test,
) -> Result<(), Error> {
    let (operator, needle) = match test {
        Test::Present => {
            out.sql("1 = 1");
            return Ok(());
        }
        Test::Equal(needle) => ("=", needle),
        Test::Greater(needle) => (">", needle),
        Test::GreaterOrEqual(needle) => (">=", needle),
        Test::Less(needle) => ("<", needle),
        Test::LessOrEqual(needle) => ("<=", needle),
        Test::Contains(needle) | Test::StartsWith(needle) | Test::EndsWith(needle) => {
            return Err(Error::Filter(scim::Error::invalid_filter(format!(
                "'{needle}' is part of no instant"
            ))));
        }
    };
    let at = parse_date_time(needle).map(micros);
    out.sql(&format!("{column} {operator} "))
        .number(at.unwrap_or(i64::MAX));
    Ok(())
}

/// A test of a text that an expression gives.
pub(in crate::store) fn text_test(
    out: &mut Fragment,
    dialect: Dialect,
    test: &Test,
    expression: impl Fn(&mut Fragment),
) {
    let (before, operator, needle) = match test {
        Test::Present => {
            out.sql("1 = 1");
            return;
        }
        Test::Contains(needle) => {
            out.sql(if dialect == Dialect::Sqlite {
                "instr("
            } else {
                "strpos("
            });
            expression(out);
            out.sql(", ").text(needle).sql(") > 0");
            return;
        }
        Test::StartsWith(needle) => (
            format!("substr(%, 1, {})", needle.chars().count()),
            "=",
            needle,
        ),
        Test::EndsWith(needle) => (ending(dialect, needle), "=", needle),
        Test::Equal(needle) => ("%".into(), "=", needle),
        Test::Greater(needle) => ("%".into(), ">", needle),
        Test::GreaterOrEqual(needle) => ("%".into(), ">=", needle),
        Test::Less(needle) => ("%".into(), "<", needle),
        Test::LessOrEqual(needle) => ("%".into(), "<=", needle),
    };
    let (head, tail) = before.split_once('%').unwrap_or((&before, ""));
    out.sql(head);
    expression(out);
    out.sql(tail).sql(&format!(" {operator} ")).text(needle);
}

/// The last characters of `%`, as many as the needle has.
fn ending(dialect: Dialect, needle: &str) -> String {
    let length = needle.chars().count();
    match dialect {
        // substr(x, 0) would be all of x.
        Dialect::Sqlite if length == 0 => "substr(%, 1, 0)".into(),
        Dialect::Sqlite => format!("substr(%, -{length})"),
        Dialect::Postgres => format!("right(%, {length})"),
    }
}

/// `AND …`: the row's value passes. What can be decided on the indexed value alone bounds the range; a text longer than
/// the index keeps is compared whole.
pub(super) fn value_test(out: &mut Fragment, dialect: Dialect, row: &str, test: &Test) {
    let value = format!("{row}.value");
    let whole = format!("coalesce({row}.whole, {row}.value)");
    let bound = |out: &mut Fragment, operator: &str, needle: &str| {
        out.sql(&format!(" AND {value} {operator} ")).text(needle);
    };
    match test {
        Test::Present => {}
        Test::Equal(needle) => {
            out.sql(&format!(" AND {value} = "))
                .text(index::key(needle));
        }
        Test::StartsWith(needle) => {
            let start = index::prefix(needle);
            bound(out, ">=", start);
            if let Some(next) = successor(start) {
                out.sql(&format!(" AND {value} < ")).text(next);
            }
            if needle.len() > LONGEST {
                out.sql(" AND ");
                text_test(out, dialect, test, |out| {
                    out.sql(&whole);
                });
            }
        }
        Test::Contains(_) | Test::EndsWith(_) => {
            out.sql(" AND ");
            text_test(out, dialect, test, |out| {
                out.sql(&whole);
            });
        }
        Test::Greater(needle) | Test::GreaterOrEqual(needle) => {
            bound(out, ">=", index::shared(needle));
            out.sql(" AND ");
            text_test(out, dialect, test, |out| {
                out.sql(&whole);
            });
        }
        Test::Less(needle) | Test::LessOrEqual(needle) => {
            if needle.len() <= LONGEST {
                bound(out, "<=", needle);
            }
            out.sql(" AND ");
            text_test(out, dialect, test, |out| {
                out.sql(&whole);
            });
        }
    }
}

/// The first text after all that begin with `start`.
pub(in crate::store) fn successor(start: &str) -> Option<String> {
    let mut head: Vec<char> = start.chars().collect();
    while let Some(last) = head.pop() {
        // The code points between U+D7FF and U+E000 are no characters.
        let next = if last == '\u{d7ff}' {
            Some('\u{e000}')
        } else {
            char::from_u32(u32::from(last) + 1)
        };
        if let Some(next) = next {
            head.push(next);
            return Some(head.into_iter().collect());
        }
    }
    None
}
