//! Providers: configured ways to authenticate.

use futures_util::Stream;
use keystile_api::lists::Page;
use keystile_api::providers::{NewProvider, Provider, ProviderPatch};
use serde::Serialize;
use uuid::Uuid;

use crate::{Answer, Change, Client, Paging, Result, lists, operations};

/// The providers of a server.
#[derive(Clone, Debug)]
pub struct Providers(pub(crate) Client);

/// Which providers are listed. The default: all, by priority.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ProviderFilter {
    /// Names with `*` and `?` as wildcards, whatever the case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `api_key`, `personal_access_token`, `oidc` or `password`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Those that are switched on, or off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Which part of the list; sorted by `created_at`, `name` or `priority`.
    #[serde(flatten)]
    pub paging: Paging,
}

impl Providers {
    /// One part of the list.
    pub async fn list(&self, filter: &ProviderFilter) -> Result<Page<Provider>> {
        self.0.call(operations::list_providers, &[]).query(filter).read().await
    }

    /// The whole list.
    pub fn stream(
        &self,
        filter: ProviderFilter,
    ) -> impl Stream<Item = Result<Provider>> + Send + use<> {
        let this = self.clone();
        lists::all(filter.paging.clone(), move |paging| {
            let (this, filter) = (this.clone(), ProviderFilter { paging, ..filter.clone() });
            async move { this.list(&filter).await }
        })
    }

    /// One provider.
    pub async fn show(&self, id: Uuid) -> Result<Answer<Provider>> {
        self.0.call(operations::show_provider, &[&id]).answer().await
    }

    /// Makes a provider.
    pub async fn create(&self, new: &NewProvider, change: &Change) -> Result<Answer<Provider>> {
        self.0.call(operations::create_provider, &[]).json(new).create(change).answer().await
    }

    /// Changes a provider: what the patch leaves out stays.
    pub async fn update(
        &self,
        id: Uuid,
        patch: &ProviderPatch,
        change: &Change,
    ) -> Result<Answer<Provider>> {
        self.0.call(operations::update_provider, &[&id]).json(patch).change(change).answer().await
    }

    /// Deletes a provider, which nothing may use any more. The answer has it in a dry run only.
    pub async fn delete(&self, id: Uuid, change: &Change) -> Result<Answer<Option<Provider>>> {
        self.0.call(operations::delete_provider, &[&id]).change(change).deleted().await
    }
}
