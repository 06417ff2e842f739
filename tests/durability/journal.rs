//! What the clients were told, write by write.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::Client;

/// What is known of one user.
#[derive(Debug, Default)]
struct Entry {
    /// Whether its creation was acknowledged.
    created: bool,
    /// The last nickname that was acknowledged; none if it was never changed.
    nick_name: Option<String>,
    /// The nickname of a change that was sent and not yet answered: it may have happened or not.
    pending: Option<String>,
}

/// The journal of one round.
#[derive(Debug)]
pub(crate) struct Journal {
    round: u64,
    entries: BTreeMap<String, Entry>,
    acknowledged: usize,
}

impl Journal {
    /// An empty one.
    pub(crate) fn new(round: u64) -> Self {
        Self {
            round,
            entries: BTreeMap::new(),
            acknowledged: 0,
        }
    }

    /// The name of a user of this round.
    pub(crate) fn name(&self, writer: usize, number: usize) -> String {
        format!("r{:02}-{writer}-{number}", self.round)
    }

    /// How many writes were acknowledged.
    pub(crate) fn acknowledged(&self) -> usize {
        self.acknowledged
    }

    /// Before a user is created.
    pub(crate) fn creating(&mut self, name: &str) {
        self.entries.insert(name.to_owned(), Entry::default());
    }

    /// The creation was answered.
    pub(crate) fn created(&mut self, name: &str) {
        self.acknowledged += 1;
        self.entries.get_mut(name).expect("an entry").created = true;
    }

    /// Before a user's nickname is changed.
    pub(crate) fn renaming(&mut self, name: &str, nick_name: &str) {
        self.entries.get_mut(name).expect("an entry").pending = Some(nick_name.to_owned());
    }

    /// The change was answered.
    pub(crate) fn renamed(&mut self, name: &str) {
        self.acknowledged += 1;
        let entry = self.entries.get_mut(name).expect("an entry");
        entry.nick_name = entry.pending.take();
    }

    /// Compares it with what a server knows: all that was acknowledged, and nothing that was never sent.
    pub(crate) async fn compare(&self, client: &Client) {
        let found = self.fetch(client).await;
        for (name, nick_name) in &found {
            let entry = self
                .entries
                .get(name)
                .unwrap_or_else(|| panic!("nobody sent {name}"));
            assert!(
                *nick_name == entry.nick_name
                    || (nick_name.is_some() && *nick_name == entry.pending),
                "{name} is {nick_name:?}, but the journal says {entry:?}"
            );
        }
        let lost: Vec<_> = self
            .entries
            .iter()
            .filter(|(name, entry)| entry.created && !found.contains_key(*name))
            .collect();
        assert!(
            lost.is_empty(),
            "round {}: acknowledged and lost: {lost:?}",
            self.round
        );
    }

    /// The users of this round that a server knows, with their nicknames.
    async fn fetch(&self, client: &Client) -> BTreeMap<String, Option<String>> {
        let filter = format!("userName sw \"r{:02}-\"", self.round);
        let mut found = BTreeMap::new();
        let mut seen = 0;
        loop {
            let start = (seen + 1).to_string();
            let query = [
                ("filter", filter.as_str()),
                ("startIndex", &start),
                ("count", "200"),
                ("attributes", "userName,nickName"),
            ];
            let page = client.list("/Users", &query).await;
            if page.resources().is_empty() {
                assert_eq!(page.ok(200)["totalResults"], found.len());
                return found;
            }
            seen += page.resources().len();
            for user in page.resources() {
                let text = |name: &str| user.get(name).and_then(Value::as_str).map(str::to_owned);
                found.insert(
                    text("userName").expect("a user has a name"),
                    text("nickName"),
                );
            }
        }
    }
}
