//! What a use case can answer instead of a result: the one error that doors see (design §8).

use crate::domain::brake::Stop;
use crate::scim;
use crate::store;

/// Why a use case was refused or failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// A rule of the protocol, with its `scimType` (RFC 7644 §3.12).
    #[error("{0}")]
    Scim(#[from] scim::Error),
    /// Something looks like what is shown in place of a value, and is not what is shown: 400 `invalidValue`, and logged.
    #[error("{0}")]
    Masked(String),
    /// There is no such thing, or the caller may not know it: 404.
    #[error("{0}")]
    NotFound(String),
    /// The caller's rights do not reach: 403.
    #[error("{0}")]
    Forbidden(String),
    /// `If-Match` names another version: 412.
    #[error("{0}")]
    PreconditionFailed(String),
    /// The state of the record forbids it: 409 without a `scimType`.
    #[error("{0}")]
    Conflict(String),
    /// Things of this kind are never changed: 405.
    #[error("{0}")]
    Fixed(String),
    /// The leaver brake has stopped it until a human allows it: 429 with `Retry-After` in seconds.
    #[error("{0}")]
    Stopped(Box<Stop>),
    /// The database cannot answer now: 503 with `Retry-After` in seconds.
    #[error("{detail}")]
    Unavailable {
        /// What happened, for the caller.
        detail: String,
        /// When to try again, in seconds.
        retry_after: u64,
    },
    /// A fault of ours: 500. The text is for the log, never for the caller.
    #[error("{0}")]
    Internal(String),
}

/// After how many seconds a caller may try again.
const RETRY_AFTER: u64 = 1;
/// The same after what has kept the database busy for long.
const RETRY_LATER: u64 = 30;

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Lost => Self::Unavailable {
                detail:
                    "too many concurrent changes of the same record; nothing was changed, try again"
                        .into(),
                retry_after: RETRY_AFTER,
            },
            store::Error::Unavailable(why) => {
                tracing::warn!(error = %why, "store.unavailable");
                Self::Unavailable {
                    detail: "the database cannot answer now; try again, and read before you repeat a write".into(),
                    retry_after: RETRY_AFTER,
                }
            }
            // Not 400 tooMany: a slow disk does it too, and then the same request is right a little later.
            store::Error::TooLong => Self::Unavailable {
                detail: "the database took too long over this and was stopped; nothing was changed: try again \
                         later, or ask for less, as with a narrower filter"
                    .into(),
                retry_after: RETRY_LATER,
            },
            store::Error::Filter(error) => Self::Scim(error),
            store::Error::Address(detail) | store::Error::Key(detail) | store::Error::Fault(detail) => {
                Self::Internal(detail)
            }
        }
    }
}
