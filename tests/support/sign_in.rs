//! Signing in by browser at the embedded issuer, as any of its clients.

use reqwest::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};

/// The cookie of somebody who has signed in with the rights of a client, `muster=…`.
pub(crate) async fn cookie(http: &reqwest::Client, origin: &str, client: &str) -> String {
    let text = |answer: &reqwest::Response, name| {
        let value = answer.headers().get(name).expect("a header");
        value.to_str().expect("a header of text").to_owned()
    };
    let pair = |cookie: String| cookie.split(';').next().unwrap_or_default().to_owned();
    let begun = http.get(format!("{origin}/sign-in")).send().await;
    let begun = begun.expect("the server answers");
    let (attempt, there) = (pair(text(&begun, SET_COOKIE)), text(&begun, LOCATION));
    let (there, query) = there.split_once('?').expect("what is asked for");
    let chosen = http
        .post(there)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(format!("{query}&who={client}"));
    let back = text(&chosen.send().await.expect("the issuer answers"), LOCATION);
    let done = http.get(back).header(COOKIE, attempt).send().await;
    let done = done.expect("the server answers");
    let mut cookies = done.headers().get_all(SET_COOKIE).iter();
    let session = cookies.find_map(|value| {
        value
            .to_str()
            .ok()
            .filter(|value| value.starts_with("muster="))
    });
    pair(session.expect("a session").to_owned())
}

/// What the holder of a cookie sees of itself; nothing if it is not signed in.
pub(crate) async fn me(http: &reqwest::Client, origin: &str, cookie: &str) -> Option<String> {
    let asked = http
        .get(format!("{origin}/me"))
        .header(COOKIE, cookie)
        .send();
    let answer = asked.await.expect("the server answers");
    match answer.status().as_u16() {
        200 => Some(answer.text().await.expect("a page")),
        303 => None,
        status => panic!("/me answered {status}"),
    }
}
