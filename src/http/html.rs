//! What every page needs.

/// A text within HTML, between tags or quotes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn nothing_that_html_knows_is_left() {
        assert_eq!(
            escape("<a href=\"x\" b='y'>Ø & co</a>"),
            "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;Ø &amp; co&lt;/a&gt;"
        );
    }
}
