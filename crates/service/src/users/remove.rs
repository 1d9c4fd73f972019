//! Deleting a user, for ever.

use keystile_domain::{Action, Power, Reason, Rights, User, UserId, Version};
use keystile_storage::Except;

use crate::change::{Changed, Options};
use crate::{Caller, Conflict, Keystile, ServiceError};

/// How a user is to be deleted.
#[derive(Clone, Debug, Default)]
pub struct UserRemoval {
    /// Whether tokens that still work go too, instead of standing in the way.
    pub revoke_tokens: bool,
    /// Whether what OpenID providers call them is forgotten too. Remembered, the same subject is
    /// not made a user again.
    pub forget_identities: bool,
    /// Why: kept in the audit log, and with the tokens.
    pub reason: Option<Reason>,
}

impl Keystile {
    /// Deletes a user for ever, with their sessions and their tokens, which become tombstones.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Conflict`] if they own tokens that still work, unless those are to go too,
    /// or if nobody would be left who may do everything; [`ServiceError::Ceiling`] if they are
    /// beyond the caller; [`ServiceError::Outdated`] if they do not have the `expected` version;
    /// [`ServiceError::NotFound`]; [`ServiceError::Lacking`] without `keystile.users.write`.
    pub async fn remove_user(
        &self,
        caller: &Caller,
        id: UserId,
        expected: Option<Version>,
        removal: UserRemoval,
        options: Options<User>,
    ) -> Result<Changed<User>, ServiceError> {
        self.change(caller, Power::UsersWrite, options, move |scope| {
            Box::pin(async move {
                let (user, roles) = scope.user_in_reach(id, expected).await?;
                let tokens = scope.list_tokens_of(&user).await?;
                let live: Vec<_> =
                    tokens.iter().filter(|token| !token.expiry.is_over(scope.now)).collect();
                if !live.is_empty() && !removal.revoke_tokens {
                    return Err(Conflict::LiveTokens(live.into_iter().cloned().collect()).into());
                }
                if user.enabled {
                    let gone = Except { users: &[id], ..Except::default() };
                    scope.spare_last_administrator(&Rights::of(&roles), &gone).await?;
                }
                for token in &tokens {
                    scope.remove_token(&user, token, removal.reason.as_ref()).await?;
                }
                scope.end_sessions_of(user.id, None).await?;
                if removal.forget_identities {
                    scope.tx.remove_identities(user.id).await?;
                }
                scope.tx.remove_user(user.id).await?;
                scope.record_user(Action::UserDeleted, Some(&user), None, removal.reason)?;
                Ok(user)
            })
        })
        .await
    }
}
