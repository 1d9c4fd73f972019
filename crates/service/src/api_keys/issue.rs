//! Making a key.

use std::collections::BTreeSet;

use keystile_domain::{
    Action, AllowedIps, Description, Expiry, ExternalId, Metadata, Name, Power, RoleId,
};

use super::IssuedApiKey;
use super::issuer::Issuer;
use crate::change::{Changed, Options};
use crate::{Caller, Keystile, ProviderName, ServiceError};

/// A key that somebody asks for.
#[derive(Clone, Debug)]
pub struct ApiKeyDraft {
    /// Its name.
    pub name: Name,
    /// What it is for.
    pub description: Option<Description>,
    /// The roles that it shall hold.
    pub roles: BTreeSet<RoleId>,
    /// When it shall end; `None`: as the provider says.
    pub expiry: Option<Expiry>,
    /// The provider whose rules it shall follow; `None`: the default one.
    pub provider: Option<ProviderName>,
    /// Whether it shall be switched on.
    pub enabled: bool,
    /// Where it may be used from.
    pub allowed_ips: AllowedIps,
    /// What another system calls it.
    pub external_id: Option<ExternalId>,
    /// What the customer keeps beside it.
    pub metadata: Metadata,
}

impl Keystile {
    /// Makes a key.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Ceiling`] if a role is more than the caller may hand out;
    /// [`ServiceError::Broken`] for an unknown role or provider or an end beyond the rules;
    /// [`ServiceError::Lacking`] without `keystile.api_keys.write`.
    pub async fn create_api_key(
        &self,
        caller: &Caller,
        draft: ApiKeyDraft,
        options: Options<IssuedApiKey>,
    ) -> Result<Changed<IssuedApiKey>, ServiceError> {
        self.change(caller, Power::ApiKeysWrite, options, |scope| {
            Box::pin(async move {
                let issued = Issuer::default().issue(scope, draft).await?;
                let key = &issued.shown.api_key;
                let digest = scope.keys.pepper.digest(&issued.secret.fingerprint());
                scope.tx.insert_api_key(key, &digest).await?;
                scope.record_api_key(Action::ApiKeyCreated, None, Some(key), None)?;
                Ok(issued)
            })
        })
        .await
    }
}
