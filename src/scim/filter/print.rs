//! From [`Filter`] back to text; parsing that text gives the same filter.

use std::fmt::{self, Display, Formatter, Result};

use super::{Filter, Literal, Predicate};

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::And(terms) => join(f, terms, " and "),
            Self::Or(terms) => join(f, terms, " or "),
            Self::Not(inner) => write!(f, "not ({inner})"),
            Self::Compare { path, predicate } => write!(f, "{path} {predicate}"),
            Self::ValuePath { path, filter, then } => {
                write!(f, "{path}[{filter}]")?;
                match then {
                    Some((sub, predicate)) => write!(f, ".{sub} {predicate}"),
                    None => Ok(()),
                }
            }
        }
    }
}

fn join(f: &mut Formatter<'_>, terms: &[Filter], word: &str) -> Result {
    for (index, term) in terms.iter().enumerate() {
        if index > 0 {
            f.write_str(word)?;
        }
        match term {
            // `and` binds tighter than `or`, so only an `or` within an `and` needs them; on both for the eye.
            Filter::And(_) | Filter::Or(_) => write!(f, "({term})")?,
            _ => write!(f, "{term}")?,
        }
    }
    Ok(())
}

impl Display for Predicate {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Present => f.write_str("pr"),
            Self::Compare(operator, literal) => write!(f, "{} {literal}", operator.keyword()),
        }
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_value())
    }
}
