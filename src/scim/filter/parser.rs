//! From text to [`Filter`], by recursive descent with a bounded depth.

use super::lexer::{Token, What, number, tokens};
use super::{Filter, Literal, MAX_BYTES, MAX_COMPARISONS, MAX_DEPTH, Operator, Predicate};
use crate::scim::attribute_path::{AttributePath, is_name};
use crate::scim::error::{Error, Kind, Result, did_you_mean};
use crate::scim::profile::{Habit, Profile};

/// Reads a filter (RFC 7644 §3.4.2.2).
pub fn parse(text: &str) -> Result<Filter> {
    parse_as(text, Profile::Rfc)
}

/// Reads a filter as a client of this profile writes it.
pub fn parse_as(text: &str, profile: Profile) -> Result<Filter> {
    let mut parser = Parser::new(text, Kind::InvalidFilter, profile)?;
    let filter = parser.any()?;
    match parser.peek() {
        What::End => Ok(filter),
        other => {
            let found = other.describe();
            Err(parser.problem(format!("expected 'and', 'or' or the end, found {found}")))
        }
    }
}

/// Reads the path of a PATCH operation (RFC 7644 §3.5.2): `path`, `path[filter]` or `path[filter].sub`.
pub(crate) fn parse_value_path(
    text: &str,
    profile: Profile,
) -> Result<(AttributePath, Option<Filter>, Option<String>)> {
    let mut parser = Parser::new(text, Kind::InvalidPath, profile)?;
    let path = parser.path()?;
    let (filter, sub) = match parser.peek() {
        What::OpenBracket => {
            let filter = parser.bracket(&path)?;
            (Some(filter), parser.sub()?)
        }
        _ => (None, None),
    };
    match parser.peek() {
        What::End => Ok((path, filter, sub)),
        other => {
            let found = other.describe();
            Err(parser.problem(format!("expected the end of the path, found {found}")))
        }
    }
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
    comparisons: usize,
    in_bracket: bool,
    kind: Kind,
    /// Whether a literal may stand without quotes.
    bare: bool,
}

impl Parser {
    fn new(text: &str, kind: Kind, profile: Profile) -> Result<Self> {
        if text.len() > MAX_BYTES {
            return Err(Error::new(
                kind,
                format!("the text has {} bytes; {MAX_BYTES} are allowed", text.len()),
            ));
        }
        Ok(Self {
            tokens: tokens(text, kind)?,
            next: 0,
            depth: 0,
            comparisons: 0,
            in_bracket: false,
            kind,
            bare: profile.allows(Habit::BareLiterals),
        })
    }

    fn peek(&self) -> &What {
        self.tokens
            .get(self.next)
            .map_or(&What::End, |token| &token.what)
    }

    fn advance(&mut self) {
        self.next += 1;
    }

    fn problem(&self, text: impl std::fmt::Display) -> Error {
        let last = self.tokens.len().saturating_sub(1);
        let at = self
            .tokens
            .get(self.next.min(last))
            .map_or(1, |token| token.at);
        Error::new(self.kind, format!("at character {at}: {text}"))
    }

    /// Whether the next token is this word, whatever its case; if so it is taken.
    fn takes(&mut self, keyword: &str) -> bool {
        let found = matches!(self.peek(), What::Word(word) if word.eq_ignore_ascii_case(keyword));
        if found {
            self.advance();
        }
        found
    }

