use proptest::prelude::*;

use super::*;
use crate::testing::{FakeRequest, address};

const CLIENT: &str = "203.0.113.9";
const PROXIES: &str = "10.0.0.0/8, 2001:db8::/32";

fn origin(request: &FakeRequest) -> Result<ClientOrigin, OriginError> {
    let proxies: TrustedProxies = PROXIES.parse().unwrap();
    proxies.origin(request, &"127.0.0.0/8,::1".parse().unwrap())
}

fn from(text: &str, transport: Transport) -> Result<ClientOrigin, OriginError> {
    Ok(ClientOrigin { address: address(text), transport })
}

fn secure(text: &str) -> Result<ClientOrigin, OriginError> {
    from(text, Transport::Secure)
}

fn insecure(text: &str) -> Result<ClientOrigin, OriginError> {
    from(text, Transport::Insecure)
}

/// A request from the trusted proxy `10.0.0.1`.
fn proxied(headers: &[(&str, &str)]) -> FakeRequest {
    headers.iter().fold(FakeRequest::new().peer("10.0.0.1"), |request, (name, value)| {
        request.header(name, value)
    })
}

#[test]
fn without_a_trusted_peer_no_header_is_read() {
    for (name, value) in [
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-For", "garbage"),
        ("X-Forwarded-Proto", "https"),
        ("Forwarded", "for=127.0.0.1;proto=https"),
        ("Forwarded", "\""),
    ] {
        let request = proxied(&[(name, value)]).peer(CLIENT);
        assert_eq!(origin(&request), insecure(CLIENT), "{name}: {value}");
    }
}

#[test]
fn by_default_no_peer_is_trusted() {
    let request = proxied(&[("X-Forwarded-For", CLIENT)]);
    let origin = TrustedProxies::default().origin(&request, &Networks::default());
    assert_eq!(origin, insecure("10.0.0.1"));
}

#[test]
fn plain_http_is_secure_only_from_the_networks_that_say_so() {
    for (peer, expected) in [
        ("127.0.0.1", secure("127.0.0.1")),
        ("::ffff:127.0.0.1", secure("127.0.0.1")),
        ("::1", secure("::1")),
        (CLIENT, insecure(CLIENT)),
        ("10.0.0.1", insecure("10.0.0.1")),
    ] {
        assert_eq!(origin(&FakeRequest::new().peer(peer)), expected, "{peer}");
    }
}

#[test]
fn tls_on_our_socket_is_secure() {
    assert_eq!(origin(&FakeRequest::new().peer(CLIENT).tls()), secure(CLIENT));
    let request = proxied(&[("X-Forwarded-For", CLIENT), ("X-Forwarded-Proto", "http")]).tls();
    assert_eq!(origin(&request), secure(CLIENT));
}

#[test]
fn a_proxy_speaks_for_its_client_even_from_a_network_that_counts_as_secure() {
    let proxies: TrustedProxies = "127.0.0.1".parse().unwrap();
    let insecure_http_from = "127.0.0.0/8".parse().unwrap();
    let request = FakeRequest::new().peer("127.0.0.1").header("X-Forwarded-For", CLIENT);
    assert_eq!(proxies.origin(&request, &insecure_http_from), insecure(CLIENT));
}

#[test]
fn the_client_is_the_first_hop_from_the_right_that_is_no_proxy() {
    for (hops, client) in [
        ("203.0.113.9", CLIENT),
        ("1.1.1.1, 203.0.113.9", CLIENT),
        ("10.0.0.9, 203.0.113.9", CLIENT),
        ("1.1.1.1, 203.0.113.9, 10.0.0.7, 10.0.0.2", CLIENT),
        ("unknown, 203.0.113.9, 10.0.0.7", CLIENT),
        ("203.0.113.9:1234", CLIENT),
        ("::ffff:203.0.113.9, ::ffff:10.0.0.7", CLIENT),
        ("2001:db8:1::1, 2001:db9::1", "2001:db9::1"),
        ("10.0.0.8, 10.0.0.7", "10.0.0.8"),
    ] {
        let request = proxied(&[("X-Forwarded-For", hops)]);
        assert_eq!(origin(&request), insecure(client), "{hops}");

        let elements: Vec<_> =
            hops.split(", ").map(|hop| format!("for=\"{}\"", bracketed(hop))).collect();
        let request = proxied(&[("Forwarded", &elements.join(", "))]);
        assert_eq!(origin(&request), insecure(client), "{elements:?}");
    }
}

