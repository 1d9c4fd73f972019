//! The use cases of Keystile: what its two faces, the API and the console, can ask for.
//!
//! - [`Keystile`] is the whole: a store, keys, a clock and a verifier. Each use case is a method,
//!   in one file per resource.
//! - [`Caller`] is who asks: authenticated, with its rights.
//! - [`change`] is the only way to change anything: it takes the head of the audit log, judges the
//!   caller once more, and writes rows and events in one transaction.
//! - [`MasterKey`] is where every secret of the server comes from.
//!
//! Nothing here knows HTTP, and nothing here is a query.

pub mod api_keys;
pub mod audit_events;
mod caller;
pub mod change;
mod error;
mod finder;
pub mod first_start;
mod keys;
mod random;
mod replays;
pub mod roles;
pub mod verify;

use std::borrow::Cow;
use std::sync::Arc;

use keystile_auth::{Clock, Verifier};
use keystile_domain::Formats;
use keystile_storage::Store;
use tokio::sync::Semaphore;

pub use caller::{Caller, Origin, Refused};
pub use error::{Broken, Conflict, ServiceError};
pub use keys::{MasterKey, MasterKeyError};
pub use keystile_storage::StoreError;
pub use replays::{IdempotencyKey, IdempotencyKeyError, Replay};

use crate::finder::Finder;
use crate::keys::Keys;

/// The whole of Keystile, without a face.
pub struct Keystile {
    store: Store,
    keys: Keys,
    clock: Arc<dyn Clock>,
    verifier: Verifier<Finder, Arc<dyn Clock>>,
    /// Walks along the whole audit log.
    walks: Semaphore,
    /// Batches, which hold up every other change for as long as they take.
    batches: Arc<Semaphore>,
}

impl Keystile {
    /// Opens Keystile on a migrated, initialised store (see [`first_start`]).
    ///
    /// # Errors
    ///
    /// [`ServiceError::Store`] if the store cannot be read.
    pub async fn open(
        store: Store,
        master: &MasterKey,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ServiceError> {
        let keys = master.keys();
        let mut conn = store.read().await?;
        let formats = Formats::new(conn.list_formats().await?);
        let free = conn.find_meta(first_start::FREE_FORMATS).await?.is_some();
        let finder = Finder::new(store.clone(), keys.pepper.clone());
        let verifier = Verifier::new(
            finder,
            Arc::clone(&clock),
            if free { formats.and_any() } else { formats },
        );
        Ok(Self {
            store,
            keys,
            clock,
            verifier,
            walks: Semaphore::new(1),
            batches: Arc::new(Semaphore::new(1)),
        })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Store`] if it does not.
    pub async fn ready(&self) -> Result<(), ServiceError> {
        Ok(self.store.ping().await?)
    }

    /// A text for the log, without what looks like a secret of ours: clients put theirs into paths
    /// and headers where none belongs.
    #[must_use]
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.verifier.formats().redact(text)
    }

    /// The cursor that continues a list behind `mark`; `list` names the list with its filters.
    #[must_use]
    pub fn cursor(&self, list: &str, mark: &keystile_domain::Mark) -> String {
        self.keys.seal_cursor(list, mark)
    }

    /// Where a cursor of the list points to; nothing if it was not made for this list by this
    /// installation.
    #[must_use]
    pub fn mark(&self, list: &str, cursor: &str) -> Option<keystile_domain::Mark> {
        self.keys.open_cursor(list, cursor)
    }
}
