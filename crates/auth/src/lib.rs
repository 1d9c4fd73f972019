//! Tells who a request comes from and whether it may: the part of Keystile that other services
//! embed.
//!
//! It knows no database, and no web framework unless a feature asks for one. A request comes in as a [`RequestView`], what
//! is stored as a [`CredentialStore`](keystile_domain::CredentialStore), the time as a [`Clock`].
//!
//! The rooms, in the order in which a request walks through them:
//!
//! - [`RequestView`]: what of a request is looked at; an adapter of a few lines for each framework.
//! - [`TrustedProxies`]: who asks and how the request travelled, past the proxies in front of us.
//! - [`Chain`]: the one credential of a request, and the [`Place`] where it stood. What cannot be
//!   a credential ends here, without a look-up.
//! - [`Verifier`]: looks the credential up and lets [`decide`](keystile_domain::decide) judge it.
//! - [`Guard`]: all of that at once, for a whole request; with the features `actix` and `tower` as
//!   a middleware, an extractor and a layer.
//! - [`Recall`]: what a verifier remembers, and [`Trust`]: how far it may believe that.
//!
//! # Example
//!
//! ```
//! use std::net::{IpAddr, Ipv4Addr};
//!
//! use keystile_auth::{Chain, Networks, Refusal, RequestView, TrustedProxies};
//! use keystile_domain::{Carrier, Transport};
//!
//! struct Request {
//!     headers: Vec<(&'static str, &'static str)>,
//! }
//!
//! impl RequestView for Request {
//!     fn headers<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
//!         self.headers
//!             .iter()
//!             .filter(move |(header, _)| header.eq_ignore_ascii_case(name))
//!             .map(|(_, value)| value.as_bytes())
//!     }
//!
//!     fn query(&self) -> &str {
//!         ""
//!     }
//!
//!     fn peer(&self) -> IpAddr {
//!         Ipv4Addr::new(10, 0, 0, 1).into()
//!     }
//!
//!     fn is_tls(&self) -> bool {
//!         false
//!     }
//! }
//!
//! let mut request = Request {
//!     headers: vec![
//!         ("X-API-Key", "ks_0123456789abcdefghijABCDEFGHIJ0123456789xyz3A8jxH"),
//!         ("Forwarded", "for=203.0.113.9;proto=https"),
//!     ],
//! };
//!
//! let proxies: TrustedProxies = "10.0.0.0/8".parse()?;
//! let origin = proxies.origin(&request, &Networks::default())?;
//! assert_eq!(origin.address, Ipv4Addr::new(203, 0, 113, 9));
//! assert_eq!(origin.transport, Transport::Secure);
//!
//! let presented = Chain::default().extract(&request)?.ok_or("no credential")?;
//! assert_eq!(presented.carrier(), Carrier::Header);
//!
//! request.headers.push(("Authorization", "Bearer another"));
//! assert_eq!(Chain::default().extract(&request).err(), Some(Refusal::Ambiguous));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![warn(clippy::exhaustive_enums, clippy::exhaustive_structs)]

#[cfg(feature = "actix")]
pub mod actix;
mod client;
mod clock;
mod extract;
mod guard;
pub mod jwt;
mod lanes;
mod problem;
mod recall;
mod refused;
mod request;
mod sync;
#[cfg(test)]
mod testing;
mod token;
#[cfg(feature = "tower")]
pub mod tower;
mod trust;
mod verifier;

pub use client::{ClientOrigin, Networks, OriginError, TrustedProxies, TrustedProxiesError};
pub use clock::{Clock, FixedClock, SystemClock};
pub use extract::{
    Ambiguity, BearerExtractor, Chain, Extraction, Extractor, HeaderExtractor, Malformed, Place,
    Presented, QueryExtractor, Refusal, TicketExtractor,
};
pub use guard::{Guard, Verify};
pub use jwt::TokenError;
pub use problem::Problem;
pub use recall::{Recall, Recalled, Remember, Told, Unread};
pub use refused::{Refused, UsedUp};
pub use request::RequestView;
pub use trust::{Deciding, Learnt, Settlement, Settling, Trust};
pub use verifier::{Rejection, Verifier};
