//! What has to be done from time to time, by every node: forgetting what is over, and keeping the
//! signing keys fresh.

use crate::sign_in::REMEMBERED;
use crate::{Keystile, ServiceError};

impl Keystile {
    /// One round. It costs little when there is nothing to do, and any number of nodes may be at it
    /// at once.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Store`] if the store did not answer; the next round makes up for it.
    pub async fn tend(&self) -> Result<(), ServiceError> {
        self.tend_signing_keys().await?;
        let now = self.clock.now();
        let mut books = self.store.books().await?;
        books.remove_ended_sessions(now).await?;
        books.remove_ended_spent_tokens(now).await?;
        books.remove_ended_tickets(now).await?;
        books.remove_old_failures(now.before(REMEMBERED)).await?;
        books.forget_unused_import_schemes().await?;
        Ok(books.commit().await?)
    }
}
