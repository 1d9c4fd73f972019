//! Where requests may go: an identity provider must not turn this server against its own network
//! neighbours, such as the metadata service of a cloud.
//!
//! Private networks are allowed, since identity providers live there. This machine is off limits
//! unless the authority itself is configured to be on it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use keystile_domain::Authority;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Whether a URL may be fetched for an authority: `https`, or `http` on this machine for an
/// authority that is on it by `http` itself.
///
/// Names other than `localhost` are judged by [`GuardedResolver`], when their addresses are known.
pub(crate) fn permits(authority: &Authority, url: &Url) -> bool {
    let (is_local, is_routed) = match url.host() {
        Some(Host::Domain(name)) => (name == LOCALHOST, name != LOCALHOST),
        Some(Host::Ipv4(address)) => judge(address.into()),
        Some(Host::Ipv6(address)) => judge(address.into()),
        None => (false, false),
    };
    let may_be_plain = is_local && authority.as_str().starts_with("http:");
    let travels_safely = url.scheme() == "https" || url.scheme() == "http" && may_be_plain;
    let is_anonymous = url.username().is_empty() && url.password().is_none();
    travels_safely && is_anonymous && (is_routed || is_local && authority.is_loopback())
}

/// Looks names up when a connection is made, and drops the addresses that are off limits: checking
/// a name beforehand would not help against one that then resolves to something else.
#[derive(Debug)]
pub(crate) struct GuardedResolver;

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> =
                found.filter(|address| may_name(name.as_str(), address.ip())).collect();
            if allowed.is_empty() {
                return Err(io::Error::from(io::ErrorKind::PermissionDenied).into());
            }
            let addresses: Addrs = Box::new(allowed.into_iter());
            Ok(addresses)
        })
    }
}

/// Whether a name may stand for an address. Only `localhost` is this machine.
fn may_name(name: &str, address: IpAddr) -> bool {
    let (is_local, is_routed) = judge(address);
    if name == LOCALHOST { is_local } else { is_routed }
}

/// Whether an address is this machine, and whether it is one that a provider may have elsewhere.
fn judge(address: IpAddr) -> (bool, bool) {
    match address {
        IpAddr::V4(address) => (address.is_loopback(), is_routed_v4(address)),
        IpAddr::V6(address) => (address.is_loopback(), is_routed_v6(address)),
    }
}

fn is_routed_v4(address: Ipv4Addr) -> bool {
    let [first, ..] = address.octets();
    !(first == 0
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast())
}

fn is_routed_v6(address: Ipv6Addr) -> bool {
    match embedded_v4(address) {
        Some(address) => is_routed_v4(address),
        None => !(address.is_multicast() || address.is_unicast_link_local()),
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped or compatible (RFC 4291, section
/// 2.5.5), which `::` and `::1` are too, or translated (RFC 6052, section 2.1).
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.octets() {
        [0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d] => {
            Some(Ipv4Addr::new(a, b, c, d))
        }
        _ => address.to_ipv4(),
    }
}

const LOCALHOST: &str = "localhost";

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(authority: &str, url: &str) -> bool {
        super::permits(&authority.parse().unwrap(), &url.parse().unwrap())
    }

    #[test]
    fn an_authority_elsewhere_leads_to_https_elsewhere() {
        for url in [
            "https://idp.example/keys",
            "https://keys.idp.example:8443/keys",
            "https://10.0.0.5/keys",
            "https://192.168.1.1/keys",
            "https://[fd00::5]/keys",
            "https://[2001:db8::1]/keys",
        ] {
            assert!(permits("https://idp.example", url), "{url}");
        }
    }

    #[test]
    fn nothing_elsewhere_is_fetched_without_tls_or_with_a_name_and_a_password() {
        for url in [
            "http://idp.example/keys",
            "http://10.0.0.5/keys",
            "ftp://idp.example/keys",
            "file:///etc/passwd",
            "data:application/json,{}",
            "https://user@idp.example/keys",
            "https://user:secret@idp.example/keys",
        ] {
            assert!(!permits("https://idp.example", url), "{url}");
            assert!(!permits("http://127.0.0.1:5556", url), "{url}");
        }
    }

    #[test]
    fn no_authority_elsewhere_leads_to_this_machine_or_its_link_in_any_spelling() {
        for host in [
            "localhost",
            "LOCALHOST",
            "127.0.0.1",
            "127.9.9.9",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "2852039166",
            "224.0.0.1",
            "255.255.255.255",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:169.254.169.254]",
            "[::127.0.0.1]",
            "[64:ff9b::169.254.169.254]",
            "[fe80::1]",
            "[ff02::1]",
        ] {
            for scheme in ["https", "http"] {
                let url = format!("{scheme}://{host}/keys");
                assert!(!permits("https://idp.example", &url), "{url}");
            }
        }
    }

    #[test]
    fn an_authority_on_this_machine_may_lead_to_this_machine() {
        for host in ["localhost:1", "127.0.0.1:1", "127.0.0.2", "[::1]:1"] {
            let (plain, safe) = (format!("http://{host}/k"), format!("https://{host}/k"));
            assert!(permits("http://127.0.0.1:5556", &plain), "{plain}");
            assert!(permits("http://localhost:5556", &safe), "{safe}");
            assert!(permits("https://localhost:5556", &safe), "{safe}");
            assert!(!permits("https://localhost:5556", &plain), "{plain}");
        }
        for url in ["https://169.254.169.254/k", "http://169.254.169.254/k", "https://0.0.0.0/k"] {
            assert!(!permits("http://127.0.0.1:5556", url), "{url}");
        }
    }

    #[test]
    fn a_name_that_stands_for_this_machine_is_dropped_unless_it_says_so() {
        let [here, v6, link, private] =
            ["127.0.0.1", "::1", "169.254.169.254", "10.0.0.5"].map(|ip| ip.parse().unwrap());
        assert!(may_name("localhost", here) && may_name("localhost", v6));
        assert!(!may_name("localhost", link) && !may_name("localhost", private));
        assert!(may_name("idp.example", private));
        for address in [here, v6, link] {
            assert!(!may_name("idp.example", address));
            assert!(!may_name("idp.localhost", address));
        }
    }

    #[tokio::test]
    async fn the_resolver_finds_this_machine_by_its_own_name_alone() {
        let resolve = |name: &str| GuardedResolver.resolve(name.parse().unwrap());
        assert!(resolve("localhost").await.unwrap().all(|address| address.ip().is_loopback()));
        assert!(resolve("127.0.0.1").await.is_err());
        assert!(resolve("169.254.169.254").await.is_err());
    }
}
