//! One connection, beneath HTTP/1.1: where the framework answers and waits by itself, it is made to
//! keep the promises of the layers above.
//!
//! - What it cannot read it refuses with a bare status: here that becomes a problem document.
//! - It takes a target with a fragment for one without: `request_line` sees to that.
//! - It gives a second head, and the rest of a body that nobody reads, all the time in the world:
//!   here a connection on which no request runs ends after a while, whatever trickles in.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::rt::time::{Instant, Sleep, sleep};
use actix_web::web::{self, Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::refusal::{Bare, document};
use super::request_line::RequestLine;
use crate::server::Socket;
use crate::state::State;

/// A stream that the framework speaks HTTP on.
pub(crate) struct Connection {
    socket: Socket,
    /// What takes the place of bytes that the framework believes to have written.
    outgoing: BytesMut,
    state: web::Data<State>,
    requests: Requests,
    /// The count at the last look, and the moment when it was first seen.
    seen: u64,
    since: Instant,
    /// The line that a request begins with, while none runs.
    line: RequestLine,
    patience: Duration,
    /// Rings when nothing may have run for too long. Boxed, so that a connection can be moved.
    end: Pin<Box<Sleep>>,
}

/// Whether a request runs on a connection: the count of beginnings and ends, odd while one runs.
#[derive(Clone, Default)]
pub(crate) struct Requests(Rc<Cell<u64>>);

/// A request that runs, until this is dropped.
pub(crate) struct Running(Requests);

impl Connection {
    /// `patience` is how long nothing may run on it.
    pub(crate) fn new(socket: Socket, patience: Duration, state: web::Data<State>) -> Self {
        Self {
            socket,
            outgoing: BytesMut::new(),
            state,
            requests: Requests::default(),
            seen: 0,
            since: Instant::now(),
            line: RequestLine::default(),
            patience,
            end: Box::pin(sleep(patience)),
        }
    }

    /// Tells what runs on this connection.
    pub(crate) fn requests(&self) -> Requests {
        self.requests.clone()
    }

    /// Whether nothing has run for too long; if not, the task is woken when it might be so.
    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        let requests = self.requests.0.get();
        if !requests.is_multiple_of(2) {
            return false;
        }
        if requests != self.seen {
            self.seen = requests;
            self.since = Instant::now();
            self.line = RequestLine::default();
        }
        // Set anew when it rings, and not for each request: that would cost more than it tells.
        while self.end.as_mut().poll(context).is_ready() {
            let end = self.since + self.patience;
            if end <= Instant::now() {
                return true;
            }
            self.end.as_mut().reset(end);
        }
        false
    }

    fn poll_outgoing(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.outgoing.is_empty() {
            let socket = Pin::new(&mut self.socket);
            let written = ready!(socket.poll_write(context, &self.outgoing))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.outgoing.advance(written);
        }
        Poll::Ready(Ok(()))
    }
}

impl Requests {
    /// Notes that a request begins.
    pub(crate) fn begin(self) -> Running {
        self.count();
        Running(self)
    }

    fn count(&self) {
        self.0.set(self.0.get().wrapping_add(1));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.count();
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.is_over(context) {
            // The end of what the client sends.
            return Poll::Ready(Ok(()));
        }
        let known = buffer.filled().len();
        ready!(Pin::new(&mut this.socket).poll_read(context, buffer))?;
        if this.requests.0.get() == this.seen
            && let Some(read) = buffer.filled_mut().get_mut(known..)
        {
            this.line.refuse_fragment(read);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_outgoing(context))?;
        let Some(bare) = Bare::find(bytes) else {
            return Pin::new(&mut this.socket).poll_write(context, bytes);
        };
        this.state.metrics.count_refusal(bare.code());
        this.outgoing.extend_from_slice(bare.before);
        this.outgoing.extend_from_slice(&document(&bare, this.socket.is_tls()));
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_outgoing(context))?;
        // An answer has gone, and nothing else may ever wake this task.
        let _ = this.is_over(context);
        Pin::new(&mut this.socket).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_outgoing(context))?;
        Pin::new(&mut this.socket).poll_shutdown(context)
    }
}
