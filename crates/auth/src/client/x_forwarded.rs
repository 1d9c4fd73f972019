//! `X-Forwarded-For` and `X-Forwarded-Proto`: no standard, so the strictest reading in use.

use std::net::IpAddr;

use keystile_domain::Transport;

use super::OriginError;
use super::hop::{Hop, Node, parse_scheme};
use crate::RequestView;

/// The hops that the headers tell of, the nearest first.
///
/// If only the scheme is told, the one hop is the peer's own.
pub(super) fn hops(request: &impl RequestView, peer: IpAddr) -> Result<Vec<Hop>, OriginError> {
    let mut nodes = list(request, "x-forwarded-for", Node::parse)?;
    let schemes = list(request, "x-forwarded-proto", parse_scheme)?;
    if nodes.is_empty() && !schemes.is_empty() {
        nodes.push(Node::Address(peer));
    }
    let scheme_of = |from_right: usize| match schemes.as_slice() {
        [only] => *only,
        several => several.iter().rev().nth(from_right).copied().unwrap_or(Transport::Insecure),
    };
    let hop = |(from_right, node)| Hop { node, transport: scheme_of(from_right) };
    Ok(nodes.into_iter().rev().enumerate().map(hop).collect())
}

/// The values of all lines of a header, which are one list (RFC 9110, section 5.3).
fn list<T>(
    request: &impl RequestView,
    name: &str,
    parse: fn(&str) -> Result<T, OriginError>,
) -> Result<Vec<T>, OriginError> {
    let mut values = Vec::new();
    for line in request.headers(name) {
        let line = str::from_utf8(line).or(Err(OriginError::Unreadable))?;
        for value in line.split(',') {
            values.push(parse(value.trim_matches([' ', '\t']))?);
        }
    }
    Ok(values)
}
