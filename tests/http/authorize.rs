//! People sign in at the embedded issuer: the code flow, and what it refuses.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Client, Url, redirect};
use sha2::{Digest, Sha256};

use super::app::{Answer, App, send};

const FORM: &str = "application/x-www-form-urlencoded";
const CALLBACK: &str = "http://127.0.0.1:9/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// The server, and a client that follows no redirect.
struct Scene {
    app: App,
    http: Client,
}

impl Scene {
    fn new() -> Self {
        let http = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            app: App::start(),
            http,
        }
    }

    async fn get(&self, path: &str, cookie: &str) -> Answer {
        let url = format!("{}{path}", self.app.origin);
        send(self.http.get(url).header("cookie", cookie)).await
    }

    async fn post(&self, path: &str, body: String) -> Answer {
        let request = self.http.post(format!("{}{path}", self.app.origin));
        send(request.header("content-type", FORM).body(body)).await
    }

    /// A code for `crm`'s own code flow, as it comes back in the address.
    async fn code(&self) -> String {
        let answer = self
            .post("/dev/authorize", format!("{}&who=ats", asked()))
            .await;
        assert_eq!(answer.status, 303, "{answer:?}");
        let address = Url::parse(answer.header("location")).unwrap();
        assert!(address.as_str().starts_with(CALLBACK));
        let code = address.query_pairs().find(|(name, _)| name == "code");
        code.unwrap().1.into_owned()
    }

    async fn redeem(&self, client: &str, code: &str, redirect: &str, verifier: &str) -> Answer {
        let body = format!(
            "grant_type=authorization_code&code={code}&redirect_uri={redirect}&code_verifier={verifier}"
        );
        let request = self.http.post(format!("{}/dev/token", self.app.origin));
        let request = request.basic_auth(client, Some(format!("{client}-secret")));
        send(request.header("content-type", FORM).body(body)).await
    }
}

fn asked() -> String {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    format!(
        "response_type=code&client_id=crm&redirect_uri={CALLBACK}&scope=openid&state=%22%3Cx%3E&nonce=n\
         &code_challenge={challenge}&code_challenge_method=S256"
    )
}

#[actix_web::test]
async fn in_dev_mode_one_signs_in_as_any_client_and_may_do_what_it_may() {
    let scene = Scene::new();
    let begun = scene.get("/sign-in", "").await;
    assert_eq!(begun.status, 303, "{begun:?}");
    let attempt = begun
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let address = Url::parse(begun.header("location")).unwrap();
    assert_eq!(address.path(), "/dev/authorize");
    let page = scene
        .get(&format!("/dev/authorize?{}", address.query().unwrap()), "")
        .await;
    assert!(
        page.status == 200 && page.text.contains("value=\"verifier\""),
        "{page:?}"
    );
    let chosen = format!("{}&who=verifier", address.query().unwrap());
    let back = scene.post("/dev/authorize", chosen).await;
    let back = Url::parse(back.header("location")).unwrap();
    assert_eq!(back.path(), "/sign-in/callback");
    let path = format!("{}?{}", back.path(), back.query().unwrap());
    let done = scene.get(&path, &attempt).await;
    assert_eq!(
        (done.status.as_u16(), done.header("location")),
        (303, "/me"),
        "{done:?}"
    );
    let mut cookies = done
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|value| value.to_str().unwrap());
    let session = cookies
        .find(|cookie| cookie.starts_with("muster="))
        .unwrap();
    let me = scene.get("/me", session.split(';').next().unwrap()).await;
    assert!(me.text.contains("with the rights of verifier"), "{me:?}");
    assert!(
        me.text
            .contains("<th scope=\"row\">Person</th><td>read, search</td>"),
        "{me:?}"
    );
}

#[actix_web::test]
async fn a_code_is_good_once_for_its_client_address_and_verifier() {
    let scene = Scene::new();
    for (client, redirect, verifier) in [
        ("hris", CALLBACK, VERIFIER),
        ("crm", "http://127.0.0.1:9/other", VERIFIER),
        (
            "crm",
            CALLBACK,
            "another-verifier-of-at-least-43-characters-",
        ),
        ("crm", CALLBACK, ""),
    ] {
        let code = scene.code().await;
        let refused = scene.redeem(client, &code, redirect, verifier).await;
        assert_eq!(
            (refused.status.as_u16(), refused.json()["error"].as_str()),
            (400, Some("invalid_grant"))
        );
        // And it is used up.
        assert_eq!(
            scene.redeem("crm", &code, CALLBACK, VERIFIER).await.status,
            400
        );
    }
    let code = scene.code().await;
    let good = scene.redeem("crm", &code, CALLBACK, VERIFIER).await;
    assert_eq!(good.status, 200, "{good:?}");
    let token = good.json()["access_token"].as_str().unwrap().to_owned();
    let people = scene
        .app
        .anonymous(reqwest::Method::GET, "/Persons")
        .bearer_auth(token);
    assert_eq!(send(people).await.status, 200);
    // The ID token opens nothing: it is for the client, not for this server.
    let token = good.json()["id_token"].as_str().unwrap().to_owned();
    let people = scene
        .app
        .anonymous(reqwest::Method::GET, "/Persons")
        .bearer_auth(token);
    assert_eq!(send(people).await.status, 401);
    assert_eq!(
        scene.redeem("crm", &code, CALLBACK, VERIFIER).await.status,
        400
    );
    assert_eq!(
        scene
            .redeem("crm", "guessed", CALLBACK, VERIFIER)
            .await
            .status,
        400
    );
}

#[actix_web::test]
async fn nobody_is_sent_to_another_machine_or_on_without_pkce() {
    let scene = Scene::new();
    for (from, to) in [
        (CALLBACK, "https://evil.example/"),
        (CALLBACK, "http://127.0.0.1.evil.example/"),
        (CALLBACK, "javascript:alert(1)"),
        (CALLBACK, ""),
        ("client_id=crm", "client_id=nobody"),
        ("response_type=code", "response_type=token"),
        ("S256", "plain"),
        ("code_challenge=", "x="),
        ("&who=ats", "&who=nobody"),
        ("&who=ats", ""),
    ] {
        let whole = format!("{}&who=ats", asked());
        assert!(whole.contains(from), "{from}");
        let refused = scene
            .post("/dev/authorize", whole.replacen(from, to, 1))
            .await;
        assert_eq!(refused.status, 400, "{to}: {refused:?}");
        assert_eq!(refused.header("location"), "");
    }
    // What is asked for is shown as text.
    let page = scene.get(&format!("/dev/authorize?{}", asked()), "").await;
    assert!(page.text.contains("value=\"&quot;&lt;x&gt;\""), "{page:?}");
}
