//! The provider `sso`, which the server's own settings describe.

use keystile_domain::{
    Action, Authority, ExternalId, Provider, ProviderId, ProviderKind, ProviderSettings, Version,
};
use keystile_storage::StoreError;
use secrecy::{ExposeSecret, SecretString};

use super::change::{OidcChange, ProviderChange, SettingsChange, defaults, open_secret};
use super::rules;
use crate::change::Scope;
use crate::keys::Keys;
use crate::{Keystile, ServiceError, random};

/// Where a company signs in.
#[derive(Clone, Debug)]
pub struct Sso {
    /// Who issues the tokens.
    pub authority: Authority,
    /// What `aud` must contain.
    pub audience: ExternalId,
    /// What the scope must contain.
    pub api_scope: Option<ExternalId>,
    /// What the authority calls Keystile's sign-in page.
    pub client_id: Option<ExternalId>,
    /// The secret that goes with it.
    pub client_secret: Option<SecretString>,
}

impl Keystile {
    /// Makes the provider, or brings it up to date; gives its id. What the settings do not say,
    /// such as which roles claims stand for, stays as it was.
    pub(crate) async fn manage_sso(&self, sso: Sso) -> Result<ProviderId, ServiceError> {
        self.change_unasked(None, move |scope| {
            Box::pin(async move {
                let identifier = IDENTIFIER.parse();
                let identifier = identifier.map_err(|_error| StoreError::Corrupt(IDENTIFIER))?;
                let found = scope.tx.find_provider_by_identifier(&identifier).await?;
                match found {
                    Some(before) => update(scope, before, sso).await,
                    None => {
                        let change = change(sso);
                        let blank = Provider {
                            id: random::id(ProviderId::new, scope.now)?,
                            identifier,
                            name: NAME.parse().map_err(|rule| ServiceError::broken("", rule))?,
                            kind: ProviderKind::Oidc,
                            priority: 0,
                            enabled: true,
                            is_default: false,
                            allow_insecure_http: false,
                            settings: defaults(ProviderKind::Oidc, &change)?,
                            version: Version::FIRST,
                            created_at: scope.now,
                            updated_at: scope.now,
                        };
                        let provider = change.apply(blank, &scope.keys)?;
                        rules::check(&provider)?;
                        scope.tx.insert_provider(&provider).await?;
                        scope.record_provider(Action::ProviderCreated, None, Some(&provider))?;
                        Ok(provider.id)
                    }
                }
            })
        })
        .await
    }
}

async fn update(scope: &mut Scope, before: Provider, sso: Sso) -> Result<ProviderId, ServiceError> {
    let mut change = change(sso);
    if let Some(SettingsChange::Oidc(oidc)) = &mut change.settings
        && is_same_secret(&scope.keys, &before, oidc)
    {
        // Sealed once more it would look like another.
        oidc.client_secret = None;
    }
    let mut after = change.apply(before.clone(), &scope.keys)?;
    rules::check(&after)?;
    if after != before {
        after.version = before.version.next();
        after.updated_at = scope.now;
        scope.tx.update_provider(&after).await?;
        scope.record_provider(Action::ProviderUpdated, Some(&before), Some(&after))?;
    }
    Ok(before.id)
}

fn change(sso: Sso) -> ProviderChange {
    ProviderChange {
        enabled: Some(true),
        settings: Some(SettingsChange::Oidc(Box::new(OidcChange {
            authority: Some(sso.authority),
            audience: Some(sso.audience),
            required_scope: Some(sso.api_scope),
            client_id: Some(sso.client_id),
            client_secret: Some(sso.client_secret),
            create_users: Some(true),
            ..OidcChange::default()
        }))),
        ..ProviderChange::default()
    }
}

fn is_same_secret(keys: &Keys, before: &Provider, change: &OidcChange) -> bool {
    let ProviderSettings::Oidc(settings) = &before.settings else { return false };
    let (Some(sealed), Some(Some(secret))) = (&settings.client_secret, &change.client_secret)
    else {
        return false;
    };
    let kept = open_secret(keys, before.id, sealed);
    kept.is_some_and(|kept| *kept == secret.expose_secret().as_bytes())
}

/// No other provider gets this identifier.
pub(super) const IDENTIFIER: &str = "sso";
const NAME: &str = "Single sign-on";
