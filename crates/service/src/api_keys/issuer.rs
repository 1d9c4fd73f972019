//! What a transaction needs to know to issue keys, read once however many it issues.

use std::collections::{BTreeMap, BTreeSet};

use keystile_domain::{ApiKey, ApiKeyId, ProviderKind, Role, RoleId, Version};

use super::{ApiKeyDraft, IssuedApiKey, ShownApiKey, settle_expiry};
use crate::change::Scope;
use crate::secrets::{Mint, key_settings};
use crate::{ServiceError, random};

/// Issues keys within one transaction.
#[derive(Default)]
pub(super) struct Issuer {
    mint: Mint,
    roles: BTreeMap<RoleId, Role>,
}

impl Issuer {
    /// Checks a draft against every rule and draws its secret; writes no key yet.
    pub(super) async fn issue(
        &mut self,
        scope: &mut Scope,
        draft: ApiKeyDraft,
    ) -> Result<IssuedApiKey, ServiceError> {
        let provider = self.mint.provider(scope, ProviderKind::ApiKey, draft.provider).await?;
        let settings = key_settings(&provider)?;
        self.read_roles(scope, &draft.roles).await?;
        for role in draft.roles.iter().filter_map(|id| self.roles.get(id)) {
            scope.rights.reach_role(role)?;
        }
        let expiry = settle_expiry(scope, &provider, draft.expiry)?;
        let secret = self.mint.draw(scope, &settings.format).await?;
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
            created_by: scope.creator(),
            created_at: scope.now,
            updated_at: scope.now,
            version: Version::FIRST,
        };
        let provider = provider.identifier;
        let shown = ShownApiKey { api_key, provider, last_used_at: None };
        Ok(IssuedApiKey { shown, secret })
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
