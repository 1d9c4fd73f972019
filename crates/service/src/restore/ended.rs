//! Ending once more what ended after the backup.

use keystile_domain::{Action, ApiKey, ApiKeyId, Reason, TokenId, User, UserId};
use keystile_storage::Except;
use uuid::Uuid;

use super::{NotAgain, RestoreError};
use crate::ServiceError;
use crate::change::Scope;

/// Switches keys and users off and deletes tokens; gives how many, and which are not there.
pub(super) async fn end(
    scope: &mut Scope,
    not_again: NotAgain,
) -> Result<(usize, Vec<Uuid>), RestoreError> {
    let mut ids = not_again.ended;
    if let Some(moment) = not_again.changed_since {
        ids.extend(scope.tx.list_credentials_changed_since(moment).await?);
    }
    ids.sort_unstable();
    ids.dedup();
    let (mut ended, mut unknown) = (0, Vec::new());
    for id in ids {
        let known = end_key(scope, id.into()).await?
            || end_token(scope, id.into()).await?
            || end_user(scope, id.into()).await?;
        match known {
            true => ended += 1,
            false => unknown.push(id),
        }
    }
    if ended > 0 && scope.tx.count_administrators(scope.now, &Except::default()).await? == 0 {
        return Err(RestoreError::NoAdministrator);
    }
    Ok((ended, unknown))
}

async fn end_key(scope: &mut Scope, id: ApiKeyId) -> Result<bool, ServiceError> {
    let Some(before) = scope.tx.find_api_key(id).await? else { return Ok(false) };
    if before.enabled {
        let (version, updated_at) = (before.version.next(), scope.now);
        let after = ApiKey { enabled: false, version, updated_at, ..before.clone() };
        scope.tx.update_api_key(&after).await?;
        let action = Action::ApiKeyDisabled;
        scope.record_api_key(action, Some(&before), Some(&after), reason())?;
    }
    Ok(true)
}

async fn end_token(scope: &mut Scope, id: TokenId) -> Result<bool, ServiceError> {
    let Some(token) = scope.tx.find_token(id).await? else { return Ok(false) };
    let Some(owner) = scope.tx.find_user(token.owner).await? else { return Ok(false) };
    scope.remove_token(&owner, &token, reason().as_ref()).await?;
    Ok(true)
}

async fn end_user(scope: &mut Scope, id: UserId) -> Result<bool, ServiceError> {
    let Some(before) = scope.tx.find_user(id).await? else { return Ok(false) };
    if before.enabled {
        let (version, updated_at) = (before.version.next(), scope.now);
        let after = User { enabled: false, version, updated_at, ..before.clone() };
        scope.tx.update_user(&after).await?;
        scope.record_user(Action::UserDisabled, Some(&before), Some(&after), reason())?;
    }
    Ok(true)
}

fn reason() -> Option<Reason> {
    "It was named when a backup was restored.".parse().ok()
}
