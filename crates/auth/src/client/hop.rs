//! One step of a request's way, in the words that both families of headers share.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use keystile_domain::Transport;

use super::{OriginError, secure_if};

/// What one proxy says about the party that called it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hop {
    pub(super) node: Node,
    pub(super) transport: Transport,
}

/// The party that called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Address(IpAddr),
    /// The proxy does not know it or does not say.
    Hidden,
}

impl Node {
    /// Reads a node (RFC 7239, section 6), or what is seen beside it in `X-Forwarded-For`: IPv6
    /// without brackets. The port is checked and dropped.
    pub(super) fn parse(text: &str) -> Result<Self, OriginError> {
        match text.parse::<IpAddr>() {
            Ok(address) => Ok(Self::Address(address.to_canonical())),
            Err(_) => Self::with_port(text).ok_or(OriginError::Unreadable),
        }
    }

    fn with_port(text: &str) -> Option<Self> {
        let (node, port) = match text.strip_prefix('[') {
            Some(bracketed) => {
                let (address, port) = bracketed.split_once(']')?;
                let address: Ipv6Addr = address.parse().ok()?;
                (Self::Address(address.to_canonical()), port)
            }
            None => {
                let (name, port) = text.split_at(text.find(':').unwrap_or(text.len()));
                (Self::named(name)?, port)
            }
        };
        (port.is_empty() || port.strip_prefix(':').is_some_and(is_port)).then_some(node)
    }

    fn named(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("unknown") || is_obfuscated(name) {
            return Some(Self::Hidden);
        }
        let address: Ipv4Addr = name.parse().ok()?;
        Some(Self::Address(address.into()))
    }
}

/// Reads a scheme (RFC 3986, section 3.1); only `https` is secure.
pub(super) fn parse_scheme(text: &str) -> Result<Transport, OriginError> {
    let continues = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    if !text.starts_with(|c: char| c.is_ascii_alphabetic()) || !text.bytes().all(continues) {
        return Err(OriginError::Unreadable);
    }
    Ok(secure_if(text.eq_ignore_ascii_case("https")))
}

fn is_port(port: &str) -> bool {
    let is_number = (1..=5).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_digit());
    is_number || is_obfuscated(port)
}

fn is_obfuscated(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    name.strip_prefix('_').is_some_and(|rest| !rest.is_empty() && rest.bytes().all(allowed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::address;

    #[test]
    fn a_node_is_read_with_and_without_port_and_brackets() {
        for (text, expected) in [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1:80", "192.0.2.1"),
            ("192.0.2.1:_port", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("[::ffff:192.0.2.1]:80", "192.0.2.1"),
        ] {
            assert_eq!(Node::parse(text), Ok(Node::Address(address(expected))), "{text}");
        }
    }

    #[test]
    fn an_unknown_or_obfuscated_node_is_hidden() {
        for text in ["unknown", "UNKNOWN", "unknown:80", "_hidden", "_a.b-c_d:_e"] {
            assert_eq!(Node::parse(text), Ok(Node::Hidden), "{text}");
        }
    }

    #[test]
    fn anything_else_is_unreadable() {
        for text in [
            "",
            " ",
            "a",
            "_",
            "localhost",
            "192.0.2",
            "192.0.2.1:",
            "192.0.2.1:123456",
            "192.0.2.1:-1",
            "192.0.2.1 ",
            "010.0.0.1",
            "[192.0.2.1]",
            "[2001:db8::1",
            "[]",
            "[::1]80",
            "[::1]:",
            "fe80::1%eth0",
            "_a b",
            "192.0.2.1/32",
        ] {
            assert_eq!(Node::parse(text), Err(OriginError::Unreadable), "{text}");
        }
    }

    #[test]
    fn only_https_is_secure() {
        assert_eq!(parse_scheme("HTTPS"), Ok(Transport::Secure));
        for text in ["http", "ws", "wss", "httpss", "h2c"] {
            assert_eq!(parse_scheme(text), Ok(Transport::Insecure), "{text}");
        }
        for text in ["", " https", "https ", "1", "https;", "hättps"] {
            assert_eq!(parse_scheme(text), Err(OriginError::Unreadable), "{text}");
        }
    }
}