fn bracketed(hop: &str) -> String {
    if hop.matches(':').count() > 1 { format!("[{hop}]") } else { hop.to_owned() }
}

#[test]
fn several_lines_are_one_list_in_their_order() {
    let request = proxied(&[("X-Forwarded-For", "1.1.1.1"), ("x-forwarded-for", CLIENT)]);
    assert_eq!(origin(&request), insecure(CLIENT));
    let request = proxied(&[("Forwarded", "for=1.1.1.1"), ("forwarded", "for=203.0.113.9")]);
    assert_eq!(origin(&request), insecure(CLIENT));
}

#[test]
fn the_scheme_is_that_of_the_clients_hop() {
    for (hops, schemes, expected) in [
        ("203.0.113.9", "https", secure(CLIENT)),
        ("203.0.113.9", "HTTPS", secure(CLIENT)),
        ("203.0.113.9", "http", insecure(CLIENT)),
        ("203.0.113.9", "https, http", insecure(CLIENT)),
        ("203.0.113.9, 10.0.0.7", "https", secure(CLIENT)),
        ("203.0.113.9, 10.0.0.7", "https, http", secure(CLIENT)),
        ("203.0.113.9, 10.0.0.7", "http, https", insecure(CLIENT)),
        ("1.1.1.1, 203.0.113.9, 10.0.0.7", "https, http, https", insecure(CLIENT)),
        ("203.0.113.9, 10.0.0.8, 10.0.0.7", "https, https", insecure(CLIENT)),
    ] {
        let request = proxied(&[("X-Forwarded-For", hops), ("X-Forwarded-Proto", schemes)]);
        assert_eq!(origin(&request), expected, "{hops} {schemes}");
    }
    for (line, expected) in [
        ("for=203.0.113.9;proto=https", secure(CLIENT)),
        ("proto=https;for=203.0.113.9", secure(CLIENT)),
        ("for=203.0.113.9;proto=http, for=10.0.0.7;proto=https", insecure(CLIENT)),
        ("for=203.0.113.9;proto=https, for=10.0.0.7;proto=http", secure(CLIENT)),
        ("for=1.1.1.1;proto=https, for=203.0.113.9", insecure(CLIENT)),
    ] {
        assert_eq!(origin(&proxied(&[("Forwarded", line)])), expected, "{line}");
    }
}

#[test]
fn a_scheme_alone_makes_the_peer_the_client() {
    assert_eq!(origin(&proxied(&[("X-Forwarded-Proto", "https")])), secure("10.0.0.1"));
    assert_eq!(origin(&proxied(&[("X-Forwarded-Proto", "http")])), insecure("10.0.0.1"));
}

#[test]
fn both_families_must_tell_one_story() {
    let both = |forwarded: &str, x: &[(&str, &str)]| {
        let mut headers = vec![("Forwarded", forwarded)];
        headers.extend_from_slice(x);
        origin(&proxied(&headers))
    };
    let x_for = ("X-Forwarded-For", CLIENT);
    assert_eq!(both("for=203.0.113.9", &[x_for]), insecure(CLIENT));
    assert_eq!(
        both("for=203.0.113.9;proto=https", &[x_for, ("X-Forwarded-Proto", "https")]),
        secure(CLIENT)
    );
    for (forwarded, x) in [
        ("for=1.1.1.1", vec![x_for]),
        ("for=203.0.113.9;proto=https", vec![x_for]),
        ("for=203.0.113.9;proto=https", vec![x_for, ("X-Forwarded-Proto", "http")]),
        ("for=203.0.113.9", vec![x_for, ("X-Forwarded-Proto", "https")]),
        ("for=203.0.113.9;proto=https", vec![("X-Forwarded-Proto", "https")]),
    ] {
        assert_eq!(both(forwarded, &x), Err(OriginError::Contradiction), "{forwarded} {x:?}");
    }
}

