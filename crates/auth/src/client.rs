//! Who asks and how the request travelled, seen past the proxies in front of us.
//!
//! Both are security inputs: addresses limit keys and failures, plain HTTP refuses them. So
//! everything a proxy says here is either understood completely or refused.

mod forwarded;
mod hop;
mod networks;
mod x_forwarded;

use std::net::IpAddr;
use std::str::FromStr;

use keystile_domain::{Network, NetworkError, Transport};

pub use networks::Networks;

use crate::RequestView;
use hop::{Hop, Node};

/// Where a request comes from and how it travelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a plain pair")]
pub struct ClientOrigin {
    /// The client's address; IPv4 is never written as IPv6.
    pub address: IpAddr,
    /// Whether anybody on the way could read the request.
    pub transport: Transport,
}

/// Why it cannot be told who asks. Such a request is denied, never judged by what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OriginError {
    /// `Forwarded` and `X-Forwarded-*` tell two stories: one of them is the client's own.
    #[error("Forwarded and X-Forwarded-* name different clients")]
    Contradiction,
    /// A trusted proxy hides its client (`for=unknown`, `for=_name`, or no `for`).
    #[error("a trusted proxy hides its client's address")]
    Hidden,
    /// A header of a trusted proxy does not follow its grammar.
    #[error("a forwarding header cannot be understood")]
    Unreadable,
}

/// The proxies whose word about their clients counts. By default there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Networks);

/// Why a text is no list of trusted proxies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustedProxiesError {
    /// A range holds every address: any client could then name any address as its own.
    #[error("must not trust every address; name the networks of your proxies")]
    Everybody,
    /// An entry is no network.
    #[error(transparent)]
    Network(#[from] NetworkError),
}

impl TrustedProxies {
    /// Whether the address is one of them.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(address)
    }

    /// Tells who asks, and whether the request travelled securely.
    ///
    /// Only a trusted peer's headers are read. Their hops are walked from the right, where the
    /// peer writes, for as long as the hop is a trusted proxy itself; the first that is not is the
    /// client. If all are, the leftmost is. What stands left of the client is its own invention:
    /// it must be readable and means nothing else.
    ///
    /// The scheme is that of the client's hop. In `X-Forwarded-Proto` a single value holds for
    /// all hops, several are counted from the right like the addresses. Without
    /// `X-Forwarded-For` the peer counts as the client.
    ///
    /// A proxy that writes one family of headers may pass on what the client wrote in the other.
    /// So where both are present they must come to the same client and the same scheme.
    ///
    /// TLS on our own socket is secure whatever a proxy says. `insecure_http_from` is asked only
    /// where no proxy speaks, since plain HTTP from a proxy says nothing about its client.
    ///
    /// # Errors
    ///
    /// An [`OriginError`] if a trusted peer's headers do not settle it.
    pub fn origin(
        &self,
        request: &impl RequestView,
        insecure_http_from: &Networks,
    ) -> Result<ClientOrigin, OriginError> {
        let peer = request.peer().to_canonical();
        let told = if self.0.contains(peer) { self.told(request, peer)? } else { None };
        let mut origin = told.unwrap_or_else(|| ClientOrigin {
            address: peer,
            transport: secure_if(insecure_http_from.contains(peer)),
        });
        if request.is_tls() {
            origin.transport = Transport::Secure;
        }
        Ok(origin)
    }

    /// What the trusted proxy at `peer` says, if it says anything.
    fn told(
        &self,
        request: &impl RequestView,
        peer: IpAddr,
    ) -> Result<Option<ClientOrigin>, OriginError> {
        let forwarded = self.client_among(&forwarded::hops(request)?)?;
        let x_forwarded = self.client_among(&x_forwarded::hops(request, peer)?)?;
        match (forwarded, x_forwarded) {
            (Some(one), Some(other)) if one != other => Err(OriginError::Contradiction),
            (forwarded, x_forwarded) => Ok(forwarded.or(x_forwarded)),
        }
    }

    /// The first hop, from the nearest, that is no trusted proxy.
    fn client_among(&self, hops: &[Hop]) -> Result<Option<ClientOrigin>, OriginError> {
        let is_client = |hop: &&Hop| match hop.node {
            Node::Address(address) => !self.0.contains(address),
            Node::Hidden => true,
        };
        match hops.iter().find(is_client).or(hops.last()) {
            None => Ok(None),
            Some(Hop { node: Node::Hidden, .. }) => Err(OriginError::Hidden),
            Some(Hop { node: Node::Address(address), transport }) => {
                Ok(Some(ClientOrigin { address: *address, transport: *transport }))
            }
        }
    }
}

impl TryFrom<Networks> for TrustedProxies {
    type Error = TrustedProxiesError;

    fn try_from(networks: Networks) -> Result<Self, TrustedProxiesError> {
        if networks.iter().any(holds_every_address) {
            return Err(TrustedProxiesError::Everybody);
        }
        Ok(Self(networks))
    }
}

impl FromStr for TrustedProxies {
    type Err = TrustedProxiesError;

    /// Reads addresses and CIDR ranges divided by commas.
    fn from_str(text: &str) -> Result<Self, TrustedProxiesError> {
        text.parse::<Networks>()?.try_into()
    }
}

/// A range that holds both ends of a family holds all between them.
fn holds_every_address(network: &Network) -> bool {
    let holds = |first: IpAddr, last: IpAddr| network.contains(first) && network.contains(last);
    holds([0; 4].into(), [u8::MAX; 4].into()) || holds([0_u8; 16].into(), [u8::MAX; 16].into())
}

fn secure_if(is_secure: bool) -> Transport {
    if is_secure { Transport::Secure } else { Transport::Insecure }
}

#[cfg(test)]
mod tests;
