//! Making many keys in one transaction.

use std::sync::Arc;
use std::time::Duration;

use keystile_domain::Power;
use keystile_storage::StoreError;

use super::issuer::Issuer;
use super::{ApiKeyDraft, IssuedApiKey};
use crate::change::{Changed, Options};
use crate::{Caller, Conflict, Keystile, ServiceError};

/// What became of one key of a batch.
pub type BatchOutcome = Result<IssuedApiKey, ServiceError>;

impl Keystile {
    /// Makes many keys in one transaction. A draft that breaks a rule is refused alone; what is
    /// made is made together.
    ///
    /// # Errors
    ///
    /// What stops the whole batch: the store, the caller's own credential, or
    /// [`ServiceError::Lacking`] without `keystile.api_keys.write`.
    pub async fn create_api_keys(
        &self,
        caller: &Caller,
        drafts: Vec<Result<ApiKeyDraft, ServiceError>>,
        options: Options<Vec<BatchOutcome>>,
    ) -> Result<Changed<Vec<BatchOutcome>>, ServiceError> {
        // At most one batch stands in the queue of changes, so that a revocation behind it comes
        // soon. The work keeps the turn: it goes on when whoever asked has hung up.
        let waiting = Arc::clone(&self.batches).acquire_owned();
        let turn = tokio::time::timeout(PATIENCE, waiting).await;
        let Ok(Ok(turn)) = turn else { return Err(StoreError::Busy.into()) };
        let imports = drafts.iter().flatten().any(|draft| draft.import.is_some());
        let changed = self
            .change(caller, Power::ApiKeysWrite, options, move |scope| {
                Box::pin(async move {
                    let _turn = turn;
                    let mut issuer = Issuer::expecting(scope, drafts.iter().flatten()).await?;
                    let mut outcomes = Vec::with_capacity(drafts.len());
                    for draft in drafts {
                        let outcome = match draft {
                            Ok(draft) => issuer.issue(scope, draft).await,
                            Err(error) => Err(error),
                        };
                        match outcome {
                            Err(error) if stops_everything(&error) => return Err(error),
                            outcome => outcomes.push(outcome),
                        }
                    }
                    issuer.write(scope, outcomes.iter().flatten()).await?;
                    Ok(outcomes)
                })
            })
            .await?;
        if imports {
            self.follow_import(caller, &changed).await;
        }
        Ok(changed)
    }
}

/// Whether an error is about more than one draft.
fn stops_everything(error: &ServiceError) -> bool {
    !matches!(
        error,
        ServiceError::Broken(_)
            | ServiceError::Ceiling(_)
            | ServiceError::Conflict(Conflict::SecretKnown)
    )
}

/// How long a batch waits for those before it.
const PATIENCE: Duration = Duration::from_secs(5);
