//! What keys and tokens share: the provider whose rules a new one follows, its secret, and what is
//! left of it in the end.

use keystile_domain::{
    Actor, Formats, Identifier, KeySettings, Principal, Provider, ProviderId, ProviderKind,
    ProviderSettings, Reason, Secret, SecretFormat,
};
use keystile_storage::{Conn, TombstoneDraft};

use crate::change::Scope;
use crate::{ServiceError, random};

/// How a request names a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProviderName {
    /// By its id.
    Id(ProviderId),
    /// By its identifier.
    Identifier(Identifier),
}

/// Draws secrets within one transaction; what it needs for that is read once, however many it
/// draws.
#[derive(Default)]
pub(crate) struct Mint {
    providers: Vec<(Option<ProviderName>, Provider)>,
    formats: Option<Formats>,
}

impl Mint {
    /// The provider of this kind that a request names, or the default one; it must be switched on.
    pub(crate) async fn provider(
        &mut self,
        scope: &mut Scope,
        kind: ProviderKind,
        name: Option<ProviderName>,
    ) -> Result<Provider, ServiceError> {
        let known = |(known, provider): &&(_, Provider)| *known == name && provider.kind == kind;
        if let Some((_, provider)) = self.providers.iter().find(known) {
            return Ok(provider.clone());
        }
        let found = match &name {
            Some(name) => find_provider(&mut scope.tx, name).await?,
            None => scope.tx.find_default_provider(kind).await?,
        };
        let unknown = || ServiceError::broken("/provider", "there is no such provider");
        let provider = found.ok_or_else(unknown)?;
        if !provider.enabled {
            return Err(ServiceError::broken("/provider", "the provider is switched off"));
        }
        if provider.kind != kind {
            return Err(ServiceError::broken(
                "/provider",
                format_args!("is no provider of the kind {kind}"),
            ));
        }
        self.providers.push((name, provider.clone()));
        Ok(provider)
    }

    /// A new secret that fits its own format and cannot be taken for a mistyped one of another.
    pub(crate) async fn draw(
        &mut self,
        scope: &mut Scope,
        format: &SecretFormat,
    ) -> Result<Secret, ServiceError> {
        let formats = self.formats(scope).await?;
        if !formats.contains(format) {
            scope.tx.remember_format(format).await?;
        }
        formats.draw(format, &mut random::generator()).map_err(ServiceError::Draw)
    }

    /// The formats that are remembered.
    pub(crate) async fn formats(&mut self, scope: &mut Scope) -> Result<&Formats, ServiceError> {
        if self.formats.is_none() {
            self.formats = Some(Formats::new(scope.tx.list_formats().await?));
        }
        Ok(self.formats.get_or_insert_default())
    }
}

impl Scope {
    /// Who makes or ends something, as the thing itself remembers it.
    pub(crate) fn creator(&self) -> Option<Principal> {
        match &self.actor {
            Actor::Principal { principal, .. } => Some(principal.clone()),
            Actor::System => None,
        }
    }

    /// What is left of a credential that is deleted now; the next event tells of it.
    pub(crate) fn tombstone(&self, reason: Option<&Reason>) -> TombstoneDraft {
        TombstoneDraft {
            deleted_at: self.now,
            deleted_by: self.creator(),
            reason: reason.cloned(),
            seq: self.seq(),
        }
    }

    /// Whoever holds the old secret of a credential neither takes the new one from its holder nor
    /// lives on.
    pub(crate) fn refuse_old_secret(&self) -> Result<(), ServiceError> {
        if self.by_old_secret { Err(ServiceError::OldSecret) } else { Ok(()) }
    }
}

/// How the keys or tokens of a provider look, and how long they live.
pub(crate) fn key_settings(provider: &Provider) -> Result<&KeySettings, ServiceError> {
    match &provider.settings {
        ProviderSettings::Keys(settings) => Ok(settings),
        _ => Err(ServiceError::broken("/provider", "issues neither keys nor tokens")),
    }
}

pub(crate) async fn find_provider(
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
