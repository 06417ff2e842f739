//! JSON Lines, the elements of one array, or the operations of a SCIM bulk request, each read by itself.

use std::io;

use serde_json::Value;

use super::lines::Lines;
use super::{MAX_ROW, Read1, unreadable};
use crate::domain::mapping::{Fault, Row};
use crate::scim::json;

/// The objects of a file.
pub(super) struct Objects {
    lines: Lines,
    is_array: bool,
    /// Whether what follows the array is the rest of a bulk request.
    is_bulk: bool,
    /// Why there is none at all.
    missing: Option<&'static str>,
}

impl Objects {
    pub(super) fn new(mut lines: Lines) -> io::Result<Self> {
        let is_array = lines.peek()? == Some(b'[');
        if is_array {
            lines.byte()?;
        }
        Ok(Self {
            lines,
            is_array,
            is_bulk: false,
            missing: None,
        })
    }

    /// The operations of a bulk request (RFC 7644 §3.7), or of an array of them.
    pub(super) fn of_bulk(mut lines: Lines) -> io::Result<Self> {
        let is_there = lines.peek()?.is_none() || to_operations(&mut lines)?;
        Ok(Self {
            lines,
            is_array: is_there,
            is_bulk: true,
            missing: (!is_there)
                .then_some("the file is no SCIM bulk request: it has no 'Operations'"),
        })
    }

    pub(super) fn read_bytes(&self) -> u64 {
        self.lines.read_bytes
    }

    /// The next object, or why what stands there is none.
    pub(super) fn next_row(&mut self) -> io::Result<Option<Read1>> {
        if let Some(reason) = self.missing.take() {
            return Ok(Some((1, unreadable(reason))));
        }
        if self.is_array {
            return self.next_element();
        }
        if self.is_bulk {
            return Ok(None);
        }
        loop {
            let Some(line) = self.lines.next_line()? else {
                return Ok(None);
            };
            if line.too_long {
                return Ok(Some((line.number, too_long())));
            }
            if !line.bytes.trim_ascii().is_empty() {
                return Ok(Some((line.number, object(&line.bytes))));
            }
        }
    }

    /// The text up to the next comma or bracket at the array's own depth.
    fn next_element(&mut self) -> io::Result<Option<Read1>> {
        if self.lines.peek()?.is_none() {
            return Ok(None);
        }
        let number = self.lines.current();
        let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
        let mut bytes = Vec::new();
        let mut is_long = false;
        loop {
            let Some(byte) = self.lines.byte()? else {
                let reason = "the file ends within this element: it was cut off";
                self.is_array = false;
                return Ok(Some((number, unreadable(reason))));
            };
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                _ if quoted => {}
                b'{' | b'[' => depth += 1,
                b',' if depth == 0 => break,
                b']' if depth == 0 => {
                    self.is_array = false;
                    if bytes.trim_ascii().is_empty() {
                        return Ok(None);
                    }
                    break;
                }
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            is_long |= bytes.len() >= MAX_ROW;
            if !is_long {
                bytes.push(byte);
            }
        }
        let row = if is_long { too_long() } else { object(&bytes) };
        Ok(Some((number, row)))
    }
}

/// Reads up to the first of the operations; whether there is such a place.
fn to_operations(lines: &mut Lines) -> io::Result<bool> {
    const NAME: &[u8] = b"Operations";
    let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
    let (mut text, mut name) = (Vec::new(), Vec::new());
    while let Some(byte) = lines.byte()? {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => {
                quoted = !quoted;
                if quoted {
                    text.clear();
                }
            }
            _ if quoted && text.len() <= NAME.len() => text.push(byte),
            _ if quoted => {}
            b':' if depth == 1 => name.clone_from(&text),
            b'[' if depth == 0 || depth == 1 && name.eq_ignore_ascii_case(NAME) => return Ok(true),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' if depth == 1 => name.clear(),
            _ => {}
        }
    }
    Ok(false)
}

fn too_long() -> Result<Row, Fault> {
    unreadable(format!("the object has more than {MAX_ROW} bytes"))
}

fn object(bytes: &[u8]) -> Result<Row, Fault> {
    match json::parse(bytes) {
        Ok(object @ Value::Object(_)) => Ok(Row::Object(object)),
        Ok(_) => unreadable("this is no JSON object"),
        Err(error) => unreadable(error.detail.replace("the body", "the row")),
    }
}
