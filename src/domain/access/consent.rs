//! What counts as a person's consent to a purpose: given or renewed, begun, and not over (A-080, ISO/IEC TS 27560).

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

use crate::scim::filter::{Condition, condition};
use crate::scim::profile::Profile;
use crate::scim::resource_type::ResourceType;

const CONSENTS: &str = "urn:muster:scim:schemas:extension:1.0:Consent:consents";

/// The condition that a resource of the type has consented to `purpose` at `now`; none has where the type has no consents.
#[must_use]
pub fn consented(ty: &ResourceType, purpose: &str, now: DateTime<Utc>) -> Condition {
    let now = now.to_rfc3339_opts(SecondsFormat::Millis, true);
    let purpose = Value::from(purpose);
    let text = format!(
        "{CONSENTS}[purpose eq {purpose} and (status eq \"given\" or status eq \"renewed\") and not (validFrom gt \"{now}\") \
         and not (expiresAt le \"{now}\")]"
    );
    condition(&text, ty, Profile::Strict).unwrap_or(Condition::Any(Vec::new()))
}
