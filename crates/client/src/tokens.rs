//! Personal access tokens: one's own, and those of other users and service accounts.

use futures_util::Stream;
use keystile_api::lists::Page;
use keystile_api::rotation::{ExtendRotation, Rotation};
use keystile_api::tokens::{IssuedToken, NewToken, RotateToken, Token, TokenPatch};
use keystile_api::usage::Usage;
use serde::Serialize;
use uuid::Uuid;

use crate::usage::UsageFilter;
use crate::{Answer, Change, Client, Issued, Paging, Result, lists, operations};

/// The tokens of whoever calls: a user or service account.
#[derive(Clone, Debug)]
pub struct OwnTokens(pub(crate) Client);

/// The tokens of a user or service account.
#[derive(Clone, Debug)]
pub struct UserTokens {
    pub(crate) client: Client,
    pub(crate) user: Uuid,
}

/// Which tokens are listed. The default: all, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TokenFilter {
    /// Names with `*` and `?` as wildcards, whatever the case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only tokens that have ended, or have not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expired: Option<bool>,
    /// Only tokens that were let in at no time from this one on (RFC 3339), and were made before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unused_since: Option<String>,
    /// Which part of the list.
    #[serde(flatten)]
    pub paging: Paging,
}

impl OwnTokens {
    /// One part of the list.
    pub async fn list(&self, filter: &TokenFilter) -> Result<Page<Token>> {
        self.0.call(operations::list_own_tokens, &[]).query(filter).read().await
    }

    /// The whole list.
    pub fn stream(&self, filter: TokenFilter) -> impl Stream<Item = Result<Token>> + Send + use<> {
        let this = self.clone();
        lists::all(filter.paging.clone(), move |paging| {
            let (this, filter) = (this.clone(), TokenFilter { paging, ..filter.clone() });
            async move { this.list(&filter).await }
        })
    }

    /// One token.
    pub async fn show(&self, id: Uuid) -> Result<Answer<Token>> {
        self.0.call(operations::show_own_token, &[&id]).answer().await
    }

    /// Makes a token.
    pub async fn create(&self, new: &NewToken, change: &Change) -> Result<Answer<Issued<Token>>> {
        let call = self.0.call(operations::create_own_token, &[]).json(new).create(change);
        Ok(call.answer::<IssuedToken>().await?.map(Issued::from))
    }

    /// Changes a token: what the patch leaves out stays.
    pub async fn update(
        &self,
        id: Uuid,
        patch: &TokenPatch,
        change: &Change,
    ) -> Result<Answer<Token>> {
        self.0.call(operations::update_own_token, &[&id]).json(patch).change(change).answer().await
    }

    /// Deletes a token for ever. The answer has the token in a dry run only.
    pub async fn delete(&self, id: Uuid, change: &Change) -> Result<Answer<Option<Token>>> {
        self.0.call(operations::delete_own_token, &[&id]).change(change).deleted().await
    }

    /// Gives a token a new secret; the old one works for as long as `rotate` says.
    pub async fn rotate(
        &self,
        id: Uuid,
        rotate: &RotateToken,
        change: &Change,
    ) -> Result<Answer<Issued<Token>>> {
        let call = self.0.call(operations::rotate_own_token, &[&id]).json(rotate).create(change);
        Ok(call.answer::<IssuedToken>().await?.map(Issued::from))
    }

    /// How the rotation of a token stands: who still shows the old secret.
    pub async fn rotation(&self, id: Uuid) -> Result<Rotation> {
        self.0.call(operations::show_own_token_rotation, &[&id]).read().await
    }

    /// Ends the old secret of a rotated token now.
    pub async fn finish_rotation(&self, id: Uuid, change: &Change) -> Result<Answer<Rotation>> {
        self.0.call(operations::finish_own_token_rotation, &[&id]).change(change).answer().await
    }

    /// Lets the old secret of a rotated token work for longer.
    pub async fn extend_rotation(
        &self,
        id: Uuid,
        extend: &ExtendRotation,
        change: &Change,
    ) -> Result<Answer<Rotation>> {
        let call = self.0.call(operations::extend_own_token_rotation, &[&id]);
        call.json(extend).change(change).answer().await
    }

    /// How a token is used.
    pub async fn usage(&self, id: Uuid, filter: &UsageFilter) -> Result<Usage> {
        self.0.call(operations::show_own_token_usage, &[&id]).query(filter).read().await
    }
}

impl UserTokens {
    /// One part of the list.
    pub async fn list(&self, filter: &TokenFilter) -> Result<Page<Token>> {
        self.client.call(operations::list_user_tokens, &[&self.user]).query(filter).read().await
    }

    /// The whole list.
    pub fn stream(&self, filter: TokenFilter) -> impl Stream<Item = Result<Token>> + Send + use<> {
        let this = self.clone();
        lists::all(filter.paging.clone(), move |paging| {
            let (this, filter) = (this.clone(), TokenFilter { paging, ..filter.clone() });
            async move { this.list(&filter).await }
        })
    }

    /// One token.
    pub async fn show(&self, id: Uuid) -> Result<Answer<Token>> {
        self.client.call(operations::show_user_token, &[&self.user, &id]).answer().await
    }

    /// Makes a token.
    pub async fn create(&self, new: &NewToken, change: &Change) -> Result<Answer<Issued<Token>>> {
        let call = self.client.call(operations::create_user_token, &[&self.user]);
        let call = call.json(new).create(change);
        Ok(call.answer::<IssuedToken>().await?.map(Issued::from))
    }

    /// Deletes a token for ever. The answer has the token in a dry run only.
    pub async fn delete(&self, id: Uuid, change: &Change) -> Result<Answer<Option<Token>>> {
        let call = self.client.call(operations::delete_user_token, &[&self.user, &id]);
        call.change(change).deleted().await
    }

    /// Gives a token a new secret; the old one works for as long as `rotate` says.
    pub async fn rotate(
        &self,
        id: Uuid,
        rotate: &RotateToken,
        change: &Change,
    ) -> Result<Answer<Issued<Token>>> {
        let call = self.client.call(operations::rotate_user_token, &[&self.user, &id]);
        let call = call.json(rotate).create(change);
        Ok(call.answer::<IssuedToken>().await?.map(Issued::from))
    }

    /// How the rotation of a token stands: who still shows the old secret.
    pub async fn rotation(&self, id: Uuid) -> Result<Rotation> {
        let call = self.client.call(operations::show_user_token_rotation, &[&self.user, &id]);
        call.read().await
    }

    /// Ends the old secret of a rotated token now.
    pub async fn finish_rotation(&self, id: Uuid, change: &Change) -> Result<Answer<Rotation>> {
        let call = self.client.call(operations::finish_user_token_rotation, &[&self.user, &id]);
        call.change(change).answer().await
    }

    /// Lets the old secret of a rotated token work for longer.
    pub async fn extend_rotation(
        &self,
        id: Uuid,
        extend: &ExtendRotation,
        change: &Change,
    ) -> Result<Answer<Rotation>> {
        let call = self.client.call(operations::extend_user_token_rotation, &[&self.user, &id]);
        call.json(extend).change(change).answer().await
    }

    /// How a token is used.
    pub async fn usage(&self, id: Uuid, filter: &UsageFilter) -> Result<Usage> {
        let call = self.client.call(operations::show_user_token_usage, &[&self.user, &id]);
        call.query(filter).read().await
    }
}
