//! Requests and answers, between the types of the HTTP/2 library and those of the framework.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_http::body::{BodySize, BoxBody, MessageBody};
use actix_http::error::PayloadError;
use actix_http::header::{self, HeaderName, HeaderValue};
use actix_http::{BoxedPayloadStream, Method, Payload, Request, Response, Uri, Version};
use actix_web::http::header::Date;
use actix_web::web::Bytes;
use futures_util::stream;
use h2::RecvStream;

/// The body of a request, which the application may give up before its end.
#[derive(Clone)]
pub(super) struct Incoming(Rc<RefCell<RecvStream>>);

impl Incoming {
    /// Lets the rest of it come, and throws it away.
    pub(super) async fn discard(self) {
        while poll_fn(|context| self.poll(context)).await.is_some_and(|chunk| chunk.is_ok()) {}
    }

    fn poll(&self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, h2::Error>>> {
        let mut body = self.0.borrow_mut();
        body.poll_data(context).map_ok(|bytes| {
            // Only what is more than came cannot be given back.
            let _ = body.flow_control().release_capacity(bytes.len());
            bytes
        })
    }
}

impl From<RecvStream> for Incoming {
    fn from(body: RecvStream) -> Self {
        Self(Rc::new(RefCell::new(body)))
    }
}

/// The request; nothing if the framework knows no such thing.
pub(super) fn request(
    parts: http::request::Parts,
    body: Incoming,
    peer: Option<SocketAddr>,
) -> Option<Request> {
    let payload: BoxedPayloadStream = Box::pin(stream::poll_fn(move |context| {
        body.poll(context).map_err(|error| PayloadError::Io(io::Error::other(error)))
    }));
    let mut request = Request::with_payload(Payload::Stream { payload });
    let head = request.head_mut();
    head.method = Method::from_bytes(parts.method.as_str().as_bytes()).ok()?;
    // As HTTP/1.1 would have it: the authority is in a header of its own.
    head.uri = match parts.uri.path_and_query() {
        Some(target) => Uri::try_from(target.as_str()).ok()?,
        None => Uri::try_from(parts.uri.to_string()).ok()?,
    };
    head.version = Version::HTTP_2;
    head.peer_addr = peer;
    for (name, value) in &parts.headers {
        let name = HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
        head.headers.append(name, HeaderValue::from_bytes(value.as_bytes()).ok()?);
    }
    if let Some(authority) = parts.uri.authority() {
        head.headers.insert(header::HOST, HeaderValue::from_str(authority.as_str()).ok()?);
    }
    Some(request)
}

/// Whether the client waits to be told before it sends a body (RFC 9110, section 10.1.1).
pub(super) fn expects_continue(request: &http::Request<RecvStream>) -> bool {
    let expects = request.headers().get(http::header::EXPECT);
    expects.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

/// The head of an answer, and its body.
pub(super) fn response(response: Response<BoxBody>) -> (http::Response<()>, BoxBody) {
    let (response, body) = response.into_parts();
    let mut head = http::Response::new(());
    *head.status_mut() = http::StatusCode::from_u16(response.status().as_u16()).unwrap_or_default();
    let headers = head.headers_mut();
    let own = response.headers().iter().filter(|(name, _)| !OF_HTTP1.contains(name));
    for (name, value) in own {
        let name = http::HeaderName::from_bytes(name.as_str().as_bytes());
        let value = http::HeaderValue::from_bytes(value.as_bytes());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    if let BodySize::Sized(length) = body.size()
        && response.status() != actix_http::StatusCode::NO_CONTENT
    {
        headers.insert(http::header::CONTENT_LENGTH, length.into());
    }
    if let Ok(now) = http::HeaderValue::from_str(&Date::now().to_string()) {
        headers.entry(http::header::DATE).or_insert(now);
    }
    (head, body)
}

/// What concerns a connection of HTTP/1.1 (RFC 9113, section 8.2.2).
const OF_HTTP1: [&HeaderName; 3] =
    [&header::CONNECTION, &header::TRANSFER_ENCODING, &header::UPGRADE];
