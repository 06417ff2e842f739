//! Cookies: for this server alone, out of scripts' reach, and sent along when a link leads here but with nobody else's forms.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};

/// What a cookie is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Finds the session.
    Session,
    /// Binds a sign-in to the browser.
    Attempt,
}

impl Kind {
    /// Its name. Browsers keep what begins with `__Host-` to one host and TLS (RFC 6265bis §4.1.3.2).
    fn name(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::Session, true) => "__Host-muster",
            (Self::Session, false) => "muster",
            (Self::Attempt, true) => "__Host-muster-sign-in",
            (Self::Attempt, false) => "muster-sign-in",
        }
    }
}

/// The value of a cookie that came with a request.
pub(super) fn read(request: &HttpRequest, kind: Kind, secure: bool) -> Option<String> {
    let cookie = request.cookie(kind.name(secure))?;
    Some(cookie.value().to_owned()).filter(|value| !value.is_empty() && value.len() <= 128)
}

/// A cookie to keep until the browser is closed, or for ten minutes while somebody signs in.
pub(super) fn keep(kind: Kind, value: String, secure: bool) -> Cookie<'static> {
    let mut cookie = bare(kind, value, secure);
    if kind == Kind::Attempt {
        cookie.set_max_age(Duration::minutes(10));
    }
    cookie
}

/// Has the browser forget a cookie.
pub(super) fn forget(kind: Kind, secure: bool) -> Cookie<'static> {
    let mut cookie = bare(kind, String::new(), secure);
    cookie.set_max_age(Duration::ZERO);
    cookie
}

fn bare(kind: Kind, value: String, secure: bool) -> Cookie<'static> {
    Cookie::build(kind.name(secure), value)
        .path("/")
        .http_only(true)
        .secure(secure)
        .same_site(SameSite::Lax)
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_for_this_host_and_no_script() {
        let text = keep(Kind::Session, "x".into(), true).to_string();
        assert_eq!(
            text,
            "__Host-muster=x; HttpOnly; SameSite=Lax; Secure; Path=/"
        );
        let text = keep(Kind::Attempt, "x".into(), true).to_string();
        assert!(text.starts_with("__Host-muster-sign-in=x; ") && text.contains("Max-Age=600"));
        // Without TLS, on loopback, a browser would not send it back.
        let text = keep(Kind::Session, "x".into(), false).to_string();
        assert_eq!(text, "muster=x; HttpOnly; SameSite=Lax; Path=/");
        assert!(
            forget(Kind::Session, true)
                .to_string()
                .contains("Max-Age=0")
        );
    }
}
