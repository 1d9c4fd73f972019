//! Making a key.

use std::collections::BTreeSet;

use keystile_domain::{
    Action, AllowedIps, ApiKey, ApiKeyId, Description, Expiry, ExternalId, Formats, Identifier,
    KeySettings, Metadata, Name, Power, Provider, ProviderId, ProviderKind, ProviderSettings, Role,
    RoleId, Secret, SecretFormat, Version,
};
use keystile_storage::Conn;

use super::{IssuedApiKey, ShownApiKey, creator, settle_expiry};
use crate::change::{Changed, Options, Scope};
use crate::{Caller, Keystile, ServiceError, random};

/// A key that somebody asks for.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a face builds it field by field")]
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

/// How a request names a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are two ways")]
pub enum ProviderName {
    /// By its id.
    Id(ProviderId),
    /// By its identifier.
    Identifier(Identifier),
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
                let issued = draw_api_key(scope, draft).await?;
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

/// Checks a draft against every rule and draws its secret; writes no key yet.
pub(super) async fn draw_api_key(
    scope: &mut Scope,
    draft: ApiKeyDraft,
) -> Result<IssuedApiKey, ServiceError> {
    let provider = provider_for(scope, draft.provider.as_ref()).await?;
    let settings = key_settings(&provider)?;
    let roles = scope.roles_named(&draft.roles).await?;
    roles.iter().try_for_each(|role: &Role| scope.rights.reach_role(role))?;
    let expiry = settle_expiry(scope, &provider, draft.expiry)?;
    let secret = draw_secret(scope, &settings.format).await?;
    let api_key = ApiKey {
        id: random::id(ApiKeyId::new, scope.now)?,
        name: draft.name,
        description: draft.description,
        provider: provider.id,
        key_prefix: settings.format.display_prefix(&secret),
        roles: draft.roles,
        expiry,
        enabled: draft.enabled,
        allowed_ips: draft.allowed_ips,
        external_id: draft.external_id,
        metadata: draft.metadata,
        created_by: creator(scope),
        created_at: scope.now,
        updated_at: scope.now,
        version: Version::FIRST,
    };
    Ok(IssuedApiKey { shown: ShownApiKey { api_key, provider: provider.identifier }, secret })
}

/// A new secret that fits its own format and cannot be taken for a mistyped one of another.
pub(crate) async fn draw_secret(
    scope: &mut Scope,
    format: &SecretFormat,
) -> Result<Secret, ServiceError> {
    scope.tx.remember_format(format).await?;
    let formats = Formats::new(scope.tx.list_formats().await?);
    formats.draw(format, &mut random::generator()).map_err(ServiceError::Draw)
}

pub(crate) fn key_settings(provider: &Provider) -> Result<&KeySettings, ServiceError> {
    match (&provider.settings, provider.kind) {
        (ProviderSettings::Keys(settings), ProviderKind::ApiKey) => Ok(settings),
        _ => Err(ServiceError::broken("/provider", "issues no API keys")),
    }
}

pub(super) async fn find_provider(
    conn: &mut Conn,
    name: &ProviderName,
) -> Result<Option<Provider>, ServiceError> {
    Ok(match name {
        ProviderName::Id(id) => conn.find_provider(*id).await?,
        ProviderName::Identifier(identifier) => {
            conn.find_provider_by_identifier(identifier).await?
        }
    })
}

async fn provider_for(
    scope: &mut Scope,
    name: Option<&ProviderName>,
) -> Result<Provider, ServiceError> {
    let found = match name {
        Some(name) => find_provider(&mut scope.tx, name).await?,
        None => scope.tx.default_provider(ProviderKind::ApiKey).await?,
    };
    match found {
        None => Err(ServiceError::broken("/provider", "there is no such provider")),
        Some(provider) if !provider.enabled => {
            Err(ServiceError::broken("/provider", "the provider is switched off"))
        }
        Some(provider) => Ok(provider),
    }
}
