//! Networks in CIDR notation (RFC 4632, RFC 4291), and the addresses a key may be used from.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

/// A range of addresses: `10.0.0.0/8`, `2001:db8::/32`, or one address alone.
///
/// Bits behind the prefix must be zero, so that a typing mistake does not become a wider range than
/// was meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network(IpNet);

/// The text is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// Bits are set behind the prefix.
    #[error("has bits set behind the prefix; write the network's own address")]
    HostBits,
    /// It is no address and no CIDR range.
    #[error("must be an IP address or a range in CIDR notation, such as 10.0.0.0/8")]
    Syntax,
    /// More ranges than a key may have.
    #[error("must have at most 100 ranges")]
    TooMany,
}

impl Network {
    /// Whether the address lies in the range. An IPv4 address written as IPv6
    /// (`::ffff:192.0.2.1`) counts as the IPv4 address that it is.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let net = match (text.parse::<IpNet>(), text.parse::<IpAddr>()) {
            (Ok(net), _) => net,
            (Err(_), Ok(address)) => IpNet::from(address.to_canonical()),
            (Err(_), Err(_)) => return Err(NetworkError::Syntax),
        };
        if net.trunc() == net { Ok(Self(net)) } else { Err(NetworkError::HostBits) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The ranges that a key may be used from; an empty list allows every address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedIps(Box<[Network]>);

impl AllowedIps {
    /// Whether a request from `address` may use the key. With ranges, an unknown address may not.
    #[must_use]
    pub fn allow(&self, address: Option<IpAddr>) -> bool {
        self.0.is_empty()
            || address.is_some_and(|address| self.0.iter().any(|net| net.contains(address)))
    }

    /// Whether there are any ranges.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ranges, as they were given.
    pub fn iter(&self) -> std::slice::Iter<'_, Network> {
        self.0.iter()
    }
}

impl TryFrom<Vec<Network>> for AllowedIps {
    type Error = NetworkError;

    fn try_from(networks: Vec<Network>) -> Result<Self, NetworkError> {
        if networks.len() > 100 { Err(NetworkError::TooMany) } else { Ok(Self(networks.into())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(texts: &[&str]) -> AllowedIps {
        texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>().try_into().unwrap()
    }

    #[test]
    fn an_address_must_lie_in_one_of_the_ranges() {
        let ips = allowed(&["10.0.0.0/8", "2001:db8::1"]);
        for (address, expected) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("11.0.0.1", false),
            ("2001:db8::1", true),
            ("2001:db8::2", false),
        ] {
            assert_eq!(ips.allow(Some(address.parse().unwrap())), expected, "{address}");
        }
    }

    #[test]
    fn an_unknown_address_is_refused_only_where_there_are_ranges() {
        assert!(!allowed(&["10.0.0.0/8"]).allow(None));
        assert!(allowed(&[]).allow(None));
    }

    #[test]
    fn a_range_is_written_exactly() {
        assert_eq!("10.0.0.1/8".parse::<Network>(), Err(NetworkError::HostBits));
        for text in ["", "10.0.0.0/33", "example.com", "10.0.0", "*"] {
            assert_eq!(text.parse::<Network>(), Err(NetworkError::Syntax), "{text}");
        }
    }
}
