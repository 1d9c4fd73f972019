//! What a transaction needs to know to issue keys, read once however many it issues.

use std::collections::{BTreeMap, BTreeSet};

use keystile_domain::{Action, ApiKey, ApiKeyId, ProviderKind, Role, RoleId, Version};
use keystile_storage::NewSecret;

use super::import::Arrivals;
use super::{ApiKeyDraft, ApiKeyImport, ImportedSecret, IssuedApiKey, ShownApiKey, settle_expiry};
use crate::change::Scope;
use crate::limits::QuotaDraft;
use crate::secrets::{Mint, key_settings};
use crate::{ServiceError, random};

/// Issues keys within one transaction.
pub(super) struct Issuer {
    mint: Mint,
    arrivals: Arrivals,
    roles: BTreeMap<RoleId, Role>,
    rows: Vec<(ApiKey, NewSecret)>,
}

impl Issuer {
    /// Reads what the rules for these drafts depend on.
    pub(super) async fn expecting<'d>(
        scope: &mut Scope,
        drafts: impl IntoIterator<Item = &'d ApiKeyDraft, IntoIter: Send>,
    ) -> Result<Self, ServiceError> {
        let imports = drafts.into_iter().filter_map(|draft| draft.import.as_ref());
        let arrivals = Arrivals::expecting(scope, imports).await?;
        Ok(Self { mint: Mint::default(), arrivals, roles: BTreeMap::new(), rows: Vec::new() })
    }

    /// Checks a draft against every rule and settles its secret; writes no key yet.
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
        let id = random::id(ApiKeyId::new, scope.now)?;
        let (secret, stored, key_prefix) = match &draft.import {
            None => {
                let secret = self.mint.draw(scope, &settings.format).await?;
                let digest = scope.keys.digest(&secret.fingerprint());
                let key_prefix = settings.format.display_prefix(&secret);
                (Some(secret), NewSecret::new(digest, Some(&settings.format)), key_prefix)
            }
            Some(import) => {
                let formats = self.mint.formats(scope).await?;
                let stored = self.arrivals.admit(scope, formats, id, &import.secret)?;
                (None, stored, import.key_prefix())
            }
        };
        let api_key = ApiKey {
            id,
            name: draft.name,
            description: draft.description,
            provider: provider.id,
            key_prefix,
            roles: draft.roles,
            expiry,
            enabled: draft.enabled,
            allowed_ips: draft.allowed_ips,
            rate_limits: draft.rate_limits,
            quota: draft.quota.map(|quota| quota.settle(None, scope.now)),
            external_id: draft.external_id,
            metadata: draft.metadata,
            created_by: scope.creator(),
            created_at: scope.now,
            updated_at: scope.now,
            version: Version::FIRST,
        };
        let provider = provider.identifier;
        let remaining = draft.quota.map(QuotaDraft::left);
        let unseen_import =
            matches!(draft.import, Some(ApiKeyImport { secret: ImportedSecret::Hash(_), .. }));
        self.rows.push((api_key.clone(), stored));
        let last_used_at = None;
        let shown = ShownApiKey { api_key, provider, last_used_at, remaining, unseen_import };
        Ok(IssuedApiKey { shown, secret })
    }

    /// Writes every key that was issued, and tells of it.
    pub(super) async fn write<'i>(
        self,
        scope: &mut Scope,
        issued: impl IntoIterator<Item = &'i IssuedApiKey, IntoIter: Clone + Send>,
    ) -> Result<(), ServiceError> {
        let issued = issued.into_iter();
        scope.tx.insert_api_keys(&self.rows).await?;
        self.arrivals.write(scope).await?;
        scope.begin_quotas(issued.clone().map(|issued| &issued.shown)).await?;
        for issued in issued {
            let drawn = issued.secret.is_some();
            let action = if drawn { Action::ApiKeyCreated } else { Action::ApiKeyImported };
            scope.record_api_key(action, None, Some(&issued.shown.api_key), None)?;
        }
        Ok(())
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
