//! What the operator is told when a command cannot do its work.

use crate::{config, http, issuer, service};

/// One message, and whether the operator's own words (2) or the world (1) are at fault.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// The command line or the configuration is wrong: exit code 2.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: 2,
        }
    }

    /// Something else is in the way: exit code 1.
    pub(super) fn run(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: 1,
        }
    }

    /// The exit code.
    #[must_use]
    pub fn code(&self) -> u8 {
        self.code
    }
}

impl From<config::Error> for Failure {
    fn from(error: config::Error) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<service::Error> for Failure {
    fn from(error: service::Error) -> Self {
        Self::run(error.to_string())
    }
}

impl From<http::OpenError> for Failure {
    fn from(error: http::OpenError) -> Self {
        Self::run(error.to_string())
    }
}

impl From<http::tls::TlsError> for Failure {
    fn from(error: http::tls::TlsError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<issuer::Error> for Failure {
    fn from(error: issuer::Error) -> Self {
        Self::run(error.to_string())
    }
}
