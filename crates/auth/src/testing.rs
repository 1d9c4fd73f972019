//! A request made by hand, for the tests of every module.

mod judge;

use std::net::IpAddr;

use crate::RequestView;

pub(crate) use judge::{BUSY, Judge, KEY, OUTAGE};

#[derive(Clone, Debug)]
pub(crate) struct FakeRequest {
    headers: Vec<(String, Vec<u8>)>,
    query: String,
    peer: IpAddr,
    tls: bool,
}

impl FakeRequest {
    pub(crate) fn new() -> Self {
        Self { headers: Vec::new(), query: String::new(), peer: address("10.0.0.1"), tls: false }
    }

    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    pub(crate) fn query(mut self, query: &str) -> Self {
        query.clone_into(&mut self.query);
        self
    }

    pub(crate) fn peer(mut self, peer: &str) -> Self {
        self.peer = address(peer);
        self
    }

    pub(crate) fn tls(mut self) -> Self {
        self.tls = true;
        self
    }
}

impl RequestView for FakeRequest {
    fn headers<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.headers
            .iter()
            .filter(move |(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
    }

    fn query(&self) -> &str {
        &self.query
    }

    fn peer(&self) -> IpAddr {
        self.peer
    }

    fn is_tls(&self) -> bool {
        self.tls
    }
}

pub(crate) fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}
