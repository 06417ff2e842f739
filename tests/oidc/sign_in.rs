//! People sign in at the provider by the code flow with PKCE, and are signed in here until they leave, idle or a day's work
//! is over.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use reqwest::Method;
use sha2::{Digest, Sha256};

use crate::browser::{Browser, Page};
use crate::scene::{Scene, on_both};

on_both!(
    who_signs_in_sees_who_they_are_and_what_they_may_do,
    the_browser_holds_a_secret_of_which_the_database_has_the_hash,
    signing_in_again_ends_the_session_before,
    who_has_no_role_is_not_signed_in,
    signing_out_takes_the_session_s_own_form,
    a_session_ends_idle_or_after_half_a_day,
    the_policy_in_force_decides_what_a_session_may_do_and_whether_it_lasts,
    a_policy_s_row_is_a_role_for_people_too,
    answers_to_no_sign_in_of_this_browser_are_refused,
    a_code_is_good_once_and_for_its_own_browser,
    names_from_the_provider_are_shown_as_text,
    signing_in_goes_on_after_the_provider_has_changed_its_keys,
);

/// As far as the provider's last step, which leads to `stop`.
async fn sign_in_until(scene: &Scene, browser: &mut Browser, name: &str, stop: &str) -> Page {
    let login = browser.get(&format!("{}/me", scene.origin())).await;
    assert_eq!(login.status, 200, "{login:?}");
    assert!(
        login.url.as_str().starts_with(&scene.provider.issuer),
        "{login:?}"
    );
    let form = format!("prompt=login&login={name}&password=any");
    let consent = browser.post(login.url.as_str(), &form).await;
    assert_eq!(consent.status, 200, "{consent:?}");
    browser
        .post_until(consent.url.as_str(), "prompt=consent", stop)
        .await
}

async fn sign_in(scene: &Scene, browser: &mut Browser, name: &str) -> Page {
    sign_in_until(scene, browser, name, "").await
}

/// Whether a browser is signed in.
async fn is_in(scene: &Scene, browser: &mut Browser) -> bool {
    let origin = scene.origin();
    let page = browser
        .get_until(&format!("{origin}/me"), &format!("{origin}/sign-in"))
        .await;
    page.url.path() == "/me"
}

async fn who_signs_in_sees_who_they_are_and_what_they_may_do(scene: &Scene) {
    let mut browser = Browser::new();
    let page = sign_in(scene, &mut browser, "admin-ada").await;
    assert_eq!((page.status, page.url.path()), (200, "/me"), "{page:?}");
    for part in [
        "admin-ada of the roll",
        "with the rights of hris",
        "<tr><th scope=\"row\">User</th><td>read, search, write</td></tr>",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    assert!(
        page.header("content-security-policy")
            .starts_with("default-src 'none'")
    );
    assert_eq!(page.header("cache-control"), "no-store");
    // PKCE, state and nonce went to the provider.
    let asked = browser
        .called
        .iter()
        .find(|url| url.path() == "/auth")
        .unwrap();
    let query = asked.query().unwrap();
    for part in [
        "code_challenge_method=S256",
        "code_challenge=",
        "state=",
        "nonce=",
        "scope=openid+profile",
    ] {
        assert!(query.contains(part), "{query}");
    }
    let events = scene.session_events();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["type"], "session.opened");
    assert_eq!(events[0]["changes"][0]["new"], "admin-ada");
    // It is Ada who did it, not the client with whose rights she acts.
    let by = ["actor", "actorType"].map(|name| &events[0][name]);
    assert_eq!(by, ["admin-ada", "human"]);
    assert_eq!(events[0]["detail"]["client"], "hris");
}

async fn the_browser_holds_a_secret_of_which_the_database_has_the_hash(scene: &Scene) {
    let mut browser = Browser::new();
    sign_in(scene, &mut browser, "admin-ada").await;
    let mut seen = browser.seen.iter();
    let cookie = seen.find(|cookie| cookie.starts_with("muster=")).unwrap();
    assert!(
        cookie.ends_with("; HttpOnly; SameSite=Lax; Path=/"),
        "{cookie}"
    );
    let origin = scene.origin();
    assert_eq!(browser.cookie(&origin, "muster-sign-in"), None);
    let secret = browser.cookie(&origin, "muster").unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(secret).unwrap();
    assert_eq!(bytes.len(), 32);
    assert_eq!(
        scene.session_hash(),
        format!("{:x}", Sha256::digest(&bytes))
    );
    // It opens pages, and nothing of SCIM.
    let cookie = format!("muster={secret}");
    let headers = [("cookie", cookie.as_str())];
    let stranger = scene.stranger();
    let answer = stranger
        .try_send(Method::GET, "/Users", &headers, None)
        .await;
    assert_eq!(answer.unwrap().status, 401);
}

