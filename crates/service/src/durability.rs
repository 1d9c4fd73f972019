//! Whether the primary can carry what is promised about changes, for whoever asks how the server
//! does.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use keystile_storage::Durability;

use crate::{Keystile, ServiceError};

/// What was learnt last, and when: health is asked often, and settings rarely change.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<Option<(Durability, Duration)>>);

impl Keystile {
    /// What of the primary's settings cannot carry a promise, as it was a few seconds ago at most.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Store`] if the database does not answer.
    pub async fn durability(&self) -> Result<Durability, ServiceError> {
        let now = self.clock.elapsed();
        let known = *self.durability.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((durability, learnt)) = known
            && now.saturating_sub(learnt) < KNOWN_FOR
        {
            return Ok(durability);
        }
        let durability = self.store.read().await?.durability().await?;
        *self.durability.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((durability, now));
        Ok(durability)
    }
}

const KNOWN_FOR: Duration = Duration::from_secs(3);
