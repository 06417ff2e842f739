//! One token: the right algorithm, a published key, its signature, and what it claims (RFC 9068 §4, RFC 8725 §3).

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header};
use serde_json::Value;

use super::keys::{Key, Keys, Published};
use super::{Claims, Refusal};
use crate::config::Issuer;

/// How far two clocks may be apart, in seconds.
const LEEWAY: i64 = 30;

/// Verifies `token` as one of `issuer`'s, with its keys as `known`, at `now` (Unix seconds): its claims, the keys that
/// prove them, and when it stops being good.
pub(super) async fn verify(
    token: &str,
    issuer: &Issuer,
    (keys, known): (&Keys, Published),
    now: i64,
) -> Result<(Claims, Published, i64), Refusal> {
    let header = decode_header(token)
        .map_err(|_| Refusal::invalid("its header is not that of a signed JWT"))?;
    check_header(&header, issuer)?;
    let mut known = known;
    let mut proof = proven(token, &header, issuer, &known)?;
    if proof.is_none()
        && let Some(fresh) = keys.refetch(&known).await
    {
        proof = proven(token, &header, issuer, &fresh)?;
        known = fresh;
    }
    let claims =
        proof.ok_or_else(|| Refusal::invalid("no key of its issuer proves its signature"))?;
    // RFC 8725 §3.12. These two claims are in ID tokens alone (OpenID Connect Core §3.3.2.11).
    if claims.contains_key("at_hash") || claims.contains_key("c_hash") {
        return Err(Refusal::invalid("it is an ID token, not an access token"));
    }
    let expires = check_times(&claims, now)?;
    Ok((claims, known, expires))
}

fn check_header(header: &Header, issuer: &Issuer) -> Result<(), Refusal> {
    if !issuer.algorithms.contains(&header.alg) {
        return Err(Refusal::invalid("its alg is not accepted here"));
    }
    // RFC 7515 §4.1.11: what we do not understand and must, we refuse.
    if header.crit.is_some() {
        return Err(Refusal::invalid("it has a crit header"));
    }
    // RFC 8725 §3.11: other kinds of JWT, such as logout tokens, are no access tokens.
    let typ = header.typ.as_deref().map(str::to_ascii_lowercase);
    match typ
        .as_deref()
        .map(|typ| typ.trim_start_matches("application/"))
    {
        None | Some("jwt" | "at+jwt") => Ok(()),
        Some(_) => Err(Refusal::invalid("its typ is not that of an access token")),
    }
}

/// The claims, if one of the keys proves the signature and `iss` and `aud` are right; nothing if none of them does.
fn proven(
    token: &str,
    header: &Header,
    issuer: &Issuer,
    keys: &[Key],
) -> Result<Option<Claims>, Refusal> {
    let validation = validation(header.alg, issuer);
    for key in keys
        .iter()
        .filter(|key| key.fits(header.kid.as_deref(), header.alg))
    {
        match decode::<Claims>(token, &key.decoding, &validation) {
            Ok(proof) => return Ok(Some(proof.claims)),
            Err(error) => match error.kind() {
                ErrorKind::InvalidIssuer => {
                    return Err(Refusal::invalid("its iss is not the issuer's"));
                }
                ErrorKind::InvalidAudience => {
                    return Err(Refusal::invalid("its aud is not this server"));
                }
                ErrorKind::MissingRequiredClaim(claim) => {
                    return Err(Refusal::invalid(format!(
                        "its claim {claim} is missing or malformed"
                    )));
                }
                ErrorKind::Json(_) | ErrorKind::Utf8(_) => {
                    return Err(Refusal::invalid("its claims are not a JSON object"));
                }
                // Another key of the same name or type may still prove it.
                _ => {}
            },
        }
    }
    Ok(None)
}

/// Times are checked by our own clock, in [`check_times`].
fn validation(algorithm: Algorithm, issuer: &Issuer) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.validate_exp = false;
    validation.set_issuer(&[&issuer.url]);
    // Of several audiences one must be ours (RFC 9068 §4). Whose token it is, by azp or another claim, is for `clients`.
    validation.set_audience(&issuer.audiences);
    validation.set_required_spec_claims(&["iss", "aud"]);
    validation
}

/// Checks `exp` (required), `nbf` and `iat`; answers the end of the token's life.
fn check_times(claims: &Claims, now: i64) -> Result<i64, Refusal> {
    let expires =
        time(claims, "exp")?.ok_or_else(|| Refusal::invalid("its claim exp is missing"))?;
    let expires = expires.saturating_add(LEEWAY);
    if now >= expires {
        return Err(Refusal::invalid("it has expired"));
    }
    for claim in ["nbf", "iat"] {
        if time(claims, claim)?.is_some_and(|start| start > now.saturating_add(LEEWAY)) {
            return Err(Refusal::invalid(format!("its {claim} is in the future")));
        }
    }
    Ok(expires)
}

/// A `NumericDate` (RFC 7519 §2), fractions dropped.
fn time(claims: &Claims, name: &str) -> Result<Option<i64>, Refusal> {
    let malformed = || Refusal::invalid(format!("its claim {name} is not a time"));
    match claims.get(name) {
        None => Ok(None),
        Some(Value::Number(number)) => {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a float is cut to its whole seconds, saturating"
            )]
            let seconds = number
                .as_i64()
                .or_else(|| number.as_f64().map(|seconds| seconds as i64));
            seconds.map(Some).ok_or_else(malformed)
        }
        Some(_) => Err(malformed()),
    }
}
