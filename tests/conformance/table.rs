//! Reading the clause tables: markdown rows of clause, level, statement and case.

/// One row.
#[derive(Debug)]
pub(crate) struct Row {
    /// Where it is in the file, from 1.
    pub(crate) line: usize,
    pub(crate) clause: String,
    pub(crate) level: String,
    pub(crate) statement: String,
    pub(crate) citations: Vec<Citation>,
}

/// What shows a statement, or why nothing does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Citation {
    /// All cases of a file.
    File(String),
    /// One case of a file.
    Case(String, String),
    /// A test function in a Rust file.
    Test(String, String),
    /// A check of scim2-tester.
    Check(String),
    /// Why there is no case, or why the case shows something else.
    Reason(String),
    /// Something that is none of these.
    Unknown(String),
}

const HEADER: &str = "| clause | level | statement | case |";

/// The rows of all clause tables in a text.
pub(crate) fn rows(text: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut within = false;
    for (at, line) in text.lines().enumerate() {
        within = line == HEADER || (within && line.starts_with('|'));
        if !within || line == HEADER || line.starts_with("|---") {
            continue;
        }
        let inner = line.trim().trim_matches('|');
        let cells: Vec<&str> = inner.splitn(4, '|').map(str::trim).collect();
        let cell = |at: usize| cells.get(at).copied().unwrap_or_default().to_owned();
        rows.push(Row {
            line: at + 1,
            clause: cell(0),
            level: cell(1),
            statement: cell(2),
            citations: citations(&cell(3)),
        });
    }
    rows
}

fn citations(cell: &str) -> Vec<Citation> {
    cell.split("; ")
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(citation)
        .collect()
}

fn citation(part: &str) -> Citation {
    for reason in ["departs: ", "n/a: "] {
        if let Some(why) = part.strip_prefix(reason) {
            return Citation::Reason(why.to_owned());
        }
    }
    if let Some(check) = part.strip_prefix("t:") {
        return Citation::Check(check.to_owned());
    }
    match part.split_once(' ') {
        Some((file, function)) if file.rsplit('.').next() == Some("rs") => {
            Citation::Test(file.to_owned(), function.to_owned())
        }
        Some((file, name)) => match name.strip_prefix('"').and_then(|n| n.strip_suffix('"')) {
            Some(name) => Citation::Case(file.to_owned(), name.to_owned()),
            None => Citation::Unknown(part.to_owned()),
        },
        None => Citation::File(part.to_owned()),
    }
}
