//! How many may follow the feed as a stream: each holds a connection for as long as it likes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::ServiceError;

/// The streams that are open, by the credential that opened them.
#[derive(Debug, Default)]
pub(super) struct Streams(Arc<Mutex<Open>>);

#[derive(Debug, Default)]
struct Open {
    all: usize,
    of: HashMap<Uuid, usize>,
    /// Ends with the history that they tell.
    history: CancellationToken,
}

/// A place for one stream, until it is dropped.
#[derive(Debug)]
pub struct StreamSeat {
    open: Arc<Mutex<Open>>,
    holder: Uuid,
    history: CancellationToken,
}

impl StreamSeat {
    /// Waits until the history that the stream tells has turned out not to have happened: whoever
    /// goes on would miss the one that has.
    pub async fn forked(&self) {
        self.history.cancelled().await;
    }
}

impl Streams {
    pub(super) fn take(&self, holder: Uuid) -> Result<StreamSeat, ServiceError> {
        let mut open = lock(&self.0);
        let of_holder = open.of.get(&holder).copied().unwrap_or_default();
        if open.all >= MAX || of_holder >= MAX_OF_ONE {
            return Err(ServiceError::TooManyFollowers);
        }
        open.all += 1;
        open.of.insert(holder, of_holder + 1);
        Ok(StreamSeat { open: Arc::clone(&self.0), holder, history: open.history.clone() })
    }

    /// Ends those that are open.
    pub(super) fn fork(&self) {
        std::mem::take(&mut lock(&self.0).history).cancel();
    }
}

impl Drop for StreamSeat {
    fn drop(&mut self) {
        let mut open = lock(&self.open);
        open.all -= 1;
        let of_holder = open.of.get(&self.holder).copied().unwrap_or_default();
        match of_holder {
            0 | 1 => open.of.remove(&self.holder),
            more => open.of.insert(self.holder, more - 1),
        };
    }
}

fn lock(open: &Mutex<Open>) -> MutexGuard<'_, Open> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many streams there may be.
const MAX: usize = 4_096;
/// How many of them for one credential.
const MAX_OF_ONE: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_streams_are_open_at_a_node() {
        let streams = Streams::default();
        let holder = |number: usize| Uuid::from_u128(u128::try_from(number / MAX_OF_ONE).unwrap());
        let seats: Vec<_> = (0..MAX).map(|number| streams.take(holder(number)).unwrap()).collect();
        assert!(matches!(streams.take(holder(MAX)), Err(ServiceError::TooManyFollowers)));
        drop(seats);
        streams.take(holder(MAX)).unwrap();
    }

    #[tokio::test]
    async fn a_fork_ends_the_streams_that_are_open_and_no_later_one() {
        let (streams, one) = (Streams::default(), Uuid::from_bytes([1; 16]));
        let before = streams.take(one).unwrap();
        assert!(!before.history.is_cancelled());
        streams.fork();
        before.forked().await;
        assert!(!streams.take(one).unwrap().history.is_cancelled());
    }

    #[test]
    fn only_so_many_streams_are_open_for_one_credential() {
        let (streams, one) = (Streams::default(), Uuid::from_bytes([1; 16]));
        let mut seats: Vec<_> = (0..MAX_OF_ONE).map(|_| streams.take(one).unwrap()).collect();
        assert!(matches!(streams.take(one), Err(ServiceError::TooManyFollowers)));
        let _other = streams.take(Uuid::from_bytes([2; 16])).unwrap();
        seats.pop();
        seats.push(streams.take(one).unwrap());
        drop(seats);
        assert_eq!(lock(&streams.0).all, 1);
    }
}
