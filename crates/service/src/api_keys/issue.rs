//! Making a key.

use std::collections::BTreeSet;

use keystile_domain::{
    AllowedIps, Description, Expiry, ExternalId, Metadata, Name, Power, RateLimits, RoleId,
};

use super::issuer::Issuer;
use super::{ApiKeyImport, IssuedApiKey};
use crate::change::{Changed, Options};
use crate::limits::QuotaDraft;
use crate::{Caller, Keystile, ProviderName, ServiceError};

/// A key that somebody asks for.
#[derive(Debug)]
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
    /// How often it may be used in a time.
    pub rate_limits: RateLimits,
    /// How often it may be used at all.
    pub quota: Option<QuotaDraft>,
    /// What another system calls it.
    pub external_id: Option<ExternalId>,
    /// What the customer keeps beside it.
    pub metadata: Metadata,
    /// The secret that its holder has already; `None`: a new one is drawn.
    pub import: Option<ApiKeyImport>,
}

impl Keystile {
    /// Makes a key.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Ceiling`] if a role is more than the caller may hand out;
    /// [`ServiceError::Broken`] for an unknown role or provider or an end beyond the rules;
    /// [`ServiceError::Conflict`] if the secret that it is to have is known already;
    /// [`ServiceError::Lacking`] without `keystile.api_keys.write`.
    pub async fn create_api_key(
        &self,
        caller: &Caller,
        draft: ApiKeyDraft,
        options: Options<IssuedApiKey>,
    ) -> Result<Changed<IssuedApiKey>, ServiceError> {
        let imports = draft.import.is_some();
        let changed = self
            .change(caller, Power::ApiKeysWrite, options, |scope| {
                Box::pin(async move {
                    let mut issuer = Issuer::expecting(scope, [&draft]).await?;
                    let issued = issuer.issue(scope, draft).await?;
                    issuer.write(scope, [&issued]).await?;
                    Ok(issued)
                })
            })
            .await?;
        if imports {
            self.follow_import(caller, &changed).await;
        }
        Ok(changed)
    }
}
