//! The HTTP door from outside: a real server on port 0, a real client, the embedded issuer.

mod verifier;
