//! JSON Lines, or the elements of one array, each read by itself.

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
}

impl Objects {
    pub(super) fn new(mut lines: Lines) -> io::Result<Self> {
        let is_array = lines.peek()? == Some(b'[');
        if is_array {
            lines.byte()?;
        }
        Ok(Self { lines, is_array })
    }

    pub(super) fn read_bytes(&self) -> u64 {
        self.lines.read_bytes
    }

    /// The next object, or why what stands there is none.
    pub(super) fn next_row(&mut self) -> io::Result<Option<Read1>> {
        if self.is_array {
            return self.next_element();
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
