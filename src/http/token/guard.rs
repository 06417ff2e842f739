//! Where an issuer's document may lead us: keys on another host than the one the operator configured must be on a public
//! address, unless the issuer itself is inside. Else a document from outside could have us call this network's own
//! services (OWASP, server-side request forgery).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use openidconnect::reqwest::dns::{Addrs, Name, Resolve, Resolving};
use openidconnect::url::{Host, Url};

/// Why an address is not called.
#[derive(Clone, Debug, thiserror::Error)]
pub(in crate::http) enum Forbidden {
    /// Keys decide who is let in, so nobody on the way may change them.
    #[error("'{0}' must begin with https://")]
    Plain(Url),
    /// A name or an address within a network.
    #[error("'{0}' is not on a public address, and its issuer is")]
    Inside(String),
    /// The name is unknown.
    #[error("'{0}' cannot be looked up: {1}")]
    Unknown(String, String),
}

/// The host that the operator configured: it may be anywhere.
#[derive(Clone, Debug)]
pub(super) struct Home(Option<Host<String>>);

impl Home {
    /// The host of a URL.
    pub(super) fn of(url: &Url) -> Self {
        Self(url.host().map(|host| host.to_owned()))
    }

    /// Checks what can be told by the URL alone. Answers the rest of the check, for the address that its name has when
    /// it is called: of a name checked before, the address could change in between.
    pub(super) async fn check(&self, url: &Url) -> Result<Option<Guard>, Forbidden> {
        let host = url.host().map(|host| host.to_owned());
        if url.scheme() != "https" && !(url.scheme() == "http" && is_local(url)) {
            return Err(Forbidden::Plain(url.clone()));
        }
        if host.is_none() || host == self.0 {
            return Ok(None);
        }
        let guard = |name: &str| Guard {
            name: name.to_ascii_lowercase(),
            home: self.clone(),
        };
        let address: IpAddr = match &host {
            Some(Host::Domain(name)) => return Ok(Some(guard(name))),
            Some(Host::Ipv4(address)) => (*address).into(),
            Some(Host::Ipv6(address)) => (*address).into(),
            None => return Ok(None),
        };
        if is_public(address) || self.is_inside().await {
            return Ok(None);
        }
        Err(Forbidden::Inside(url.to_string()))
    }

    /// Whether the host is within a network itself. If nobody can say it is not.
    async fn is_inside(&self) -> bool {
        match &self.0 {
            Some(Host::Ipv4(address)) => !is_public((*address).into()),
            Some(Host::Ipv6(address)) => !is_public((*address).into()),
            Some(Host::Domain(name)) => lookup(name)
                .await
                .is_ok_and(|all| all.iter().any(|address| !is_public(address.ip()))),
            None => false,
        }
    }
}

/// Looks names up, and keeps the addresses of one of them public. Others are those of a proxy, which the operator chose.
#[derive(Clone)]
pub(super) struct Guard {
    name: String,
    home: Home,
}

impl Guard {
    async fn look_up(self, name: String) -> Result<Vec<SocketAddr>, Forbidden> {
        let found = lookup(&name).await?;
        let inside = found.iter().any(|address| !is_public(address.ip()));
        if name.eq_ignore_ascii_case(&self.name) && inside && !self.home.is_inside().await {
            return Err(Forbidden::Inside(name));
        }
        Ok(found)
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.clone().look_up(name.as_str().to_owned());
        Box::pin(async move {
            let addresses: Addrs = Box::new(found.await?.into_iter());
            Ok(addresses)
        })
    }
}

impl Guard {
    /// As the HTTP client wants it.
    pub(super) fn shared(self) -> Arc<Self> {
        Arc::new(self)
    }
}

async fn lookup(name: &str) -> Result<Vec<SocketAddr>, Forbidden> {
    let found = tokio::net::lookup_host((name, 0)).await;
    found
        .map(Iterator::collect)
        .map_err(|error| Forbidden::Unknown(name.to_owned(), error.to_string()))
}

/// Whether a URL names this machine, where no proxy leads.
pub(super) fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether an address is one of the internet's (RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let shared = first == 100 && (64..128).contains(&second); // RFC 6598
    let assigned = first == 192 && second == 0 && third == 0;
    let measured = first == 198 && (second == 18 || second == 19); // RFC 2544
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || shared
        || assigned
        || measured
        || first == 0
        || first >= 224)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let [.., high, low] = segments;
    let last = || Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    // An IPv4 address within: mapped (RFC 4291 §2.5.5.2), or translated (RFC 6052).
    if address.to_ipv4_mapped().is_some() || segments[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
        return is_public_v4(last());
    }
    // All that is handed out is in 2000::/3; of it 2001:db8::/32 is for documents, 2002::/16 holds IPv4 addresses.
    segments[0] & 0xe000 == 0x2000
        && !(segments[0] == 0x2001 && segments[1] == 0xdb8)
        && segments[0] != 0x2002
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(url: &str) -> Home {
        Home::of(&Url::parse(url).unwrap())
    }

    async fn refused(home: &Home, url: &str) -> bool {
        let url = Url::parse(url).unwrap();
        match home.check(&url).await {
            Err(_) => true,
            Ok(None) => false,
            Ok(Some(guard)) => {
                let name = guard.name.clone();
                guard.look_up(name).await.is_err()
            }
        }
    }

    #[test]
    fn addresses_within_networks_are_not_public() {
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "192.0.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fd00::1",
            "fe80::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "2001:db8::1",
            "::10.0.0.1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
        for outside in [
            "20.190.128.1",
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "2603:1006:2000::1",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
        ] {
            assert!(is_public(outside.parse().unwrap()), "{outside}");
        }
    }

    #[actix_web::test]
    async fn a_public_issuer_does_not_lead_into_a_network() {
        let public = home("https://20.190.128.1/people");
        for url in [
            "https://10.0.0.1/keys",
            "https://127.0.0.1:8443/keys",
            "https://[::1]/keys",
            "https://169.254.169.254/latest",
            "https://localhost/keys",
            "https://[::ffff:192.168.0.1]/keys",
            "https://0x7f.1/keys",
            "https://2130706433/keys",
        ] {
            assert!(refused(&public, url).await, "{url}");
        }
        for url in ["https://20.190.128.1/keys", "https://1.1.1.1/keys"] {
            assert!(!refused(&public, url).await, "{url}");
        }
    }

    #[actix_web::test]
    async fn an_issuer_within_a_network_may_have_its_keys_on_another_host_of_it() {
        for inside in ["https://10.0.0.9/people", "http://localhost:3000"] {
            let inside = home(inside);
            for url in [
                "https://10.0.0.1/keys",
                "http://127.0.0.1:1/keys",
                "https://localhost/keys",
            ] {
                assert!(!refused(&inside, url).await, "{url}");
            }
        }
    }

    #[actix_web::test]
    async fn plain_http_is_for_this_machine_alone() {
        for url in [
            "http://10.0.0.9/keys",
            "http://1.1.1.1/keys",
            "ftp://10.0.0.9/keys",
            "file:///etc/passwd",
        ] {
            assert!(
                refused(&home("https://10.0.0.9/people"), url).await,
                "{url}"
            );
        }
    }
}
