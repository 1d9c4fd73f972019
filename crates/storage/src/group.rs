//! Changes that share a commit. What makes a change slow is the wait for the disk at its end, and
//! one wait serves many.
//!
//! Changes still happen one after the other. Those that wait when one has done its work go on in
//! its transaction, each behind a savepoint: whoever fails, fails alone. Nobody is answered before
//! the commit, not even whoever kept nothing, since what they read may be the work of those before
//! them. If the commit fails, it fails for all.

mod queue;

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;

use keystile_domain::SealedEvent;
use tokio::sync::oneshot;

pub(crate) use self::queue::Queue;
use crate::{Store, StoreError, Tx};

/// How a change ends, by its own judgement.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a change is kept or it is not")]
pub enum Ending<T> {
    /// What it wrote is kept, together with the events that tell of it.
    Keep(T, Vec<SealedEvent>),
    /// Nothing of it is kept.
    Leave(T),
}

/// A change that waits for its turn.
pub(crate) trait Waiting: Send {
    /// Does its work in a transaction.
    fn work(self: Box<Self>, tx: Tx) -> Pin<Box<dyn Future<Output = Worked> + Send>>;

    /// Ends it without its work.
    fn refuse(self: Box<Self>, error: StoreError);
}

/// What the work of a change has come to.
pub(crate) struct Worked {
    tx: Tx,
    /// Tell of what is to be kept; nothing is if there are none.
    events: Option<Vec<SealedEvent>>,
    answer: Answer,
}

/// Tells whoever asked for a change what became of it, or why it cannot last.
type Answer = Box<dyn FnOnce(Option<StoreError>) + Send>;

impl Store {
    /// Makes a change when its turn comes, and answers once it lasts. The work gives back the
    /// transaction that it gets.
    ///
    /// Changes that wait at the same time are committed together. A change that was asked for
    /// happens, also if nobody waits for it any more.
    ///
    /// # Errors
    ///
    /// Whatever the work fails with; [`StoreError::Busy`] if its turn does not come in time;
    /// [`StoreError::Unavailable`] if the commit that holds it fails, whoever made it fail, or
    /// nobody knows whether the change lasts.
    pub async fn change<T, E, F>(&self, work: impl FnOnce(Tx) -> F + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: Future<Output = (Tx, Result<Ending<T>, E>)> + Send + 'static,
    {
        let (tell, mut told) = oneshot::channel();
        let (place, is_served) = self.queue.push(Box::new(Change { work, tell }));
        if !is_served {
            self.handle().spawn(self.clone().serve());
        }
        let answer = match tokio::time::timeout(self.acquire_timeout, &mut told).await {
            Ok(answer) => answer,
            Err(_elapsed) if self.queue.withdraw(place) => return Err(StoreError::Busy.into()),
            // Its turn has come.
            Err(_elapsed) => told.await,
        };
        answer.unwrap_or_else(|lost| Err(StoreError::unavailable(lost).into()))
    }

    /// How many changes wait for their turn.
    #[must_use]
    pub fn changes_waiting(&self) -> usize {
        self.queue.length()
    }

    /// Lets changes happen until none waits. Each group is a task of its own: a change that panics
    /// takes along those that share its transaction, and nobody else.
    async fn serve(self) {
        while let Some(first) = self.queue.next_or_leave() {
            let store = self.clone();
            if let Err(panic) = self.spawn(async move { store.make_together(first).await }).await {
                tracing::error!(%panic, "a change was not made");
            }
        }
    }

    /// Makes a change, and those that wait when it has done its work.
    async fn make_together(&self, first: Box<dyn Waiting>) {
        let tx = match self.begin().await {
            Ok(tx) => tx,
            Err(error) => return first.refuse(error),
        };
        let mut answers = Vec::new();
        match self.share(tx, first, &mut answers).await {
            Ok(()) => answers.into_iter().for_each(|answer| answer(None)),
            Err(error) => {
                let cause: Arc<dyn Error + Send + Sync> = match error {
                    StoreError::Unavailable(cause) => cause.into(),
                    error => Arc::new(error),
                };
                for answer in answers {
                    answer(Some(StoreError::unavailable(Arc::clone(&cause))));
                }
            }
        }
    }

    /// Makes changes in one transaction, and commits it if it holds anything.
    async fn share(
        &self,
        mut tx: Tx,
        mut change: Box<dyn Waiting>,
        answers: &mut Vec<Answer>,
    ) -> Result<(), StoreError> {
        loop {
            let (answer, settled) = change.work(tx).await.settle().await;
            answers.push(answer);
            let Some(kept) = settled? else { return Ok(()) };
            let next = if answers.len() < MOST { self.queue.next() } else { None };
            let Some(next) = next else { return kept.transaction.commit().await };
            // Dropped by an error here, it is answered as those before it are.
            change = next;
            tx = kept.follow().await?;
        }
    }
}

impl Worked {
    /// Keeps what was done, or undoes it, and says where the transaction goes on: nowhere if it
    /// holds nothing.
    async fn settle(self) -> (Answer, Result<Option<Tx>, StoreError>) {
        let Self { mut tx, events, answer } = self;
        let Some(events) = events else { return (answer, tx.undo().await) };
        match tx.keep(&events).await {
            Ok(_) => (answer, Ok(Some(tx))),
            Err(error) => (Box::new(|_| answer(Some(error))), tx.undo().await),
        }
    }
}

struct Change<W, T, E> {
    work: W,
    tell: oneshot::Sender<Result<T, E>>,
}

impl<W, T, E, F> Waiting for Change<W, T, E>
where
    W: FnOnce(Tx) -> F + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    F: Future<Output = (Tx, Result<Ending<T>, E>)> + Send + 'static,
{
    fn work(self: Box<Self>, tx: Tx) -> Pin<Box<dyn Future<Output = Worked> + Send>> {
        Box::pin(async move {
            let Self { work, tell } = *self;
            let (tx, ended) = work(tx).await;
            let (events, ended) = match ended {
                Ok(Ending::Keep(value, events)) => (Some(events), Ok(value)),
                Ok(Ending::Leave(value)) => (None, Ok(value)),
                Err(error) => (None, Err(error)),
            };
            let answer = move |fault: Option<StoreError>| {
                // Whoever asked may have stopped waiting.
                _ = tell.send(fault.map_or(ended, |fault| Err(fault.into())));
            };
            Worked { tx, events, answer: Box::new(answer) }
        })
    }

    fn refuse(self: Box<Self>, error: StoreError) {
        // As above.
        _ = self.tell.send(Err(error.into()));
    }
}

/// How many changes share a transaction at most. More would save little, while the first of them
/// waits for its answer and other servers for their turn.
const MOST: usize = 32;
