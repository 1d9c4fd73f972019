//! Stopping: slowly at the first signal, at once at the second.

use std::time::Duration;

use actix_web::dev::ServerHandle;
use keystile_http::Health;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM and SIGINT. Made before the server answers, so that none is missed.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

/// How a server stops.
pub enum Stop {
    /// It is not waited for: the process ends.
    AtOnce,
    /// It has stopped, and every request has had its answer.
    Drained,
}

impl Signals {
    /// Takes the signals over from the system, which would end the process.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Stops the server as signals ask.
    ///
    /// After the first one, `/readyz` says no and the server still accepts for `delay`, so that a
    /// load balancer can see it; then open requests finish. A second one waits for nothing.
    pub async fn obey(mut self, server: ServerHandle, health: Health, delay: Duration) -> Stop {
        self.next().await;
        health.drain();
        tracing::info!("draining");
        let drained = async {
            tokio::time::sleep(delay).await;
            server.stop(true).await;
        };
        tokio::select! {
            () = drained => Stop::Drained,
            () = self.next() => {
                tracing::warn!("stopping at once");
                Stop::AtOnce
            }
        }
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
