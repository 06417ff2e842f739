//! What can go wrong in a database, with one meaning for both.

use diesel::result::{ConnectionError, DatabaseErrorKind, Error as Diesel};

use crate::domain::sealing::Broken;
use crate::domain::secrets::Unreadable;

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another writer was faster: the use case is run again.
    #[error("a concurrent change came first")]
    Lost,
    /// The database is locked, full, gone or shutting down: it may answer later.
    #[error("the database cannot answer now: {0}")]
    Unavailable(String),
    /// PostgreSQL stopped a statement that took too long (`statement_timeout`).
    #[error("a statement took too long")]
    TooLong,
    /// The address of the database cannot be used.
    #[error("{0}")]
    Address(String),
    /// The database's keys are wrapped by another key-encryption key than the ones at hand.
    #[error("{0}")]
    Key(String),
    /// The filter asks for what is not kept in a form that can be asked for.
    #[error("{0}")]
    Filter(crate::scim::Error),
    /// What the database holds cannot be read, or a statement of ours is wrong.
    #[error("{0}")]
    Fault(String),
}

/// Texts by which SQLite and libpq say that it is not the statement's fault.
const PASSING: [&str; 26] = [
    "database is locked",
    "database table is locked",
    "database or disk is full",
    "disk I/O error",
    "unable to open database file",
    "attempt to write a readonly database",
    "server closed the connection",
    "no connection to the server",
    "terminating connection",
    "could not connect",
    "connection to server",
    "the database system is",
    "No space left on device",
    "too many clients",
    "Connection refused",
    "canceling statement due to",
    "SSL connection has been closed",
    "SSL SYSCALL error",
    "could not receive data from server",
    "could not send data to server",
    "could not extend file",
    "could not write to file",
    "could not access file",
    "cannot execute", // … in a read-only transaction: what was the primary is a standby now
    "out of memory",
    "locking protocol",
];

impl From<Diesel> for Error {
    fn from(error: Diesel) -> Self {
        match &error {
            Diesel::DatabaseError(DatabaseErrorKind::ClosedConnection, info) => {
                Self::Unavailable(info.message().to_owned())
            }
            // A unique key or a foreign key that was free when the use case looked: somebody else came first.
            Diesel::DatabaseError(
                DatabaseErrorKind::SerializationFailure
                | DatabaseErrorKind::UniqueViolation
                | DatabaseErrorKind::ForeignKeyViolation,
                _,
            ) => Self::Lost,
            Diesel::DatabaseError(_, info) if info.message().contains("deadlock detected") => {
                Self::Lost
            }
            Diesel::DatabaseError(_, info) => Self::of_text(info.message()),
            other => Self::of_text(&other.to_string()),
        }
    }
}

impl From<Broken> for Error {
    fn from(error: Broken) -> Self {
        Self::Fault(format!("a sealed value does not open: {error}"))
    }
}

impl From<Unreadable> for Error {
    fn from(error: Unreadable) -> Self {
        match error {
            Unreadable::Sealed(error) => error.into(),
            Unreadable::Form(error) => error.into(),
        }
    }
}

impl From<ConnectionError> for Error {
    fn from(error: ConnectionError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Fault(format!("a stored document cannot be read: {error}"))
    }
}

impl Error {
    /// The same once more, if it is no fault of the statement's: others would fare no better now.
    pub(super) fn of_passing(&self) -> Option<Self> {
        match self {
            Self::Unavailable(why) => Some(Self::Unavailable(why.clone())),
            Self::TooLong => Some(Self::TooLong),
            _ => None,
        }
    }

    fn of_text(message: &str) -> Self {
        if message.contains("due to statement timeout") {
            Self::TooLong
        } else if PASSING.iter().any(|text| message.contains(text)) {
            Self::Unavailable(message.to_owned())
        } else {
            Self::Fault(message.to_owned())
        }
    }
}
