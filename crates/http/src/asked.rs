//! A request as it is judged, whichever way it takes: through the framework's router, or past it.

use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

use actix_web::dev::RequestHead;
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName};
use actix_web::{HttpMessage, HttpRequest};
use keystile_auth::RequestView;
use keystile_domain::RequestId;

use crate::edge::new_name;

/// The head of a request, and what the edge has made of it.
pub(crate) struct Asked<'r> {
    pub(crate) head: &'r RequestHead,
    pub(crate) marks: Rc<Marks>,
}

/// What the edge knows of a request and its head does not tell.
#[derive(Debug)]
pub(crate) struct Marks {
    pub(crate) id: RequestId,
    /// As the client sent it: what runs behind the edge sees a GET for a HEAD.
    pub(crate) method: Method,
    /// Whether it came over TLS that ends here.
    pub(crate) over_tls: bool,
}

impl<'r> Asked<'r> {
    /// A request on its way through the framework's router.
    pub(crate) fn of(request: &'r HttpRequest) -> Self {
        let head = request.head();
        let marks = request.extensions().get::<Rc<Marks>>().cloned();
        // The edge marks every request, and stands before everything.
        let unmarked = || Marks { id: new_name(), method: head.method.clone(), over_tls: false };
        Self { head, marks: marks.unwrap_or_else(|| Rc::new(unmarked())) }
    }

    pub(crate) fn id(&self) -> &RequestId {
        &self.marks.id
    }

    /// The method as the client sent it.
    pub(crate) fn method(&self) -> &Method {
        &self.marks.method
    }

    pub(crate) fn path(&self) -> &'r str {
        self.head.uri.path()
    }

    pub(crate) fn headers(&self) -> &'r HeaderMap {
        &self.head.headers
    }
}

impl RequestView for Asked<'_> {
    fn headers<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        // Not by the map, which would make a name of the text each time. There are few of them.
        let named = move |(known, _): &(&HeaderName, _)| known.as_str().eq_ignore_ascii_case(name);
        self.head.headers.iter().filter(named).map(|(_, value)| value.as_bytes())
    }

    fn query(&self) -> &str {
        self.head.uri.query().unwrap_or_default()
    }

    fn peer(&self) -> IpAddr {
        // Every connection has a peer; only requests made by hand in tests have none.
        self.head.peer_addr.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip())
    }

    fn is_tls(&self) -> bool {
        self.marks.over_tls
    }
}
