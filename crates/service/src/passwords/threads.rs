//! The threads that hash: few, and always the same.
//!
//! A hash takes tens of megabytes, and the C library keeps for each thread what that gave back. On
//! the threads that everything else may block, a flood of sign-ins would leave so much in each.

use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinHandle, spawn_blocking};

pub(super) struct Threads(Option<Runtime>);

impl Threads {
    pub(super) fn new(count: usize) -> Self {
        let threads = Builder::new_current_thread().max_blocking_threads(count).build();
        // Where there can be none, those of everybody do.
        Self(threads.ok())
    }

    pub(super) fn spawn<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        match &self.0 {
            Some(threads) => threads.spawn_blocking(job),
            None => spawn_blocking(job),
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // Whoever drops it may be a task, which must not wait for threads.
        if let Some(threads) = self.0.take() {
            threads.shutdown_background();
        }
    }
}
