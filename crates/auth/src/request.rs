//! The seam between this crate and a web framework: what of a request an extractor may see.
//!
//! It is a trait of ours because frameworks disagree on the version of the `http` crate, and
//! because a gateway's request for somebody else has no type of its own at all.

use std::net::IpAddr;

/// The parts of a request that say who asks and how the request came.
///
/// An adapter hands on what was received and judges nothing: header lines neither joined nor
/// decoded, the query neither split nor decoded, the peer whether or not it is a proxy.
pub trait RequestView {
    /// The values of every line of the header `name`, in the order received.
    ///
    /// Header names have no case (RFC 9110, section 5.1); `_` is no `-`. Repeated lines must show
    /// as several values: a view that gives only the first hides an ambiguity from the chain.
    fn headers<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]>;

    /// The query string without its `?`, still percent-encoded; empty if there is none.
    fn query(&self) -> &str;

    /// The address at the other end of the connection.
    fn peer(&self) -> IpAddr;

    /// Whether TLS ends at this very server for the connection.
    fn is_tls(&self) -> bool;
}
