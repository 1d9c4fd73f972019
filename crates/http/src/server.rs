//! The server: workers that accept connections and run the application on them.
//!
//! - `socket` is one client's, clear or under TLS
//! - `http2` is ours: the framework's is on a version of its library with known holes, and lets
//!   nobody bound what a client may do
//!
//! HTTP/1.1 is the framework's own, on a connection of ours beneath it.

mod http2;
mod socket;

use std::convert::Infallible;
use std::future::ready;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::time::Duration;

use actix_http::body::BoxBody;
use actix_http::{HttpService, Request, Response};
use actix_server::GracefulShutdownSignal;
use actix_service::{Service, ServiceFactory, fn_factory, fn_service};
use actix_web::dev::Server;
use actix_web::rt::net::TcpStream;
use actix_web::web;
use tokio_rustls::TlsAcceptor;

use crate::app::service;
use crate::edge::Connection;
use crate::state::State;
use crate::tls::Tls;

pub(crate) use socket::Socket;

/// Serves the application to whoever connects to `listener`: over TLS if there is a certificate,
/// and then over nothing else.
///
/// Signals are the caller's: its handle stops the server.
///
/// # Errors
///
/// The listener cannot be used.
pub fn serve(
    listener: TcpListener,
    tls: Option<&Tls>,
    workers: usize,
    state: web::Data<State>,
) -> io::Result<Server> {
    let builder = Server::build().workers(workers).shutdown_timeout(SHUTDOWN_SECONDS);
    let worker =
        Worker { tls: tls.map(Tls::acceptor), stopping: builder.graceful_shutdown_signal(), state };
    let worker = move || {
        let worker = worker.clone();
        fn_factory(move || worker.clone().start())
    };
    Ok(builder.disable_signals().listen("http", listener, worker)?.run())
}

/// What each worker is made from.
#[derive(Clone)]
struct Worker {
    tls: Option<TlsAcceptor>,
    stopping: GracefulShutdownSignal,
    state: web::Data<State>,
}

impl Worker {
    async fn start(self) -> Result<impl Service<TcpStream, Response = (), Error = ()>, ()> {
        let Self { tls, stopping, state } = self;
        let timeout = state.limits.request_timeout;
        let app = Rc::new(service(state.clone(), tls.is_some()).await.ok_or(())?);
        let http1 = Rc::new(http1(Rc::clone(&app), timeout, stopping.clone()).await?);
        Ok(fn_service(move |stream: TcpStream| {
            let (tls, stopping) = (tls.clone(), stopping.clone());
            let (app, http1) = (Rc::clone(&app), Rc::clone(&http1));
            let state = state.clone();
            async move {
                let peer = stream.peer_addr().ok();
                let opening = tokio::time::timeout(timeout, Socket::open(stream, tls, timeout));
                let opened = tokio::select! {
                    biased;
                    opened = opening => opened,
                    () = stopping.notified() => return Ok(()),
                };
                // Whoever does not get through a handshake has asked for nothing.
                let Ok(Ok(socket)) = opened else { return Ok(()) };
                if socket.is_http2() {
                    http2::serve(socket, peer, app, timeout, stopping.notified()).await;
                    return Ok(());
                }
                let connection = Connection::new(socket, timeout + KEEP_ALIVE, state);
                http1.call((connection, peer)).await.or(Err(()))
            }
        }))
    }
}

/// HTTP/1.1, as the framework speaks it.
async fn http1<S>(
    app: Rc<S>,
    timeout: Duration,
    stopping: GracefulShutdownSignal,
) -> Result<impl Service<(Connection, Option<SocketAddr>), Response = ()>, ()>
where
    S: Service<Request, Response = Response<BoxBody>, Error = Infallible> + 'static,
{
    HttpService::build()
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(timeout)
        .client_disconnect_timeout(DISCONNECT)
        // As the framework's own server does: idle connections do not hold up the end.
        .graceful_shutdown_signal(move || {
            let stopping = stopping.clone();
            async move { stopping.notified().await }
        })
        .on_connect_ext(|connection: &Connection, data| {
            data.insert(connection.requests());
        })
        .h1(fn_factory(move || ready(Ok::<_, ()>(Rc::clone(&app)))))
        .new_service(())
        .await
}

const KEEP_ALIVE: Duration = Duration::from_secs(5);
const DISCONNECT: Duration = Duration::from_secs(1);
const SHUTDOWN_SECONDS: u64 = 30;