async fn signing_in_again_ends_the_session_before(scene: &Scene) {
    let origin = scene.origin();
    let mut browser = Browser::new();
    sign_in(scene, &mut browser, "admin-ada").await;
    let first = browser.cookie(&origin, "muster").unwrap().to_owned();
    // The provider still knows who it is, and sends the browser straight back.
    let page = browser.get(&format!("{origin}/sign-in")).await;
    assert_eq!(page.url.path(), "/me", "{page:?}");
    assert_ne!(browser.cookie(&origin, "muster").unwrap(), first);
    browser.plant(&origin, "muster", &first);
    assert!(!is_in(scene, &mut browser).await);
    let events = scene.session_events();
    let kinds: Vec<_> = events.iter().map(|event| &event["type"]).collect();
    assert_eq!(
        kinds,
        ["session.opened", "session.closed", "session.opened"]
    );
}

async fn who_has_no_role_is_not_signed_in(scene: &Scene) {
    let mut browser = Browser::new();
    let page = sign_in(scene, &mut browser, "bob").await;
    assert_eq!(page.status, 403, "{page:?}");
    assert!(page.text.contains("role"));
    assert_eq!(browser.cookie(&scene.origin(), "muster"), None);
    assert!(!is_in(scene, &mut browser).await);
    assert!(scene.session_events().is_empty());
}

async fn signing_out_takes_the_session_s_own_form(scene: &Scene) {
    let origin = scene.origin();
    let out = format!("{origin}/sign-out");
    let (mut ada, mut eve) = (Browser::new(), Browser::new());
    let page = sign_in(scene, &mut ada, "admin-ada").await;
    let others = sign_in(scene, &mut eve, "admin-eve").await;
    for form in [
        String::new(),
        "token=".into(),
        "token=x".into(),
        format!("token={}", others.field("token")),
    ] {
        let refused = ada.post(&out, &form).await;
        assert_eq!(refused.status, 403, "{form}");
        assert!(is_in(scene, &mut ada).await, "{form}");
    }
    assert_eq!(ada.get(&out).await.status, 405);
    let cookie = ada.cookie(&origin, "muster").unwrap().to_owned();
    let done = ada
        .post(&out, &format!("token={}", page.field("token")))
        .await;
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(ada.cookie(&origin, "muster"), None);
    // The cookie is worth nothing any more, and others' sessions are as they were.
    ada.plant(&origin, "muster", &cookie);
    assert!(!is_in(scene, &mut ada).await);
    assert!(is_in(scene, &mut eve).await);
    let events = scene.session_events();
    assert_eq!(events.last().unwrap()["type"], "session.closed");
    assert_eq!(events.len(), 3);
}

async fn a_session_ends_idle_or_after_half_a_day(scene: &Scene) {
    let mut browser = Browser::new();
    sign_in(scene, &mut browser, "admin-ada").await;
    scene.clock.advance(TimeDelta::minutes(29));
    assert!(is_in(scene, &mut browser).await);
    scene.clock.advance(TimeDelta::minutes(31));
    assert!(!is_in(scene, &mut browser).await);
    // Used all the time, it ends all the same.
    let mut busy = Browser::new();
    scene.clock.advance(TimeDelta::minutes(-60));
    sign_in(scene, &mut busy, "admin-bea").await;
    for _ in 0..28 {
        scene.clock.advance(TimeDelta::minutes(25));
        assert!(is_in(scene, &mut busy).await);
    }
    scene.clock.advance(TimeDelta::minutes(25));
    assert!(!is_in(scene, &mut busy).await);
}

const POLICY: &str = r#"version: 1
systems:
  - { name: hris, kind: hris, owner: HR }
roles:
  readers: [{ types: [User], rights: [read] }]
clients:
  - { name: hris, issuer: "ISSUER", match: { claim: client_id, equals: hris }, tenant: default, system: hris, roles: [readers] }
"#;

async fn the_policy_in_force_decides_what_a_session_may_do_and_whether_it_lasts(scene: &Scene) {
    let mut browser = Browser::new();
    let page = sign_in(scene, &mut browser, "admin-ada").await;
    let (all, less) = ("<td>read, search, write</td>", "<td>read</td>");
    assert!(page.text.contains(all) && !page.text.contains(less));
    scene.apply(POLICY);
    let page = browser.get(&format!("{}/me", scene.origin())).await;
    assert!(
        page.text.contains(less) && !page.text.contains(all),
        "{}",
        page.text
    );
    scene.apply(&POLICY.replace("system: hris, roles", "system: hris, disabled: true, roles"));
    assert!(!is_in(scene, &mut browser).await);
    let refused = sign_in(scene, &mut Browser::new(), "admin-ada").await;
    assert_eq!(refused.status, 403, "{refused:?}");
}