    fn deeper(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.problem(format!("groups nest deeper than {MAX_DEPTH} levels")));
        }
        Ok(())
    }

    fn any(&mut self) -> Result<Filter> {
        let mut terms = vec![self.all()?];
        while self.takes("or") {
            terms.push(self.all()?);
        }
        Ok(join(terms, Filter::Or))
    }

    fn all(&mut self) -> Result<Filter> {
        let mut terms = vec![self.term()?];
        while self.takes("and") {
            terms.push(self.term()?);
        }
        Ok(join(terms, Filter::And))
    }

    fn term(&mut self) -> Result<Filter> {
        if *self.peek() == What::Open {
            return self.group();
        }
        let is_not = matches!(self.peek(), What::Word(word) if word.eq_ignore_ascii_case("not"));
        if is_not {
            self.advance();
            if *self.peek() != What::Open {
                let found = self.peek().describe();
                return Err(self.problem(format!("expected '(' after 'not', found {found}")));
            }
            return Ok(Filter::Not(Box::new(self.group()?)));
        }
        let path = self.path()?;
        if *self.peek() != What::OpenBracket {
            let predicate = self.predicate(&path.to_string())?;
            return Ok(Filter::Compare { path, predicate });
        }
        if self.in_bracket {
            return Err(self.problem("a value filter cannot hold another one"));
        }
        let filter = Box::new(self.bracket(&path)?);
        let then = match self.sub()? {
            Some(sub) => {
                let predicate = self.predicate(&sub)?;
                Some((sub, predicate))
            }
            None => None,
        };
        Ok(Filter::ValuePath { path, filter, then })
    }

    fn group(&mut self) -> Result<Filter> {
        self.deeper()?;
        self.advance();
        let filter = self.any()?;
        if *self.peek() != What::Close {
            let found = self.peek().describe();
            return Err(self.problem(format!("expected 'and', 'or' or ')', found {found}")));
        }
        self.advance();
        self.depth -= 1;
        Ok(filter)
    }

    fn bracket(&mut self, path: &AttributePath) -> Result<Filter> {
        if path.sub.is_some() {
            return Err(self.problem(format!(
                "a value filter follows an attribute, not the sub-attribute '{path}'"
            )));
        }
        self.deeper()?;
        self.advance();
        self.in_bracket = true;
        let filter = self.any()?;
        self.in_bracket = false;
        if *self.peek() != What::CloseBracket {
            let found = self.peek().describe();
            return Err(self.problem(format!("expected 'and', 'or' or ']', found {found}")));
        }
        self.advance();
        self.depth -= 1;
        Ok(filter)
    }

    /// `.name` right after a bracket.
    fn sub(&mut self) -> Result<Option<String>> {
        let What::Word(word) = self.peek() else {
            return Ok(None);
        };
        let Some(name) = word.strip_prefix('.') else {
            return Ok(None);
        };
        if !is_name(name) {
            return Err(self.problem(format!("'{name}' is no sub-attribute's name")));
        }
        let name = name.to_owned();
        self.advance();
        Ok(Some(name))
    }

    fn path(&mut self) -> Result<AttributePath> {
        let What::Word(word) = self.peek() else {
            let found = self.peek().describe();
            return Err(self.problem(format!("expected an attribute, found {found}")));
        };
        let path =
            AttributePath::parse(word, self.kind).map_err(|error| self.problem(error.detail))?;
        self.advance();
        Ok(path)
    }

    fn predicate(&mut self, subject: &str) -> Result<Predicate> {
        self.comparisons += 1;
        if self.comparisons > MAX_COMPARISONS {
            return Err(self.problem(format!("more than {MAX_COMPARISONS} comparisons")));
        }
        if self.takes("pr") {
            return Ok(Predicate::Present);
        }
        let operator = Operator::ALL
            .into_iter()
            .find(|operator| self.takes(operator.keyword()));
        let Some(operator) = operator else {
            let found = self.peek().describe();
            let known = Operator::ALL.map(Operator::keyword);
            let nearest = match self.peek() {
                What::Word(word) => did_you_mean(word, known),
                _ => String::new(),
            };
            return Err(self.problem(format!(
                "expected an operator (pr, {}) after '{subject}', found {found}{nearest}",
                known.join(", ")
            )));
        };
        let literal = self.literal(operator)?;
        Ok(Predicate::Compare(operator, literal))
    }

    fn literal(&mut self, operator: Operator) -> Result<Literal> {
        let literal = match self.peek() {
            What::Text(text) => Literal::String(text.clone()),
            What::Word(word) => match word.as_str() {
                "true" if !self.bare => Literal::Boolean(true),
                "false" if !self.bare => Literal::Boolean(false),
                "null" => Literal::Null,
                other if self.bare && other.contains(char::is_control) => {
                    return Err(self.problem(
                        "a value without quotes cannot hold a control character".to_owned(),
                    ));
                }
                // A number may be meant as a text: what the attribute is decides later.
                other if self.bare => Literal::String(other.to_owned()),
                other => {
                    if let Some(number) = number(other) {
                        Literal::Number(number)
                    } else {
                        let problem =
                            format!("{other} is no value: write it in quotes, \"{other}\"");
                        return Err(self.problem(problem));
                    }
                }
            },
            other => {
                let (found, operator) = (other.describe(), operator.keyword());
                return Err(self.problem(format!(
                    "expected a value after '{operator}', found {found}"
                )));
            }
        };
        self.advance();
        Ok(literal)
    }
}

/// Several terms as one filter: a term of the same kind, given in parentheses, gives its own terms.
fn join(mut terms: Vec<Filter>, combine: fn(Vec<Filter>) -> Filter) -> Filter {
    if terms.len() == 1 {
        return terms.remove(0);
    }
    let kind = std::mem::discriminant(&combine(Vec::new()));
    let mut flat = Vec::with_capacity(terms.len());
    for term in terms {
        let same_kind = std::mem::discriminant(&term) == kind;
        match term {
            Filter::And(inner) | Filter::Or(inner) if same_kind => flat.extend(inner),
            other => flat.push(other),
        }
    }
    combine(flat)
}
