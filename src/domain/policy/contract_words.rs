//! The words that the contract's keys may have.

use super::read::words;

words! {
    /// The form of a canonical id.
    IdFormat, "id format":
    /// A UUID.
    Uuid = "uuid",
}

words! {
    /// Where a canonical id comes from.
    IdSource, "id source":
    /// This server makes it.
    Generated = "generated",
}

words! {
    /// Whether a canonical id may change.
    Immutability, "immutability":
    /// Never.
    Immutable = "immutable",
}

words! {
    /// How much of a biometric sample is kept.
    BiometricStorage, "biometric storage":
    /// Nothing.
    ZeroRetention = "zero-retention",
}

words! {
    /// What may be kept of a verification (B-064).
    Persisted, "field that may be kept of biometrics":
    /// The outcome.
    Decision = "decision",
    /// Its reasons.
    ReasonCodes = "reasonCodes",
    /// How good the sample was.
    QualitySignals = "qualitySignals",
    /// Where the evidence lies.
    EvidencePackRef = "evidencePackRef",
}

words! {
    /// How a delivery is authenticated: never by a long-lived key (B-066).
    AuthMethod, "method of authentication":
    /// OpenID Connect.
    Oidc = "OIDC",
    /// OAuth with rotating credentials.
    OAuth = "OAuth",
}

words! {
    /// How the waits between attempts grow.
    Backoff, "backoff":
    /// Each is a multiple of the one before.
    Exponential = "exponential",
}

words! {
    /// What a kill switch does.
    SwitchAction, "action":
    /// No event goes out to it.
    StopOutboundEvents = "stop_outbound_events",
}
