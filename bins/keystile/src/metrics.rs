//! The metrics on a listener of their own, if the settings name one.

use std::net::{SocketAddr, TcpListener};

use actix_web::dev::ServerHandle;
use actix_web::web;
use anyhow::Context;
use keystile_http::{Metrics, State, serve_metrics};

/// What shows them until it is dropped.
pub struct Showing(Option<ServerHandle>);

/// What counts, to be shown at this address, or on the main listener.
pub fn of(listen: Option<SocketAddr>) -> Metrics {
    listen.map_or_else(Metrics::default, |_| Metrics::apart())
}

/// Shows the metrics at this address, if there is one.
pub fn serve(listen: Option<SocketAddr>, state: &web::Data<State>) -> anyhow::Result<Showing> {
    let Some(listen) = listen else { return Ok(Showing(None)) };
    let listener =
        TcpListener::bind(listen).with_context(|| format!("cannot listen on {listen}"))?;
    let address = listener.local_addr()?;
    let server = serve_metrics(listener, state.clone())?;
    let handle = server.handle();
    tokio::spawn(server);
    tracing::info!("metrics are at http://{address}/metrics");
    Ok(Showing(Some(handle)))
}

impl Drop for Showing {
    fn drop(&mut self) {
        if let Some(handle) = self.0.take() {
            // The workers end at once, and by themselves.
            drop(handle.stop(false));
        }
    }
}
