//! CSV (RFC 4180) whose mistakes have a line. A parser that reads on to the end of the file after an open quotation mark
//! would lose everything behind it: here the one line is rejected, and reading goes on after it.

use std::io;

use super::lines::{Line, Lines};
use super::{MAX_ROW, Read1, unreadable};
use crate::domain::mapping::{Fault, Row};

/// Over how many lines one row may go.
const MAX_SPAN: usize = 100;

/// A table in text.
pub(super) struct Table {
    lines: Lines,
    /// The names in its first line.
    pub(super) columns: Vec<String>,
    marks: (char, char),
}

/// Why a text is no row of cells.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// The quotation mark of this column, from 1, is not closed.
    Open(usize),
    /// Something stands between the closing quotation mark of this column and the delimiter.
    After(usize),
}

impl Table {
    pub(super) fn new(lines: Lines, marks: (char, char)) -> io::Result<Self> {
        let mut table = Self {
            lines,
            columns: Vec::new(),
            marks,
        };
        let wrong = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
        match table.next_row()? {
            None => {}
            Some((_, Ok(Row::Cells(cells)))) => {
                let names = cells.iter().map(|name| name.trim().to_owned());
                table.columns = names.collect();
            }
            Some((line, Err(fault))) => {
                return Err(wrong(format!(
                    "line {line} should name the columns: {}",
                    fault.reason
                )));
            }
            Some((line, Ok(Row::Object(_)))) => {
                return Err(wrong(format!("line {line} is no row of cells")));
            }
        }
        Ok(table)
    }

    pub(super) fn read_bytes(&self) -> u64 {
        self.lines.read_bytes
    }

    /// The next row; a line that is none costs itself alone.
    pub(super) fn next_row(&mut self) -> io::Result<Option<Read1>> {
        let first = loop {
            match self.lines.next_line()? {
                None => return Ok(None),
                Some(line) if line.bytes.trim_ascii().is_empty() => {}
                Some(line) => break line,
            }
        };
        let number = first.number;
        if first.too_long {
            return Ok(Some((
                number,
                unreadable(format!("the line has more than {MAX_ROW} bytes")),
            )));
        }
        let mut text = first.bytes;
        let mut others: Vec<Line> = Vec::new();
        let cells = loop {
            let Ok(row) = std::str::from_utf8(&text) else {
                let reason = "the line is not UTF-8: save the file as UTF-8";
                self.lines.put_back(others);
                return Ok(Some((number, unreadable(reason))));
            };
            match split(row.trim_end_matches(['\r', '\n']), self.marks) {
                Ok(cells) => break Ok(cells),
                Err(Wrong::Open(column)) if others.len() + 1 < MAX_SPAN && text.len() < MAX_ROW => {
                    match self.lines.next_line()? {
                        Some(line) if !line.too_long => {
                            text.extend_from_slice(&line.bytes);
                            others.push(line);
                        }
                        line => {
                            others.extend(line);
                            break Err(Wrong::Open(column));
                        }
                    }
                }
                // A mark in a later line does not close that of an earlier one if text follows: it opens a cell there.
                Err(Wrong::After(column)) if !others.is_empty() => break Err(Wrong::Open(column)),
                Err(wrong) => break Err(wrong),
            }
        };
        let row = self.row(cells, others.len());
        // Lines that were read to find an end and are no part of a row are read again.
        if row.is_err() {
            self.lines.put_back(others);
        }
        Ok(Some((number, row)))
    }

    /// Cells as a row, if there are as many as columns.
    fn row(&self, cells: Result<Vec<String>, Wrong>, others: usize) -> Result<Row, Fault> {
        let width = self.columns.len();
        match cells {
            Ok(cells) if width == 0 || cells.len() == width => Ok(Row::Cells(cells)),
            Ok(cells) => {
                let hint = if others == 0 {
                    ""
                } else {
                    "; is a quotation mark left open?"
                };
                unreadable(format!(
                    "the row has {} cells, and there are {width} columns{hint}",
                    cells.len()
                ))
            }
            Err(Wrong::Open(column)) => unreadable(format!(
                "the quotation mark that opens cell {column} is not closed"
            )),
            Err(Wrong::After(column)) => unreadable(format!(
                "cell {column} goes on after its closing quotation mark: a mark within is doubled"
            )),
        }
    }
}

/// The cells of a row. A quotation mark in the middle of an unquoted cell is a character like others.
pub(super) fn split(row: &str, (delimiter, quote): (char, char)) -> Result<Vec<String>, Wrong> {
    let mut cells = Vec::new();
    let mut rest = row;
    loop {
        let Some(quoted) = rest.strip_prefix(quote) else {
            let Some((cell, after)) = rest.split_once(delimiter) else {
                cells.push(rest.to_owned());
                return Ok(cells);
            };
            cells.push(cell.to_owned());
            rest = after;
            continue;
        };
        let column = cells.len() + 1;
        let mut cell = String::new();
        rest = quoted;
        loop {
            let (part, after) = rest.split_once(quote).ok_or(Wrong::Open(column))?;
            cell.push_str(part);
            let Some(doubled) = after.strip_prefix(quote) else {
                rest = after;
                break;
            };
            cell.push(quote);
            rest = doubled;
        }
        cells.push(cell);
        if rest.is_empty() {
            return Ok(cells);
        }
        rest = rest.strip_prefix(delimiter).ok_or(Wrong::After(column))?;
    }
}
