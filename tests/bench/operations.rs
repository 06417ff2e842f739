//! What is sent: one request a call, aimed at one server.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::http::Answer;
use super::people;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    Get,
    UserName,
    Email,
    Compound,
    FirstPage,
    CursorPage,
    IndexPage,
    Create,
    Patch,
    Bulk,
    Member,
}

use Operation::{
    Bulk, Compound, Create, CursorPage, Email, FirstPage, Get, IndexPage, Member, Patch, UserName,
};

impl Operation {
    /// All of them: what reads first, since what writes changes how many there are.
    pub(crate) const ALL: [Self; 11] = [
        Get, UserName, Email, Compound, FirstPage, CursorPage, IndexPage, Patch, Create, Bulk,
        Member,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Get => "get by id",
            UserName => "`userName eq`",
            Email => "`emails[type eq \"work\" and value eq …]`",
            Compound => "compound filter with `not`, 50 persons",
            FirstPage => "first page of 100",
            CursorPage => "cursor page in the middle",
            IndexPage => "index page at 90 % of a walk",
            Create => "create",
            Patch => "PATCH one attribute",
            Bulk => "bulk of 100 creates",
            Member => "add a member to a group",
        }
    }

    /// How many connections ask at once: writes share a commit, so more of them wait.
    pub(crate) fn connections(self) -> usize {
        match self {
            Create | Patch | Member => 64,
            Bulk => 4,
            FirstPage | CursorPage | IndexPage => 8,
            _ => 16,
        }
    }

    /// Requests a second that a small machine bears easily, for comparing latencies.
    pub(crate) fn rate(self) -> f64 {
        match self {
            Get | UserName | Email => 200.0,
            Compound | FirstPage | CursorPage | IndexPage => 25.0,
            Create | Patch | Member => 50.0,
            Bulk => 1.0,
        }
    }
}

/// A server and what is known of what it holds.
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) port: u16,
    /// The server's process.
    pub(crate) process: u32,
    /// `/scim/v2`
    pub(crate) base: String,
    pub(crate) token: String,
    /// Ids of persons, some or all.
    pub(crate) ids: Vec<String>,
    /// How many persons were seeded.
    pub(crate) size: usize,
    pub(crate) group: String,
    /// A cursor in the middle of all persons, if the server has cursors.
    pub(crate) cursor: Option<String>,
    pub(crate) bulk: bool,
    /// The number of the next new person.
    pub(crate) next: AtomicUsize,
    /// Persons made meanwhile, who are in no group.
    pub(crate) fresh: Mutex<Vec<String>>,
    pub(crate) random: AtomicUsize,
}

/// Where one connection is in its walk.
#[derive(Default)]
pub(crate) struct Walk {
    cursor: Option<String>,
    page: usize,
}

impl Target {
    /// Whether the server can do it at all.
    pub(crate) fn can(&self, operation: Operation) -> bool {
        match operation {
            CursorPage => self.cursor.is_some(),
            Bulk => self.bulk,
            Member => !self.group.is_empty(),
            _ => true,
        }
    }

