//! Forgetting old peppers, for good.

use keystile_auth::Clock;
use keystile_domain::{Action, ApiKeyId, CredentialKind, Target};
use keystile_storage::{Except, Store, Straggler};
use serde_json::json;

use crate::change::Scope;
use crate::keys::Keys;
use crate::{Conflict, MasterKey, ServiceError};

/// What becomes of credentials that stand under old peppers alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "they stop, or they do not")]
pub enum Stragglers {
    /// While there are any, nothing is forgotten.
    Keep,
    /// They stop for good: nobody can tell any more whose their secrets are.
    Stop,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it was done, or it was not")]
pub enum Forgotten {
    /// The old peppers are forgotten, and these credentials have stopped.
    Done(Vec<Straggler>),
    /// There is only one pepper.
    Nothing,
    /// Nothing was done: these credentials would stop.
    WouldStop(Vec<Straggler>),
}

/// Forgets every pepper but the present one, whether or not nodes run.
///
/// Refresh tokens, tickets and tombstones under them are found no more: who signed in before the
/// rotation and has not been back signs in again, and a check of a deleted key answers `not_found`
/// in place of `deleted`.
///
/// # Errors
///
/// [`ServiceError::Conflict`] if nobody would be left who may do everything;
/// [`ServiceError::Store`] if the store does not answer.
pub async fn forget(
    store: &Store,
    master: &MasterKey,
    clock: &dyn Clock,
    stragglers: Stragglers,
) -> Result<Forgotten, ServiceError> {
    let mut scope = Scope::begin(store, Keys::read(store, master).await?, clock).await?;
    if scope.tx.list_peppers().await?.len() < 2 {
        scope.tx.rollback().await?;
        return Ok(Forgotten::Nothing);
    }
    let (present, now) = (scope.tx.pepper(), scope.now);
    let left = scope.tx.list_stragglers(present, now).await?;
    if stragglers == Stragglers::Keep && !left.is_empty() {
        scope.tx.rollback().await?;
        return Ok(Forgotten::WouldStop(left));
    }
    let keys = left.iter().filter(|straggler| straggler.kind == CredentialKind::ApiKey);
    let keys: Vec<ApiKeyId> = keys.map(|straggler| straggler.id.into()).collect();
    let except = Except { api_keys: &keys, ..Except::default() };
    if !left.is_empty() && scope.tx.count_administrators(now, &except).await? == 0 {
        scope.tx.rollback().await?;
        return Err(ServiceError::Conflict(Conflict::LastAdministrator));
    }
    scope.tx.remove_old_peppers(now).await?;
    let state = Some(json!({"pepper": present, "stopped": left.len()}));
    scope.record(Action::PeppersForgotten, Target::system(), (None, state), None)?;
    scope.commit().await?;
    Ok(Forgotten::Done(left))
}
