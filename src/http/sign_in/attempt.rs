//! A sign-in under way. All of it follows from one secret, which the browser that began it keeps in a cookie: so nobody can
//! be made to finish another's sign-in, and nothing need be remembered here.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::{CsrfToken, Nonce, PkceCodeVerifier};
use sha2::{Digest, Sha256};

use crate::secret::Secret;

/// The attempt.
pub(super) struct Attempt(String);

impl Attempt {
    /// The attempt of this secret, as its cookie has it.
    pub(super) fn of(secret: &str) -> Self {
        Self(secret.to_owned())
    }

    /// Ties the answer to the browser (RFC 6749 §10.12).
    pub(super) fn state(&self) -> CsrfToken {
        CsrfToken::new(self.part("state"))
    }

    /// Ties the ID token to the attempt (OpenID Connect Core §3.1.2.1).
    pub(super) fn nonce(&self) -> Nonce {
        Nonce::new(self.part("nonce"))
    }

    /// Ties the code to the attempt (RFC 7636 §4.1: 43 characters here).
    pub(super) fn verifier(&self) -> PkceCodeVerifier {
        PkceCodeVerifier::new(self.part("verifier"))
    }

    /// Whether the answer is to this attempt.
    pub(super) fn is_answered_by(&self, state: &str) -> bool {
        Secret::new(self.part("state")).equals(state)
    }

    /// One way: who sees the state in an address learns nothing of the rest.
    fn part(&self, name: &str) -> String {
        let digest = Sha256::new()
            .chain_update(name)
            .chain_update([0])
            .chain_update(&self.0)
            .finalize();
        URL_SAFE_NO_PAD.encode(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_is_its_own_and_the_attempt_s() {
        let (one, other) = (Attempt::of("one"), Attempt::of("other"));
        let state = one.state().secret().clone();
        assert_eq!(one.verifier().secret().len(), 43);
        assert_ne!(&state, one.nonce().secret());
        assert_ne!(&state, one.verifier().secret());
        assert!(one.is_answered_by(&state) && !other.is_answered_by(&state));
        assert!(!one.is_answered_by(""));
    }
}
