//! HTTP/2 on one connection (RFC 9113), with bounds on all that a client may do with it.
//!
//! Floods of the protocol's own frames are the library's to bound, which ends the connection. Here
//! are the bounds on memory and time: how much a client may have sent and not finished, how long
//! nothing may run, and how slowly an answer may be taken. What a request may ask is up to the
//! application, as everywhere.

mod message;

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use actix_http::body::{BoxBody, MessageBody};
use actix_http::{Request, Response};
use actix_service::Service;
use actix_web::rt::time::{Instant, sleep, timeout};
use actix_web::web::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use h2::server::{Builder, SendResponse};
use h2::{RecvStream, SendStream};
use http::StatusCode;

use super::{KEEP_ALIVE, Socket};

/// Answers the requests on a connection until the client leaves, nothing runs for a while, or the
/// server stops. Then what runs still ends.
///
/// `patience` is how long the client may take for each step: to begin, to take a piece of an
/// answer, and to leave.
pub(super) async fn serve<S>(
    socket: Socket,
    peer: Option<SocketAddr>,
    app: Rc<S>,
    patience: Duration,
    stopping: impl Future<Output = ()>,
) where
    S: Service<Request, Response = Response<BoxBody>, Error = Infallible>,
{
    let shaking = builder().handshake::<_, Bytes>(socket);
    let Ok(Ok(mut connection)) = timeout(patience, shaking).await else { return };
    let mut running = FuturesUnordered::new();
    let mut idle = pin!(sleep(patience));
    let mut stopping = pin!(stopping);
    let mut is_ending = false;
    loop {
        tokio::select! {
            accepted = connection.accept() => {
                let Some(Ok((request, respond))) = accepted else { return };
                running.push(answer(&*app, request, peer, respond, patience));
            }
            Some(()) = running.next() => {
                let pause = if is_ending { patience } else { KEEP_ALIVE };
                idle.as_mut().reset(Instant::now() + pause);
            }
            () = &mut idle, if running.is_empty() => {
                if is_ending {
                    return;
                }
                is_ending = true;
                connection.graceful_shutdown();
                idle.as_mut().reset(Instant::now() + patience);
            }
            () = &mut stopping, if !is_ending => {
                is_ending = true;
                connection.graceful_shutdown();
                idle.as_mut().reset(Instant::now() + patience);
            }
        }
    }
}

/// Answers one request, unless the client gives it up before.
async fn answer<S>(
    app: &S,
    request: http::Request<RecvStream>,
    peer: Option<SocketAddr>,
    mut respond: SendResponse<Bytes>,
    patience: Duration,
) where
    S: Service<Request, Response = Response<BoxBody>, Error = Infallible>,
{
    if message::expects_continue(&request) {
        let mut interim = http::Response::new(());
        *interim.status_mut() = StatusCode::CONTINUE;
        // A client that has left gets no answer either.
        let _ = respond.send_informational(interim);
    }
    let is_head = request.method() == http::Method::HEAD;
    let (parts, body) = request.into_parts();
    let incoming = message::Incoming::from(body);
    let Some(request) = message::request(parts, incoming.clone(), peer) else { return };
    let response = tokio::select! {
        Ok(response) = app.call(request) => response,
        _ = poll_fn(|context| respond.poll_reset(context)) => return,
    };
    let (head, body) = message::response(response);
    let is_whole = is_head || body.size().is_eof();
    if let Ok(stream) = respond.send_response(head, is_whole)
        && !is_whole
    {
        send(stream, body, patience).await;
    }
    // A client that is still sending would see a reset, and some then overlook the answer.
    let _ = timeout(LINGER, incoming.discard()).await;
}

/// Sends a body, as fast as the client takes it.
async fn send(mut stream: SendStream<Bytes>, body: BoxBody, patience: Duration) {
    let mut body = pin!(body);
    while let Some(chunk) = poll_fn(|context| body.as_mut().poll_next(context)).await {
        // What is dropped without its end is reset: the client sees that something is missing.
        let Ok(mut chunk) = chunk else { return };
        while !chunk.is_empty() {
            let piece = chunk.split_to(chunk.len().min(PIECE));
            if !matches!(timeout(patience, send_piece(&mut stream, piece)).await, Ok(Some(()))) {
                return;
            }
        }
    }
    let _ = stream.send_data(Bytes::new(), true);
}

/// Sends a piece as the client's window opens; nothing if it has left.
async fn send_piece(stream: &mut SendStream<Bytes>, mut piece: Bytes) -> Option<()> {
    while !piece.is_empty() {
        stream.reserve_capacity(piece.len());
        let room = poll_fn(|context| stream.poll_capacity(context)).await?.ok()?;
        stream.send_data(piece.split_to(room.min(piece.len())), false).ok()?;
    }
    Some(())
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEADER_BYTES)
        .max_send_buffer_size(PIECE)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW);
    builder
}

/// How long a client whose body nobody reads may go on sending it.
const LINGER: Duration = Duration::from_secs(1);
/// How many requests of one client run at once; the least that RFC 9113 recommends.
const MAX_STREAMS: u32 = 100;
/// More than the application takes, so that it refuses in its own words. Beyond this the library
/// answers with a bare 431.
const MAX_HEADER_BYTES: u32 = 64 * 1024;
/// How much of an answer is under way at once.
const PIECE: usize = 16 * 1024;
/// How much of a body may wait to be read, of one request and of all on a connection.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
