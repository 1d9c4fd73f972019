//! What this node itself changes: it must not wait for the feed to believe it.

use std::sync::Arc;

use keystile_auth::Trust;
use keystile_domain::{Effect, Event, Touches};
use tokio::sync::Notify;

/// Where changes of this node are told.
#[derive(Clone, Debug, Default)]
pub(crate) struct News {
    trust: Arc<Trust>,
    told: Arc<Notify>,
}

impl News {
    pub(crate) fn new(trust: Arc<Trust>) -> Self {
        Self { trust, told: Arc::default() }
    }

    /// Ends what is remembered of whatever these events touch. It is done before they are
    /// committed: a commit of which nobody knows the outcome may have happened.
    pub(crate) fn raise<'e>(&self, events: impl IntoIterator<Item = &'e Event>) {
        self.trust.raise(events.into_iter().map(|event| Effect {
            seq: event.seq,
            touches: Touches::of(event.draft.action.as_str(), &event.draft.target.id),
        }));
    }

    /// Tells whoever follows the feed that there is something to see.
    pub(crate) fn tell(&self) {
        self.told.notify_one();
    }

    /// Waits for the next change.
    pub(super) async fn told(&self) {
        self.told.notified().await;
    }
}