async fn a_policy_s_row_is_a_role_for_people_too(scene: &Scene) {
    let row = "clients:\n  - { name: operators, issuer: \"ISSUER\", match: { claim: roles, equals: people-admin }, tenant: default, \
               system: hris, roles: [readers] }\n";
    let policy = POLICY.replacen("clients:\n", row, 1);
    scene.apply(&policy);
    let mut browser = Browser::new();
    let page = sign_in(scene, &mut browser, "admin-ada").await;
    assert!(
        page.text.contains("with the rights of operators"),
        "{}",
        page.text
    );
    assert!(page.text.contains("<td>read</td>"), "{}", page.text);
    assert_eq!(scene.session_events()[0]["detail"]["client"], "operators");
    // Whom the policy shuts out gets no role from the configuration instead.
    scene.apply(&policy.replacen(
        "system: hris, roles",
        "system: hris, disabled: true, roles",
        1,
    ));
    assert!(!is_in(scene, &mut browser).await);
    let refused = sign_in(scene, &mut Browser::new(), "admin-ada").await;
    assert_eq!(refused.status, 403, "{refused:?}");
    // Without the row it is the configuration's role again.
    scene.apply(POLICY);
    let page = sign_in(scene, &mut Browser::new(), "admin-ada").await;
    assert!(
        page.text.contains("with the rights of hris"),
        "{}",
        page.text
    );
}

async fn answers_to_no_sign_in_of_this_browser_are_refused(scene: &Scene) {
    let origin = scene.origin();
    let callback = format!("{origin}/sign-in/callback");
    let mut browser = Browser::new();
    assert_eq!(
        browser
            .get(&format!("{callback}?code=x&state=y"))
            .await
            .status,
        400
    );
    browser
        .get_until(&format!("{origin}/sign-in"), &scene.provider.issuer)
        .await;
    let state = |browser: &Browser| {
        let secret = browser.cookie(&origin, "muster-sign-in").unwrap();
        let digest = Sha256::digest(format!("state\0{secret}"));
        URL_SAFE_NO_PAD.encode(digest)
    };
    // One wrong answer ends the attempt, so each has its own.
    for (parameters, status) in [
        ("code=x&state=y", 400),
        ("code=x", 400),
        ("code=x&state=STATE&iss=https://evil.example", 400),
        ("error=access_denied&state=STATE", 403),
        ("state=STATE", 403),
        ("code=guessed&state=STATE", 403),
    ] {
        browser
            .get_until(&format!("{origin}/sign-in"), &scene.provider.issuer)
            .await;
        let query = parameters.replace("STATE", &state(&browser));
        let page = browser.get(&format!("{callback}?{query}")).await;
        assert_eq!(page.status, status, "{parameters}: {page:?}");
        assert!(page.header("content-security-policy").contains("'none'"));
        assert!(!page.text.contains("evil") && !page.text.contains("guessed"));
        assert_eq!(
            browser.cookie(&origin, "muster-sign-in"),
            None,
            "{parameters}"
        );
        assert_eq!(browser.cookie(&origin, "muster"), None, "{parameters}");
    }
}

async fn a_code_is_good_once_and_for_its_own_browser(scene: &Scene) {
    let origin = scene.origin();
    let callback = format!("{origin}/sign-in/callback");
    let mut ada = Browser::new();
    let stopped = sign_in_until(scene, &mut ada, "admin-ada", &callback).await;
    let answer = stopped.url.as_str().to_owned();
    // Somebody else is sent to it: a session as Ada would be planted on them.
    let mut eve = Browser::new();
    assert_eq!(eve.get(&answer).await.status, 400);
    eve.get_until(&format!("{origin}/sign-in"), &scene.provider.issuer)
        .await;
    assert_eq!(eve.get(&answer).await.status, 400);
    let attempt = ada.cookie(&origin, "muster-sign-in").unwrap().to_owned();
    assert_eq!(ada.get(&answer).await.url.path(), "/me");
    // With the cookie of the attempt put back the provider knows the code as used.
    ada.plant(&origin, "muster-sign-in", &attempt);
    assert_eq!(ada.get(&answer).await.status, 403);
}

async fn names_from_the_provider_are_shown_as_text(scene: &Scene) {
    let mut browser = Browser::new();
    let page = sign_in(
        scene,
        &mut browser,
        "admin%3Cscript%3Ealert(1)%3C/script%3E%22%27",
    )
    .await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(!page.text.contains("<script"), "{}", page.text);
    assert!(
        page.text
            .contains("admin&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;"),
        "{}",
        page.text
    );
}

async fn signing_in_goes_on_after_the_provider_has_changed_its_keys(scene: &Scene) {
    let mut first = Browser::new();
    assert_eq!(sign_in(scene, &mut first, "admin-ada").await.status, 200);
    scene.provider.keys("replace").await;
    let mut second = Browser::new();
    assert_eq!(sign_in(scene, &mut second, "admin-bea").await.status, 200);
    assert!(is_in(scene, &mut first).await);
}
