//! YAML 1.2 as a tree whose every node knows its place. Bounded in size, depth and aliases; a key may stand only once.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError};

use super::finding::{Findings, Placed, Position};

/// How large a file may be, in bytes.
pub const MAX_BYTES: usize = 1024 * 1024;
/// How deep lists and mappings may nest.
pub const MAX_DEPTH: usize = 32;
/// How many values a file may come to once its aliases are written out.
pub const MAX_NODES: usize = 100_000;

/// What a file is called in what is told of it, and the least that it must say.
#[derive(Clone, Copy, Debug)]
pub(in crate::domain) struct Wording {
    /// `policy`, `mapping`.
    pub(in crate::domain) file: &'static str,
    /// A line of it.
    pub(in crate::domain) least: &'static str,
}

/// A value and where it begins.
#[derive(Clone, Debug)]
pub(in crate::domain) struct Node {
    pub(in crate::domain) at: Position,
    pub(in crate::domain) content: Content,
    /// How many nodes it comes to, itself among them.
    size: usize,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(in crate::domain) enum Content {
    Null,
    Scalar { text: String, plain: bool },
    List(Vec<Rc<Node>>),
    Mapping(Vec<(Placed<String>, Rc<Node>)>),
}

impl Node {
    /// What it is, in words.
    pub(in crate::domain) fn kind(&self) -> &'static str {
        match self.content {
            Content::Null => "nothing",
            Content::Scalar { .. } => "a single value",
            Content::List(_) => "a list",
            Content::Mapping(_) => "a mapping",
        }
    }

    /// Whether the other says the same, wherever it stands and in whichever order its keys come.
    pub(in crate::domain) fn says_the_same(&self, other: &Self) -> bool {
        match (&self.content, &other.content) {
            (Content::Null, Content::Null) => true,
            (
                Content::Scalar { text, plain },
                Content::Scalar {
                    text: theirs,
                    plain: so,
                },
            ) => text == theirs && plain == so,
            (Content::List(mine), Content::List(theirs)) => {
                let pairs = || mine.iter().zip(theirs);
                mine.len() == theirs.len() && pairs().all(|(one, that)| one.says_the_same(that))
            }
            (Content::Mapping(mine), Content::Mapping(theirs)) => {
                mine.len() == theirs.len()
                    && mine.iter().all(|(name, value)| {
                        let mut theirs = theirs.iter();
                        theirs.any(|(same, that)| {
                            same.value == name.value && value.says_the_same(that)
                        })
                    })
            }
            _ => false,
        }
    }
}

/// Reads the bytes of a file, which must hold one document. What is wrong is added to `findings`; without a tree the
/// file could not be read to its end.
pub(in crate::domain) fn read(
    bytes: &[u8],
    wording: Wording,
    findings: &mut Findings,
) -> Option<Rc<Node>> {
    let start = Position { line: 1, column: 1 };
    if bytes.len() > MAX_BYTES {
        let reason = format!(
            "the file is larger than {MAX_BYTES} bytes, which is the most that a {} may have",
            wording.file
        );
        findings.error(start, reason);
        return None;
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let at = end_of(&bytes[..error.valid_up_to()]);
            findings.error(at, "this byte is not UTF-8: save the file as UTF-8");
            return None;
        }
    };
    match Builder::new(wording, findings).build(text) {
        Ok(Some(node)) => Some(node),
        Ok(None) => {
            let Wording { file, least } = wording;
            let reason = format!("the {file} is empty: write at least '{least}'");
            findings.error(start, reason);
            None
        }
        Err(stop) => {
            findings.error(stop.at, stop.value);
            None
        }
    }
}

/// The place after the last of these bytes.
fn end_of(bytes: &[u8]) -> Position {
    let text = String::from_utf8_lossy(bytes);
    let last = text.rsplit('\n').next().unwrap_or_default();
    Position {
        line: text.matches('\n').count() + 1,
        column: last.chars().count() + 1,
    }
}

fn position(mark: &Marker) -> Position {
    Position {
        line: mark.line().max(1),
        column: mark.col() + 1,
    }
}

/// Why reading ends before the file does.
type Stop = Placed<String>;

fn stop<T>(at: Position, reason: impl Into<String>) -> Result<T, Stop> {
    let value = reason.into();
    Err(Stop { at, value })
}

/// A list or mapping that is still open.
struct Open {
    at: Position,
    anchor: usize,
    items: Vec<Rc<Node>>,
    /// Whether the items are keys and values in turn.
    mapping: bool,
}

/// Builds the tree from the parser's events, without recursion.
struct Builder<'f> {
    wording: Wording,
    findings: &'f mut Findings,
    open: Vec<Open>,
    anchors: HashMap<usize, Rc<Node>>,
    nodes: usize,
    root: Option<Rc<Node>>,
}

