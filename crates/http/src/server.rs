//! The server: workers that accept connections and run the application on them.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_http::HttpService;
use actix_service::{ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::{AppConfig, Server};
use actix_web::rt::net::TcpStream;
use actix_web::web;
use utoipa::openapi::OpenApi;

use crate::app::app;
use crate::edge::Connection;
use crate::state::State;

/// Serves the application to whoever connects to `listener`.
///
/// Signals are the caller's: its handle stops the server.
///
/// # Errors
///
/// The listener cannot be used.
pub fn serve(
    listener: TcpListener,
    workers: usize,
    state: web::Data<State>,
    document: Arc<OpenApi>,
) -> io::Result<Server> {
    let timeout = state.limits.request_timeout;
    let connect = move |stream: TcpStream| async move {
        let peer = stream.peer_addr().ok();
        Ok((Connection::new(stream, timeout + KEEP_ALIVE), peer))
    };
    let builder = Server::build().workers(workers).shutdown_timeout(SHUTDOWN_SECONDS);
    let stopping = builder.graceful_shutdown_signal();
    let builder = builder.disable_signals().listen("http", listener, move || {
        let stopping = stopping.clone();
        let app = map_config(app(state.clone(), Arc::clone(&document)), |()| AppConfig::default());
        let http = HttpService::build()
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
            .h1(app);
        fn_service(connect).and_then(http)
    })?;
    Ok(builder.run())
}

const KEEP_ALIVE: Duration = Duration::from_secs(5);
const DISCONNECT: Duration = Duration::from_secs(1);
const SHUTDOWN_SECONDS: u64 = 30;