#[test]
fn what_a_proxy_says_and_we_cannot_read_is_refused() {
    for (name, value) in [
        ("X-Forwarded-For", ""),
        ("X-Forwarded-For", "a"),
        ("X-Forwarded-For", "a, 203.0.113.9"),
        ("X-Forwarded-For", "203.0.113.9,"),
        ("X-Forwarded-For", "203.0.113.9 10.0.0.7"),
        ("X-Forwarded-Proto", ""),
        ("X-Forwarded-Proto", "https;"),
        ("Forwarded", "203.0.113.9"),
        ("Forwarded", "for=a, for=203.0.113.9"),
    ] {
        let request = proxied(&[(name, value)]);
        assert_eq!(origin(&request), Err(OriginError::Unreadable), "{name}: {value}");
    }
    let request = proxied(&[]).header("X-Forwarded-For", b"203.0.113.9\xff");
    assert_eq!(origin(&request), Err(OriginError::Unreadable));
}

#[test]
fn a_client_that_a_trusted_proxy_hides_is_refused() {
    for (name, value) in [
        ("X-Forwarded-For", "unknown"),
        ("X-Forwarded-For", "203.0.113.9, unknown, 10.0.0.7"),
        ("Forwarded", "for=unknown"),
        ("Forwarded", "for=203.0.113.9, for=_hidden"),
        ("Forwarded", "for=203.0.113.9, proto=https"),
        ("Forwarded", "for=203.0.113.9,"),
        ("Forwarded", ""),
    ] {
        let request = proxied(&[(name, value)]);
        assert_eq!(origin(&request), Err(OriginError::Hidden), "{name}: {value}");
    }
}

#[test]
fn nobody_can_trust_everybody() {
    for text in ["0.0.0.0/0", "::/0", "10.0.0.0/8, 0.0.0.0/0"] {
        assert_eq!(text.parse::<TrustedProxies>(), Err(TrustedProxiesError::Everybody), "{text}");
    }
    for text in ["*", "10.0.0.0/8,", "proxy.example"] {
        assert!(
            matches!(text.parse::<TrustedProxies>(), Err(TrustedProxiesError::Network(_))),
            "{text}"
        );
    }
    for text in ["", "10.0.0.1", "0.0.0.0/1, 2001:db8::/32"] {
        assert!(text.parse::<TrustedProxies>().is_ok(), "{text}");
    }
}

proptest! {
    #[test]
    fn nothing_a_client_invents_changes_who_it_is(
        invented in proptest::collection::vec("(10\\.0\\.0\\.[1-9]|1\\.1\\.1\\.1|unknown|\\PC{0,9})", 0..4),
    ) {
        let mut hops = invented;
        hops.push(CLIENT.to_owned());
        match origin(&proxied(&[("X-Forwarded-For", &hops.join(", "))])) {
            Ok(origin) => prop_assert_eq!(origin.address, address(CLIENT)),
            Err(error) => prop_assert_eq!(error, OriginError::Unreadable),
        }
    }

    #[test]
    fn arbitrary_bytes_never_make_a_request_secure_by_accident(
        line in proptest::collection::vec(any::<u8>(), 0..60),
        name in "(Forwarded|X-Forwarded-For|X-Forwarded-Proto)",
    ) {
        let request = FakeRequest::new().peer("10.0.0.1").header(&name, &line);
        if let Ok(origin) = origin(&request) {
            let says_https = String::from_utf8_lossy(&line).to_ascii_lowercase().contains("https");
            prop_assert!(origin.transport == Transport::Insecure || says_https);
        }
    }

    #[test]
    fn what_follows_the_grammar_loosely_is_read_without_a_panic(
        line in "((for|proto|by|ext)?=?[\"\\\\\\[\\]:;, _a-f0-9.]{0,12}){0,6}",
    ) {
        let request = FakeRequest::new().peer("10.0.0.1").header("Forwarded", &line);
        if let Ok(origin) = origin(&request) {
            prop_assert_eq!(origin.address, origin.address.to_canonical());
        }
    }
}