impl<'f> Builder<'f> {
    fn new(wording: Wording, findings: &'f mut Findings) -> Self {
        Self {
            wording,
            findings,
            open: Vec::new(),
            anchors: HashMap::new(),
            nodes: 0,
            root: None,
        }
    }

    fn build(mut self, text: &str) -> Result<Option<Rc<Node>>, Stop> {
        for next in Parser::new_from_str(text) {
            let (event, span) = next.map_err(|error| told(&error))?;
            self.take(event, position(&span.start))?;
        }
        Ok(self.root)
    }

    fn take(&mut self, event: Event<'_>, at: Position) -> Result<(), Stop> {
        match event {
            Event::DocumentStart(_) if self.root.is_some() => {
                let file = self.wording.file;
                stop(
                    at,
                    format!("a second document begins here: a {file} is one document"),
                )
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.untagged(at, tag.is_some());
                let plain = style == ScalarStyle::Plain;
                let content = match &*text {
                    "" | "~" | "null" if plain => Content::Null,
                    _ => Content::Scalar {
                        text: text.into_owned(),
                        plain,
                    },
                };
                let size = 1;
                self.add(Node { at, content, size }, anchor)
            }
            Event::SequenceStart(anchor, tag) => self.descend(at, anchor, tag.is_some(), false),
            Event::MappingStart(anchor, tag) => self.descend(at, anchor, tag.is_some(), true),
            Event::SequenceEnd | Event::MappingEnd => self.ascend(),
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).map(Rc::clone) else {
                    let file = self.wording.file;
                    return stop(
                        at,
                        format!("the alias stands inside what it repeats: a {file} has no cycles"),
                    );
                };
                self.count(node.size, at)?;
                self.put(node);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn untagged(&mut self, at: Position, tagged: bool) {
        if tagged {
            let file = self.wording.file;
            self.findings.error(
                at,
                format!("a {file} has no tags: leave out the word with '!'"),
            );
        }
    }

    fn count(&mut self, nodes: usize, at: Position) -> Result<(), Stop> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MAX_NODES {
            let reason = format!(
                "with its aliases written out the {} has more than {MAX_NODES} values",
                self.wording.file
            );
            return stop(at, reason);
        }
        Ok(())
    }

    fn descend(
        &mut self,
        at: Position,
        anchor: usize,
        tagged: bool,
        mapping: bool,
    ) -> Result<(), Stop> {
        self.untagged(at, tagged);
        if self.open.len() == MAX_DEPTH {
            return stop(
                at,
                format!("lists and mappings nest deeper than {MAX_DEPTH} levels"),
            );
        }
        let items = Vec::new();
        self.open.push(Open {
            at,
            anchor,
            items,
            mapping,
        });
        Ok(())
    }

    fn ascend(&mut self) -> Result<(), Stop> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let size = open.items.iter().map(|item| item.size).sum::<usize>() + 1;
        let content = if open.mapping {
            Content::Mapping(self.pairs(&open.items))
        } else {
            Content::List(open.items)
        };
        let at = open.at;
        self.add(Node { at, content, size }, open.anchor)
    }

    /// Keys and values in turn become pairs; a key that is no name or stands a second time is left out.
    fn pairs(&mut self, items: &[Rc<Node>]) -> Vec<(Placed<String>, Rc<Node>)> {
        let mut seen = HashSet::new();
        let mut pairs = Vec::new();
        for pair in items.chunks_exact(2) {
            let at = pair[0].at;
            let Content::Scalar { text, .. } = &pair[0].content else {
                self.findings
                    .error(at, format!("a key must be a name, not {}", pair[0].kind()));
                continue;
            };
            if seen.insert(text) {
                let value = text.clone();
                pairs.push((Placed { at, value }, Rc::clone(&pair[1])));
            } else {
                self.findings
                    .error(at, format!("the key '{text}' stands here a second time"));
            }
        }
        pairs
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Stop> {
        self.count(1, node.at)?;
        let node = Rc::new(node);
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        self.put(node);
        Ok(())
    }

    fn put(&mut self, node: Rc<Node>) {
        match self.open.last_mut() {
            Some(open) => open.items.push(node),
            None => self.root = Some(node),
        }
    }
}

/// The parser's complaint, with a hint for the slip that its words do not name.
fn told(error: &ScanError) -> Stop {
    let info = error.info();
    let hint = if info.contains("tab") {
        "; indent with spaces"
    } else {
        ""
    };
    Stop {
        at: position(error.marker()),
        value: format!("no valid YAML: {info}{hint}"),
    }
}
