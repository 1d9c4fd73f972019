//! What this node itself changes: it must not wait for the feed to believe it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use keystile_auth::Trust;
use keystile_domain::{Effect, SealedEvent, Seq, Touches};
use keystile_storage::{FeedEvent, FeedPlace};
use tokio::sync::Notify;

/// Where changes of this node are told.
#[derive(Clone, Debug, Default)]
pub(crate) struct News {
    trust: Arc<Trust>,
    told: Arc<Notify>,
    /// What the feed has not brought yet.
    made: Arc<Mutex<VecDeque<FeedEvent>>>,
}

impl News {
    pub(crate) fn new(trust: Arc<Trust>) -> Self {
        Self { trust, ..Self::default() }
    }

    /// Ends what is remembered of whatever these events touch. It is done before they are
    /// committed: a commit of which nobody knows the outcome may have happened.
    pub(crate) fn raise(&self, events: &[SealedEvent]) {
        self.trust.raise(effects(events));
        let mut made = self.made();
        made.extend(events.iter().map(|sealed| FeedEvent {
            place: FeedPlace { seq: sealed.event.seq, hash: sealed.hash },
            action: sealed.event.draft.action.as_str().to_owned(),
            target_kind: sealed.event.draft.target.kind.as_str().to_owned(),
            target_id: sealed.event.draft.target.id.clone(),
        }));
        let surplus = made.len().saturating_sub(MOST);
        made.drain(..surplus);
    }

    /// Tells whoever follows the feed that there is something to see.
    pub(crate) fn tell(&self) {
        self.told.notify_one();
    }

    /// Something was committed. What it touches ends once more: another primary may have made this
    /// node begin anew since, and read before the commit.
    pub(crate) fn is_made(&self, effects: &[Effect]) {
        self.trust.raise(effects.iter().copied());
        self.tell();
    }

    /// Waits for the next change.
    pub(super) async fn told(&self) {
        self.told.notified().await;
    }

    /// The feed has brought everything up to here.
    pub(super) fn saw(&self, seq: Seq) {
        self.made().retain(|event| event.place.seq > seq);
    }

    /// What those touch that this node has made, or tried to, and the feed has not brought.
    pub(super) fn unseen(&self) -> Vec<Effect> {
        self.made().iter().map(FeedEvent::effect).collect()
    }

    /// What this node has made, or tried to, and the feed has not brought; it is told once.
    pub(super) fn take_unseen(&self) -> Vec<FeedEvent> {
        self.made().drain(..).collect()
    }

    fn made(&self) -> MutexGuard<'_, VecDeque<FeedEvent>> {
        // A list is whole between its methods, whoever panicked.
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What these events touch.
pub(crate) fn effects(events: &[SealedEvent]) -> impl Iterator<Item = Effect> {
    events.iter().map(|SealedEvent { event, .. }| Effect {
        seq: event.seq,
        touches: Touches::of(event.draft.action.as_str(), &event.draft.target.id),
    })
}

/// How many changes are kept that the feed has not brought.
const MOST: usize = 10_000;
