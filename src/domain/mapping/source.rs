//! Where a value comes from: a column of CSV by its name, or a path through JSON.
//!
//! ```text
//! path = step *( "." step )        step = name *( "[" ( index / "*" ) "]" )
//! ```
//! `[*]` takes every element; it may stand once.

use serde_json::Value;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The column of that name.
    Column(String),
    /// The path as written, and its steps.
    Path(String, Vec<Step>),
}

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
    Each,
}

impl Source {
    /// A path through JSON, or why it is none.
    pub(super) fn path(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("'{text}' is no path: write it as name.part, list[0].part or list[*].part");
        let mut steps = Vec::new();
        for part in text.split('.') {
            let (name, mut rest) = part.split_at(part.find('[').unwrap_or(part.len()));
            if name.is_empty() {
                return Err(wrong());
            }
            steps.push(Step::Key(name.to_owned()));
            while let Some((inner, after)) = rest
                .strip_prefix('[')
                .and_then(|inner| inner.split_once(']'))
            {
                steps.push(match inner {
                    "*" => Step::Each,
                    index => Step::Index(index.parse().map_err(|_| wrong())?),
                });
                rest = after;
            }
            if !rest.is_empty() {
                return Err(wrong());
            }
        }
        if steps.iter().filter(|step| **step == Step::Each).count() > 1 {
            return Err(format!("'{text}' repeats twice: '[*]' may stand once"));
        }
        Ok(Self::Path(text.to_owned(), steps))
    }

    /// Whether it takes every element of a list.
    pub(super) fn repeats(&self) -> bool {
        matches!(self, Self::Path(_, steps) if steps.contains(&Step::Each))
    }

    /// As it is written.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Column(name) | Self::Path(name, _) => name,
        }
    }
}

/// What stands at the end of the steps: one place, or as many as `[*]` has elements, of which some may be empty.
pub(super) fn walk<'v>(value: &'v Value, steps: &[Step]) -> Vec<Option<&'v Value>> {
    let mut at = Some(value);
    for (n, step) in steps.iter().enumerate() {
        at = match step {
            Step::Key(name) => at.and_then(|value| value.get(name)),
            Step::Index(index) => at.and_then(|value| value.get(index)),
            Step::Each => {
                let elements = at.and_then(Value::as_array).into_iter().flatten();
                let rest = &steps[n + 1..];
                return elements.flat_map(|element| walk(element, rest)).collect();
            }
        };
    }
    vec![at]
}