    /// The next request; none when there is nothing left to do it to.
    pub(crate) fn request(&self, operation: Operation, walk: &Walk) -> Option<Vec<u8>> {
        let users = format!("{}/Users", self.base);
        Some(match operation {
            Get => self.get(&format!("{users}/{}", self.any_id())),
            UserName => {
                let filter = format!("userName eq \"{}\"", people::address(self.anybody()));
                self.get(&format!("{users}?filter={}", escaped(&filter)))
            }
            Email => {
                let address = people::address(self.anybody());
                let filter = format!("emails[type eq \"work\" and value eq \"{address}\"]");
                self.get(&format!("{users}?filter={}", escaped(&filter)))
            }
            Compound => self.get(&compound(&users)),
            FirstPage => self.get(&format!("{users}?startIndex=1&count=100")),
            CursorPage => {
                let cursor = walk.cursor.as_ref().or(self.cursor.as_ref())?;
                self.get(&format!("{users}?count=100&cursor={}", escaped(cursor)))
            }
            IndexPage => self.index_page(self.size * 9 / 10 + walk.page * 100),
            Create => self.send("POST", &users, &people::user(self.newcomer())),
            Patch => {
                let path = format!("{users}/{}", self.any_id());
                let value = format!("Called {}", self.rolled());
                self.send(
                    "PATCH",
                    &path,
                    &patch(&json!({ "op": "replace", "path": "nickName", "value": value })),
                )
            }
            Bulk => self.send("POST", &format!("{}/Bulk", self.base), &self.bulk_body()),
            Member => {
                let member = self.fresh.lock().ok()?.pop()?;
                let operation =
                    json!({ "op": "add", "path": "members", "value": [{ "value": member }] });
                let path = format!(
                    "{}/Groups/{}?excludedAttributes=members",
                    self.base, self.group
                );
                self.send("PATCH", &path, &patch(&operation))
            }
        })
    }

    /// What is asked once before a run: the page before the first one of a walk by index, to which the server counts its
    /// way. It is the pages of the walk that are measured.
    pub(crate) fn lead_in(&self, operation: Operation) -> Option<Vec<u8>> {
        (operation == IndexPage).then(|| self.index_page(self.size * 9 / 10 - 100))
    }

    /// The page of persons after so many.
    fn index_page(&self, offset: usize) -> Vec<u8> {
        let start = offset + 1;
        self.get(&format!("{}/Users?startIndex={start}&count=100", self.base))
    }

    /// Learns from an answer what the next request needs.
    pub(crate) fn learn(&self, operation: Operation, walk: &mut Walk, answer: &Answer) {
        match operation {
            CursorPage => walk.cursor = answer.text("nextCursor"),
            IndexPage => {
                walk.page += 1;
                if self.size * 9 / 10 + walk.page * 100 >= self.size {
                    walk.page = 0;
                }
            }
            Create => {
                if let (Some(id), Ok(mut fresh)) = (answer.text("id"), self.fresh.lock()) {
                    fresh.push(id);
                }
            }
            _ => {}
        }
    }

    pub(crate) fn get(&self, path: &str) -> Vec<u8> {
        self.bare("GET", path)
    }

    /// A request without a body.
    pub(crate) fn bare(&self, method: &str, path: &str) -> Vec<u8> {
        format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {}\r\n\r\n",
            self.token
        )
        .into_bytes()
    }

    pub(crate) fn send(&self, method: &str, path: &str, body: &Value) -> Vec<u8> {
        let body = body.to_string();
        format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/scim+json\r\nContent-Length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        )
        .into_bytes()
    }

    fn newcomer(&self) -> usize {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// A number that looks random and is the same in every run.
    fn rolled(&self) -> usize {
        let mut n = self
            .random
            .fetch_add(1, Ordering::Relaxed)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15);
        n ^= n >> 29;
        n.wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 20
    }

    fn anybody(&self) -> usize {
        self.rolled() % self.size
    }

    fn any_id(&self) -> &str {
        match self.ids.len() {
            0 => "",
            n => &self.ids[self.rolled() % n],
        }
    }

    fn bulk_body(&self) -> Value {
        let operation = |n: usize| json!({ "method": "POST", "path": "/Users", "bulkId": format!("b{n}"), "data": people::user(self.newcomer()) });
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": (0..100).map(operation).collect::<Vec<_>>(),
        })
    }
}

/// The filter that selects the same fifty persons however many there are.
pub(crate) fn compound(users: &str) -> String {
    let filter = format!(
        "title eq \"{}\" and not (userType eq \"Contractor\")",
        people::TITLE
    );
    format!("{users}?filter={}&count=100", escaped(&filter))
}

/// A PATCH of one operation.
pub(crate) fn patch(operation: &Value) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [operation],
    })
}

fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
