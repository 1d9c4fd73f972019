//! What a transaction needs to know to issue keys, read once however many it issues.

use std::collections::{BTreeMap, BTreeSet};

use keystile_domain::{
    ApiKey, ApiKeyId, Formats, KeySettings, Provider, ProviderKind, ProviderSettings, Role, RoleId,
    Secret, SecretFormat, Version,
};
use keystile_storage::Conn;

use super::{ApiKeyDraft, IssuedApiKey, ProviderName, ShownApiKey, creator, settle_expiry};
use crate::change::Scope;
use crate::{ServiceError, random};

/// Issues keys within one transaction.
#[derive(Default)]
pub(super) struct Issuer {
    providers: Vec<(Option<ProviderName>, Provider)>,
    roles: BTreeMap<RoleId, Role>,
    formats: Option<Formats>,
}

impl Issuer {
    /// Checks a draft against every rule and draws its secret; writes no key yet.
    pub(super) async fn issue(
        &mut self,
        scope: &mut Scope,
        draft: ApiKeyDraft,
    ) -> Result<IssuedApiKey, ServiceError> {
        let provider = self.provider(scope, draft.provider).await?;
        let settings = key_settings(&provider)?;
        self.read_roles(scope, &draft.roles).await?;
        for role in draft.roles.iter().filter_map(|id| self.roles.get(id)) {
            scope.rights.reach_role(role)?;
        }
        let expiry = settle_expiry(scope, &provider, draft.expiry)?;
        let secret = self.draw(scope, &settings.format).await?;
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
    pub(super) async fn draw(
        &mut self,
        scope: &mut Scope,
        format: &SecretFormat,
    ) -> Result<Secret, ServiceError> {
        let formats = match self.formats.take() {
            Some(formats) => formats,
            None => Formats::new(scope.tx.list_formats().await?),
        };
        if !formats.contains(format) {
            scope.tx.remember_format(format).await?;
        }
        let secret = formats.draw(format, &mut random::generator()).map_err(ServiceError::Draw);
        self.formats = Some(formats);
        secret
    }

    async fn provider(
        &mut self,
        scope: &mut Scope,
        name: Option<ProviderName>,
    ) -> Result<Provider, ServiceError> {
        if let Some((_, provider)) = self.providers.iter().find(|(known, _)| *known == name) {
            return Ok(provider.clone());
        }
        let found = match &name {
            Some(name) => find_provider(&mut scope.tx, name).await?,
            None => scope.tx.find_default_provider(ProviderKind::ApiKey).await?,
        };
        let unknown = || ServiceError::broken("/provider", "there is no such provider");
        let provider = found.ok_or_else(unknown)?;
        if !provider.enabled {
            return Err(ServiceError::broken("/provider", "the provider is switched off"));
        }
        self.providers.push((name, provider.clone()));
        Ok(provider)
    }

    async fn read_roles(
        &mut self,
        scope: &mut Scope,
        ids: &BTreeSet<RoleId>,
    ) -> Result<(), ServiceError> {
        let new: BTreeSet<_> =
            ids.iter().copied().filter(|id| !self.roles.contains_key(id)).collect();
        if !new.is_empty() {
            let roles = scope.roles_named(&new).await?;
            self.roles.extend(roles.into_iter().map(|role| (role.id, role)));
        }
        Ok(())
    }
}

/// A new secret, outside of a batch.
pub(crate) async fn draw_secret(
    scope: &mut Scope,
    format: &SecretFormat,
) -> Result<Secret, ServiceError> {
    Issuer::default().draw(scope, format).await
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
