//! Deleting tokens, for ever.

use keystile_domain::{Action, Reason, Timestamp, Token, TokenId, User, Version};

use super::{ShownToken, TokenOwner, show};
use crate::change::{Changed, Options, Scope};
use crate::{Caller, Keystile, ServiceError};

impl Keystile {
    /// Deletes a token for ever; a tombstone stays.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Ceiling`] if the token is beyond the caller; [`ServiceError::Outdated`] if
    /// it does not have the `expected` version; [`ServiceError::NoAccount`],
    /// [`ServiceError::NotFound`] and [`ServiceError::Lacking`] as for listing tokens.
    pub async fn remove_token(
        &self,
        caller: &Caller,
        owner: TokenOwner,
        id: TokenId,
        expected: Option<Version>,
        reason: Option<Reason>,
        options: Options<ShownToken>,
    ) -> Result<Changed<ShownToken>, ServiceError> {
        self.change(caller, None, options, move |scope| {
            Box::pin(async move {
                let owner = scope.token_owner(owner).await?;
                let token = scope.token_in_reach(&owner, id, expected).await?;
                scope.remove_token(&owner.user, &token, reason.as_ref()).await?;
                show(&mut scope.tx, token).await
            })
        })
        .await
    }
}

impl Scope {
    /// Every token of a user, those that have ended too.
    pub(crate) async fn list_tokens_of(
        &mut self,
        owner: &User,
    ) -> Result<Vec<Token>, ServiceError> {
        // At the beginning of time none had ended.
        Ok(self.tx.list_live_tokens(owner.id, Timestamp::from_millis(i64::MIN)).await?)
    }

    /// Deletes a token for ever, whoever may.
    pub(crate) async fn remove_token(
        &mut self,
        owner: &User,
        token: &Token,
        reason: Option<&Reason>,
    ) -> Result<(), ServiceError> {
        let tombstone = self.tombstone(reason);
        self.tx.remove_token(token, &tombstone).await?;
        self.record_token(Action::TokenDeleted, owner, Some(token), None, reason.cloned())
    }
}
