//! A browser: it keeps cookies for each host, follows redirects and sends forms.

use std::collections::BTreeMap;

use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::{Client, Method, Url};

use crate::support::client;

/// What it shows in the end.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) url: Url,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Page {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The value of a hidden field.
    pub(crate) fn field(&self, name: &str) -> String {
        let field = format!("name=\"{name}\" value=\"");
        let (_, rest) = self
            .text
            .split_once(&field)
            .unwrap_or_else(|| panic!("no {name}: {}", self.text));
        rest.split('"').next().unwrap().to_owned()
    }
}

/// The browser. Paths of cookies do not matter here: the newest of a name is sent.
pub(crate) struct Browser {
    http: Client,
    /// Host and port, name, value.
    cookies: BTreeMap<(String, String), String>,
    /// Every cookie that was set, as it was set.
    pub(crate) seen: Vec<String>,
    /// Every address that was called.
    pub(crate) called: Vec<Url>,
}

impl Browser {
    pub(crate) fn new() -> Self {
        Self {
            http: client::http(),
            cookies: BTreeMap::new(),
            seen: Vec::new(),
            called: Vec::new(),
        }
    }

    pub(crate) async fn get(&mut self, url: &str) -> Page {
        self.go(Method::GET, url.parse().unwrap(), None, "").await
    }

    /// Follows redirects until one leads to an address that begins like this; it is not called.
    pub(crate) async fn get_until(&mut self, url: &str, stop: &str) -> Page {
        self.go(Method::GET, url.parse().unwrap(), None, stop).await
    }

    pub(crate) async fn post(&mut self, url: &str, form: &str) -> Page {
        self.go(Method::POST, url.parse().unwrap(), Some(form), "")
            .await
    }

    pub(crate) async fn post_until(&mut self, url: &str, form: &str, stop: &str) -> Page {
        self.go(Method::POST, url.parse().unwrap(), Some(form), stop)
            .await
    }

    /// The value of a cookie for an address.
    pub(crate) fn cookie(&self, url: &str, name: &str) -> Option<&str> {
        let key = (host(&url.parse().unwrap()), name.to_owned());
        self.cookies.get(&key).map(String::as_str)
    }

    /// Puts a cookie where it did not come from.
    pub(crate) fn plant(&mut self, url: &str, name: &str, value: &str) {
        let key = (host(&url.parse().unwrap()), name.to_owned());
        self.cookies.insert(key, value.into());
    }

    async fn go(&mut self, method: Method, url: Url, form: Option<&str>, stop: &str) -> Page {
        let (mut method, mut url, mut form) = (method, url, form.map(str::to_owned));
        for _ in 0..20 {
            let page = self.call(method, url, form.take()).await;
            let location = page.header(LOCATION.as_str());
            if !(300..400).contains(&page.status) {
                return page;
            }
            let next = page.url.join(location).unwrap();
            if !stop.is_empty() && next.as_str().starts_with(stop) {
                return Page { url: next, ..page };
            }
            (method, url) = (Method::GET, next);
        }
        panic!("it is sent around in circles");
    }

    async fn call(&mut self, method: Method, url: Url, form: Option<String>) -> Page {
        let host = host(&url);
        let cookies = self.cookies.iter().filter(|((of, _), _)| *of == host);
        let cookies: Vec<String> = cookies
            .map(|((_, name), value)| format!("{name}={value}"))
            .collect();
        let mut request = self
            .http
            .request(method, url.clone())
            .header(COOKIE, cookies.join("; "));
        if let Some(form) = form {
            request = request
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form);
        }
        let answer = request.send().await.unwrap();
        for cookie in answer.headers().get_all(SET_COOKIE) {
            self.keep(&host, cookie.to_str().unwrap());
        }
        self.called.push(url.clone());
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Page {
            url,
            status,
            headers,
            text: answer.text().await.unwrap(),
        }
    }

    fn keep(&mut self, host: &str, cookie: &str) {
        self.seen.push(cookie.to_owned());
        let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
        let (name, value) = pair.split_once('=').unwrap();
        let key = (host.to_owned(), name.to_owned());
        if value.is_empty() || attributes.contains("Max-Age=0") {
            self.cookies.remove(&key);
        } else {
            self.cookies.insert(key, value.to_owned());
        }
    }
}

fn host(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap(), url.port().unwrap())
}
