//! Making many keys in one transaction.

use std::sync::Arc;
use std::time::Duration;

use keystile_domain::{Action, Power};
use keystile_storage::StoreError;

use super::issuer::Issuer;
use super::{ApiKeyDraft, IssuedApiKey};
use crate::change::{Changed, Options};
use crate::{Caller, Keystile, ServiceError};

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
        self.change(caller, Power::ApiKeysWrite, options, move |scope| {
            Box::pin(async move {
                let _turn = turn;
                let mut issuer = Issuer::default();
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
                let rows: Vec<_> = outcomes
                    .iter()
                    .flatten()
                    .map(|issued| {
                        let digest = scope.keys.pepper.digest(&issued.secret.fingerprint());
                        (issued.shown.api_key.clone(), digest)
                    })
                    .collect();
                scope.tx.insert_api_keys(&rows).await?;
                for (key, _) in &rows {
                    scope.record_api_key(Action::ApiKeyCreated, None, Some(key), None)?;
                }
                Ok(outcomes)
            })
        })
        .await
    }
}

/// Whether an error is about more than one draft.
fn stops_everything(error: &ServiceError) -> bool {
    !matches!(error, ServiceError::Broken(_) | ServiceError::Ceiling(_))
}

/// How long a batch waits for those before it.
const PATIENCE: Duration = Duration::from_secs(5);
