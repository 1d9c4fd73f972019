//! API keys: credentials with roles of their own.

use futures_util::Stream;
use keystile_api::api_keys::{
    ApiKey, ApiKeyPatch, DeletedApiKeys, IssuedApiKey, IssuedApiKeys, NewApiKey, NewApiKeys,
    RotateApiKey,
};
use keystile_api::lists::Page;
use keystile_api::rotation::{ExtendRotation, Rotation};
use keystile_api::usage::Usage;
use serde::Serialize;
use uuid::Uuid;

use crate::usage::UsageFilter;
use crate::{Answer, Change, Client, Issued, Paging, Result, lists, operations};

/// The API keys of a server.
#[derive(Clone, Debug)]
pub struct ApiKeys(pub(crate) Client);

/// Which keys are listed. The default: all, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ApiKeyFilter {
    /// Names with `*` and `?` as wildcards, whatever the case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only keys that are switched on, or off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Only keys that have ended, or have not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expired: Option<bool>,
    /// Only keys that have an end, or have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<bool>,
    /// Only keys that end before this time (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_before: Option<String>,
    /// Only keys that were made before this time (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_before: Option<String>,
    /// Only keys that were ever let in, or never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<bool>,
    /// Only keys that were let in at no time from this one on (RFC 3339), and were made before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unused_since: Option<String>,
    /// Only keys that hold this role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_id: Option<i64>,
    /// Only keys of this provider: its identifier or id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Only keys that another system calls this, exactly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Only keys that were imported by their hash and not shown since, or all others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unseen_import: Option<bool>,
    /// Which part of the list; sorted by `created_at`, `expires_at` or `name`.
    #[serde(flatten)]
    pub paging: Paging,
}

impl ApiKeys {
    /// One part of the list.
    pub async fn list(&self, filter: &ApiKeyFilter) -> Result<Page<ApiKey>> {
        self.0.call(operations::list_api_keys, &[]).query(filter).read().await
    }

    /// The whole list.
    pub fn stream(
        &self,
        filter: ApiKeyFilter,
    ) -> impl Stream<Item = Result<ApiKey>> + Send + use<> {
        let this = self.clone();
        lists::all(filter.paging.clone(), move |paging| {
            let (this, filter) = (this.clone(), ApiKeyFilter { paging, ..filter.clone() });
            async move { this.list(&filter).await }
        })
    }

    /// One key.
    pub async fn show(&self, id: Uuid) -> Result<Answer<ApiKey>> {
        self.0.call(operations::show_api_key, &[&id]).answer().await
    }

    /// Makes a key.
    pub async fn create(&self, new: &NewApiKey, change: &Change) -> Result<Answer<Issued<ApiKey>>> {
        let call = self.0.call(operations::create_api_key, &[]).json(new).create(change);
        Ok(call.answer::<IssuedApiKey>().await?.map(Issued::from))
    }

    /// Makes up to 10,000 keys in one transaction, new or imported: those that are refused leave
    /// the others alone.
    pub async fn create_batch(
        &self,
        new: &NewApiKeys,
        change: &Change,
    ) -> Result<Answer<IssuedApiKeys>> {
        let call = self.0.call(operations::create_api_keys, &[]).json(new).create(change);
        call.patiently().answer().await
    }

    /// Changes a key: what the patch leaves out stays.
    pub async fn update(
        &self,
        id: Uuid,
        patch: &ApiKeyPatch,
        change: &Change,
    ) -> Result<Answer<ApiKey>> {
        self.0.call(operations::update_api_key, &[&id]).json(patch).change(change).answer().await
    }

    /// Deletes a key for ever. The answer has the key in a dry run only.
    pub async fn delete(&self, id: Uuid, change: &Change) -> Result<Answer<Option<ApiKey>>> {
        self.0.call(operations::delete_api_key, &[&id]).change(change).deleted().await
    }

    /// Deletes all keys that another system calls so, together.
    pub async fn delete_by_external_id(
        &self,
        external_id: &str,
        change: &Change,
    ) -> Result<Answer<DeletedApiKeys>> {
        let call = self.0.call(operations::delete_api_keys, &[]);
        // Sent again it would find nothing, and tell of nothing.
        let call = call.repeat(crate::repeat::Repeat::Unheard);
        call.query(&[("external_id", external_id)]).change(change).answer().await
    }

    /// Gives a key a new secret; the old one works for as long as `rotate` says.
    pub async fn rotate(
        &self,
        id: Uuid,
        rotate: &RotateApiKey,
        change: &Change,
    ) -> Result<Answer<Issued<ApiKey>>> {
        let call = self.0.call(operations::rotate_api_key, &[&id]).json(rotate).create(change);
        Ok(call.answer::<IssuedApiKey>().await?.map(Issued::from))
    }

    /// How the rotation of a key stands: who still shows the old secret.
    pub async fn rotation(&self, id: Uuid) -> Result<Rotation> {
        self.0.call(operations::show_rotation, &[&id]).read().await
    }

    /// Ends the old secret of a rotated key now.
    pub async fn finish_rotation(&self, id: Uuid, change: &Change) -> Result<Answer<Rotation>> {
        self.0.call(operations::finish_rotation, &[&id]).change(change).answer().await
    }

    /// Lets the old secret of a rotated key work for longer.
    pub async fn extend_rotation(
        &self,
        id: Uuid,
        extend: &ExtendRotation,
        change: &Change,
    ) -> Result<Answer<Rotation>> {
        self.0.call(operations::extend_rotation, &[&id]).json(extend).change(change).answer().await
    }

    /// How a key is used.
    pub async fn usage(&self, id: Uuid, filter: &UsageFilter) -> Result<Usage> {
        self.0.call(operations::show_api_key_usage, &[&id]).query(filter).read().await
    }
}
