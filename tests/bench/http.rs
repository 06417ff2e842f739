//! HTTP/1.1 over one kept connection: as little as a load generator needs.

use std::io;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The string that follows `"name":` where it first stands, without a parser's costs.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let body = std::str::from_utf8(&self.body).ok()?;
        let (_, rest) = body.split_once(&format!("\"{name}\":"))?;
        let rest = rest.trim_start().strip_prefix('"')?;
        rest.split_once('"').map(|(text, _)| text.to_owned())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// A connection, made again when the server has closed it.
pub(crate) struct Connection {
    port: u16,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) fn to(port: u16) -> Self {
        Self {
            port,
            stream: None,
            buffer: Vec::with_capacity(64 * 1024),
        }
    }

    /// Sends a request and reads its answer; once more if a kept connection turns out to be closed.
    pub(crate) async fn call(&mut self, request: &[u8]) -> io::Result<Answer> {
        let kept = self.stream.is_some();
        match self.exchange(request).await {
            Err(_) if kept => {
                self.stream = None;
                self.exchange(request).await
            }
            outcome => outcome,
        }
    }

    async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer> {
        let mut stream = if let Some(stream) = self.stream.take() {
            stream
        } else {
            let stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
            stream.set_nodelay(true)?;
            stream
        };
        stream.write_all(request).await?;
        self.buffer.clear();
        let end = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
            self.more(&mut stream).await?;
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]).to_ascii_lowercase();
        let status = head
            .get(9..12)
            .and_then(|status| status.parse().ok())
            .ok_or_else(|| io::Error::other("no status line"))?;
        let chunked = head.contains("\r\ntransfer-encoding: chunked");
        let body = if chunked {
            self.chunks(&mut stream, end).await?
        } else {
            let length =
                header(&head, "content-length").map_or(0, |text| text.parse().unwrap_or(0));
            while self.buffer.len() < end + length {
                self.more(&mut stream).await?;
            }
            self.buffer[end..end + length].to_vec()
        };
        if header(&head, "connection") != Some("close") && !head.starts_with("http/1.0") {
            self.stream = Some(stream);
        }
        Ok(Answer { status, body })
    }

    async fn more(&mut self, stream: &mut TcpStream) -> io::Result<()> {
        match stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    async fn chunks(&mut self, stream: &mut TcpStream, mut at: usize) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = loop {
                if let Some(end) = find(&self.buffer[at..], b"\r\n") {
                    break at + end;
                }
                self.more(stream).await?;
            };
            let size = std::str::from_utf8(&self.buffer[at..line]).unwrap_or_default();
            let size = usize::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
            at = line + 2;
            while self.buffer.len() < at + size + 2 {
                self.more(stream).await?;
            }
            body.extend_from_slice(&self.buffer[at..at + size]);
            at += size + 2;
            if size == 0 {
                return Ok(body);
            }
        }
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map(str::trim)
}
