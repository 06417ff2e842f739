//! An SQLite file that is encrypted as a whole, by SQLCipher: a build with the feature `sqlcipher` has it.

use std::fs::File;
use std::io::Read;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::error::Error;
use crate::domain::sealing::Key;

/// How a file begins that is not encrypted (<https://sqlite.org/fileformat.html>).
const PLAIN: &[u8; 16] = b"SQLite format 3\0";

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    #[diesel(column_name = cipher_version)]
    _version: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    #[diesel(column_name = n)]
    _n: i64,
}

/// Whether there is a file that is not encrypted.
pub(super) fn is_plain(path: &str) -> bool {
    let mut start = [0; PLAIN.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == *PLAIN
}

/// Gives a connection the key of its file, before anything else.
pub(super) fn unlock(connection: &mut SqliteConnection, key: &Key) -> Result<(), Error> {
    connection.batch_execute(&format!("PRAGMA key = \"x'{}'\"", key.to_hex()))?;
    let version: Vec<Version> = diesel::sql_query("PRAGMA cipher_version").load(connection)?;
    if version.is_empty() {
        return Err(Error::Key(
            "the configuration has a key for the SQLite file as a whole, and this build cannot use it: build with \
             `--features sqlcipher`"
                .into(),
        ));
    }
    let looked = diesel::sql_query("SELECT count(*) AS n FROM sqlite_master");
    let looked: Result<Count, _> = looked.get_result(connection);
    looked.map(drop).map_err(|_| {
        Error::Key(
            "the key of the SQLite file does not open it: nothing was changed; start with the right one"
                .into(),
        )
    })
}

/// What a file that is no database may be.
pub(super) fn explain(error: diesel::result::Error) -> Error {
    if error.to_string().contains("file is not a database") {
        return Error::Key(
            "the file is no SQLite database, or it is encrypted as a whole: name its key, `sqlite_key` under [keys]"
                .into(),
        );
    }
    error.into()
}
