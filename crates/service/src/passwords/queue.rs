//! Whose turn it is to hash: few at once, and few who wait.
//!
//! Each turn takes a core and tens of megabytes; without this, a flood of sign-ins would take all
//! of both from the checks of keys.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::HashError;

pub(crate) struct Queue {
    running: Arc<Semaphore>,
    /// For those who run and those who wait.
    places: Arc<Semaphore>,
    at_once: usize,
    waiting: usize,
    patience: Duration,
}

impl Queue {
    pub(crate) fn new(at_once: usize, waiting: usize, patience: Duration) -> Self {
        Self {
            running: Arc::new(Semaphore::new(at_once)),
            places: Arc::new(Semaphore::new(at_once + waiting)),
            at_once,
            waiting,
            patience,
        }
    }

    /// How many have their turn, and how many wait for it.
    pub(crate) fn length(&self) -> (usize, usize) {
        let running = self.at_once.saturating_sub(self.running.available_permits());
        let places = self.at_once + self.waiting;
        let inside = places.saturating_sub(self.places.available_permits());
        (running, inside.saturating_sub(running))
    }

    /// Waits for a turn; it ends when it is dropped.
    ///
    /// # Errors
    ///
    /// [`HashError::Busy`] at once if too many wait, or when waiting took too long.
    pub(crate) async fn turn(&self) -> Result<Turn, HashError> {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return Err(HashError::Busy);
        };
        let Ok(Ok(running)) =
            timeout(self.patience, Arc::clone(&self.running).acquire_owned()).await
        else {
            return Err(HashError::Busy);
        };
        Ok(Turn { _running: running, _place: place })
    }
}

pub(crate) struct Turn {
    _running: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    /// Longer than any test.
    const LONG: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn whoever_finds_the_queue_full_is_told_at_once() {
        let queue = Queue::new(1, 1, LONG);
        let first = queue.turn().await.unwrap();
        let mut second = pin!(queue.turn());
        assert!(second.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert!(matches!(queue.turn().await, Err(HashError::Busy)));
        drop(first);
        assert!(second.await.is_ok());
        assert!(queue.turn().await.is_ok());
    }

    #[tokio::test]
    async fn whoever_waits_too_long_is_told() {
        let queue = Queue::new(1, 1, Duration::ZERO);
        let first = queue.turn().await.unwrap();
        assert!(matches!(queue.turn().await, Err(HashError::Busy)));
        drop(first);
        assert!(queue.turn().await.is_ok());
    }

    #[tokio::test]
    async fn whoever_gives_up_waiting_leaves_the_place_to_another() {
        let queue = Queue::new(1, 1, LONG);
        let first = queue.turn().await.unwrap();
        {
            let mut impatient = pin!(queue.turn());
            assert!(impatient.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        let mut second = pin!(queue.turn());
        assert!(second.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(first);
        assert!(second.await.is_ok());
    }
}
