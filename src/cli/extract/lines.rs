//! Lines of a file, each with its number; a line that was read may be put back.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use super::MAX_ROW;

/// One line with its end.
pub(super) struct Line {
    /// Its number, from 1.
    pub(super) number: u64,
    /// Its bytes; of one that is too long only the first.
    pub(super) bytes: Vec<u8>,
    /// Whether it is longer than a row may be.
    pub(super) too_long: bool,
}

/// The lines of a file, without its byte-order mark.
pub(super) struct Lines {
    reader: BufReader<File>,
    waiting: VecDeque<Line>,
    number: u64,
    pub(super) read_bytes: u64,
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl Lines {
    pub(super) fn new(mut reader: BufReader<File>) -> io::Result<Self> {
        if reader.fill_buf()?.starts_with(BYTE_ORDER_MARK) {
            reader.consume(BYTE_ORDER_MARK.len());
        }
        Ok(Self {
            reader,
            waiting: VecDeque::new(),
            number: 0,
            read_bytes: 0,
        })
    }

    /// The next byte that is no white space, left where it is; and how many lines end before it.
    pub(super) fn peek(&mut self) -> io::Result<Option<u8>> {
        loop {
            let buffer = self.reader.fill_buf()?;
            let Some(first) = buffer.first().copied() else {
                return Ok(None);
            };
            if !first.is_ascii_whitespace() {
                return Ok(Some(first));
            }
            self.byte()?;
        }
    }

    /// The next byte; lines are counted on the way.
    pub(super) fn byte(&mut self) -> io::Result<Option<u8>> {
        let Some(byte) = self.reader.fill_buf()?.first().copied() else {
            return Ok(None);
        };
        self.reader.consume(1);
        self.read_bytes += 1;
        self.number += u64::from(byte == b'\n');
        Ok(Some(byte))
    }

    /// The number of the line that is being read byte by byte.
    pub(super) fn current(&self) -> u64 {
        self.number + 1
    }

    pub(super) fn next_line(&mut self) -> io::Result<Option<Line>> {
        if let Some(line) = self.waiting.pop_front() {
            return Ok(Some(line));
        }
        let mut bytes = Vec::new();
        let most = MAX_ROW as u64 + 1;
        let read = (&mut self.reader)
            .take(most)
            .read_until(b'\n', &mut bytes)?;
        if read == 0 {
            return Ok(None);
        }
        self.read_bytes += read as u64;
        let too_long = bytes.len() > MAX_ROW;
        if too_long && bytes.last() != Some(&b'\n') {
            self.skip_line()?;
        }
        self.number += 1;
        Ok(Some(Line {
            number: self.number,
            bytes,
            too_long,
        }))
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.reader.fill_buf()?;
            let (used, ended) = match buffer.iter().position(|byte| *byte == b'\n') {
                Some(at) => (at + 1, true),
                None => (buffer.len(), buffer.is_empty()),
            };
            self.reader.consume(used);
            self.read_bytes += used as u64;
            if ended {
                return Ok(());
            }
        }
    }

    /// Puts lines back, the first to be read again first.
    pub(super) fn put_back(&mut self, lines: Vec<Line>) {
        for line in lines.into_iter().rev() {
            self.waiting.push_front(line);
        }
    }
}
