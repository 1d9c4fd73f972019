//! Ctrl-C. What only looks ends at once; a change that is under way is waited for, so that it is
//! known what was done, and no further one begins.

use std::future::Future;

use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use crate::output::say;

/// Whether somebody has pressed Ctrl-C.
#[derive(Clone, Debug)]
pub struct Stop(CancellationToken);

impl Stop {
    /// Begins to listen. A second Ctrl-C ends the process at once.
    pub fn listen() -> Self {
        let token = CancellationToken::new();
        let pressed = token.clone();
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                pressed.cancel();
            }
            if tokio::signal::ctrl_c().await.is_ok() {
                say("keystile: ended at once: the last change may have been made");
                std::process::exit(1);
            }
        });
        Self(token)
    }

    /// Whether it was pressed.
    pub fn is_pressed(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Does what changes nothing, until it is pressed.
    ///
    /// # Errors
    /// It was pressed, or the work failed.
    pub async fn unless_pressed<T, E>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Failure>
    where
        Failure: From<E>,
    {
        let done = self.0.run_until_cancelled(work).await;
        let done =
            done.ok_or_else(|| Failure::Interrupted("interrupted: nothing was changed".into()))?;
        done.map_err(|error| Failure::from(error).of_question())
    }

    /// Waits until it is pressed.
    pub async fn pressed(&self) {
        self.0.cancelled().await;
    }
}
