//! Reads Rust source as tokens, and finds the imports and the test items among them. A scan, not a parser: it knows
//! just enough of the language to be right about comments, literals, groups of paths and nested modules.

/// A word or a sign of Rust source, with its line; comments, strings and character literals are gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub line: usize,
    pub text: String,
}

/// Cuts Rust source into tokens; `::` is one token, every other sign is one of its own.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let text: Vec<char> = source.chars().collect();
    let (mut found, mut at, mut line) = (Vec::new(), 0, 1);
    while at < text.len() {
        let end = skip(&text, at);
        if end > at {
            line += text[at..end].iter().filter(|c| **c == '\n').count();
            at = end;
            continue;
        }
        let length = if is_word(text[at]) {
            text[at..].iter().take_while(|c| is_word(**c)).count()
        } else if text[at..].starts_with(&[':', ':']) {
            2
        } else {
            1
        };
        found.push(Token {
            line,
            text: text[at..at + length].iter().collect(),
        });
        at += length;
    }
    found
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The end of the blank, comment or literal that starts at `at`; `at` itself where none does.
fn skip(text: &[char], at: usize) -> usize {
    let rest = &text[at..];
    if rest[0].is_whitespace() {
        return at + 1;
    }
    if rest.starts_with(&['/', '/']) {
        return at + rest.iter().take_while(|c| **c != '\n').count();
    }
    if rest.starts_with(&['/', '*']) {
        return at + block_comment(rest);
    }
    if rest[0] == '"' {
        return at + quoted(rest, '"');
    }
    // 'x' and '\n' are characters, 'a alone is a lifetime.
    if rest[0] == '\'' && (rest.get(1) == Some(&'\\') || rest.get(2) == Some(&'\'')) {
        return at + quoted(rest, '\'');
    }
    if at == 0 || !is_word(text[at - 1]) {
        let prefix = rest
            .iter()
            .take_while(|c| matches!(c, 'b' | 'c' | 'r'))
            .count();
        let hashes = rest[prefix..].iter().take_while(|c| **c == '#').count();
        if prefix > 0 && rest.get(prefix + hashes) == Some(&'"') {
            let literal = &rest[prefix + hashes..];
            let raw = rest[..prefix].contains(&'r');
            return at
                + prefix
                + hashes
                + if raw {
                    raw_quoted(literal, hashes)
                } else {
                    quoted(literal, '"')
                };
        }
    }
    at
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with(&['/', '*']) {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(&['*', '/']) {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at
}

fn quoted(rest: &[char], mark: char) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != mark {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

fn raw_quoted(rest: &[char], hashes: usize) -> usize {
    let mut at = 1;
    while at < rest.len() {
        if rest[at] == '"' && rest[at + 1..].iter().take_while(|c| **c == '#').count() >= hashes {
            return at + 1 + hashes;
        }
        at += 1;
    }
    rest.len()
}

/// The top-level modules that paths lead to, with their lines: `crate::store`, `crate::{id, scim::Error}`, and
/// `super::super::store` from a module `depth` below the root.
pub(crate) fn arrows(tokens: &[Token], depth: usize) -> Vec<(usize, String)> {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let mut found = Vec::new();
    let mut braces: Vec<bool> = Vec::new();
    for at in 0..tokens.len() {
        match text(at) {
            "{" => braces.push(at >= 2 && text(at - 2) == "mod"),
            "}" => drop(braces.pop()),
            "crate" if text(at + 1) == "::" => found.extend(heads(tokens, at + 2)),
            "super" if at == 0 || text(at - 1) != "::" || text(at.saturating_sub(2)) == "self" => {
                let inline = braces.iter().filter(|is_module| **is_module).count();
                let supers = (0..tokens.len())
                    .take_while(|n| text(at + 2 * n) == "super" && text(at + 2 * n + 1) == "::")
                    .count();
                if supers > 0 && supers == depth + inline {
                    found.extend(heads(tokens, at + 2 * supers));
                }
            }
            _ => {}
        }
    }
    found
}

/// The first names of the path, or of the group of paths, that starts at `at`.
fn heads(tokens: &[Token], at: usize) -> Vec<(usize, String)> {
    let Some(first) = tokens.get(at) else {
        return Vec::new();
    };
    if first.text != "{" {
        return vec![(first.line, first.text.clone())];
    }
    let (mut depth, mut found, mut fresh) = (0_usize, Vec::new(), false);
    for token in &tokens[at..] {
        match token.text.as_str() {
            "{" => {
                depth += 1;
                fresh = depth == 1;
            }
            "}" if depth == 1 => break,
            "}" => depth -= 1,
            "," => fresh = depth == 1,
            name if fresh => {
                found.push((token.line, name.to_owned()));
                fresh = false;
            }
            _ => {}
        }
    }
    found
}

/// For each token, whether it stands in an item marked `#[cfg(test)]`.
pub(crate) fn test_items(tokens: &[Token]) -> Vec<bool> {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut marked = vec![false; tokens.len()];
    for at in 0..tokens.len() {
        if !tokens[at..]
            .iter()
            .map(|token| token.text.as_str())
            .take(MARK.len())
            .eq(MARK)
        {
            continue;
        }
        let mut depth = 0_usize;
        for (offset, token) in tokens[at + MARK.len()..].iter().enumerate() {
            marked[at + MARK.len() + offset] = true;
            match token.text.as_str() {
                "{" => depth += 1,
                "}" if depth <= 1 => break,
                "}" => depth -= 1,
                ";" if depth == 0 => break,
                _ => {}
            }
        }
    }
    marked
}
