//! A list of networks, as settings write it.

use std::net::IpAddr;
use std::str::FromStr;

use keystile_domain::{Network, NetworkError};

/// Networks, possibly none: unlike a key's allowed addresses, an empty list holds no address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

impl Networks {
    /// The loopback interface: plain HTTP there never leaves the machine.
    #[must_use]
    pub fn loopback() -> Self {
        "127.0.0.0/8, ::1".parse().unwrap_or_default()
    }

    /// Whether the address lies in one of them.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// The networks, in the order given.
    pub fn iter(&self) -> impl Iterator<Item = &Network> {
        self.0.iter()
    }
}

impl FromIterator<Network> for Networks {
    fn from_iter<I: IntoIterator<Item = Network>>(networks: I) -> Self {
        Self(networks.into_iter().collect())
    }
}

impl FromStr for Networks {
    type Err = NetworkError;

    /// Reads addresses and CIDR ranges divided by commas; a blank text is an empty list.
    fn from_str(text: &str) -> Result<Self, NetworkError> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        text.split(',').map(|network| network.trim().parse()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::address;

    #[test]
    fn a_list_holds_what_its_networks_hold() {
        let networks: Networks = "127.0.0.0/8, ::1 ,2001:db8::/32".parse().unwrap();
        for (text, expected) in [
            ("127.9.9.9", true),
            ("::ffff:127.0.0.1", true),
            ("::1", true),
            ("2001:db8:1::2", true),
            ("128.0.0.1", false),
            ("::2", false),
        ] {
            assert_eq!(networks.contains(address(text)), expected, "{text}");
        }
    }

    #[test]
    fn the_loopback_interface_has_both_families() {
        let networks = Networks::loopback();
        for (text, expected) in [("127.0.0.1", true), ("::1", true), ("10.0.0.1", false)] {
            assert_eq!(networks.contains(address(text)), expected, "{text}");
        }
    }

    #[test]
    fn a_blank_list_holds_nothing() {
        for text in ["", " "] {
            let networks: Networks = text.parse().unwrap();
            assert!(!networks.contains(address("127.0.0.1")), "{text:?}");
        }
    }

    #[test]
    fn one_bad_entry_spoils_the_list() {
        for text in ["*", "127.0.0.1,", ",", "10.0.0.0/33", "10.0.0.0/8 ::1", "localhost"] {
            assert!(text.parse::<Networks>().is_err(), "{text}");
        }
    }
}
