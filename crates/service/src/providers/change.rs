//! What shall be different about a provider; a new one differs from the defaults of its kind.

mod keys;
mod oidc;
mod password;

use keystile_domain::{Name, PasswordSettings, Provider, ProviderKind, ProviderSettings};

use crate::ServiceError;
use crate::keys::Keys;

pub use keys::KeysChange;
pub(crate) use keys::key_defaults;
pub use oidc::OidcChange;
pub(super) use oidc::open_secret;
pub use password::PasswordChange;

/// What shall be different about a provider; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct ProviderChange {
    /// Its name for people.
    pub name: Option<Name>,
    /// Its place.
    pub priority: Option<i32>,
    /// Whether it is switched on.
    pub enabled: Option<bool>,
    /// Whether it is the default of its kind.
    pub is_default: Option<bool>,
    /// Whether its credentials may travel over plain HTTP.
    pub allow_insecure_http: Option<bool>,
    /// What only its kind has.
    pub settings: Option<SettingsChange>,
}

/// What shall be different about the settings of one kind.
#[derive(Clone, Debug)]
pub enum SettingsChange {
    /// Of keys and personal access tokens.
    Keys(KeysChange),
    /// Of an OpenID provider.
    Oidc(Box<OidcChange>),
    /// Of names with passwords.
    Password(PasswordChange),
}

impl ProviderChange {
    /// The provider as it will be, apart from what depends on other providers.
    pub(super) fn apply(self, before: Provider, keys: &Keys) -> Result<Provider, ServiceError> {
        let settings = match (before.settings, self.settings) {
            (ProviderSettings::Keys(settings), Some(SettingsChange::Keys(change))) => {
                ProviderSettings::Keys(change.apply(settings))
            }
            (ProviderSettings::Oidc(settings), Some(SettingsChange::Oidc(change))) => {
                ProviderSettings::Oidc(Box::new(change.apply(*settings, before.id, keys)?))
            }
            (ProviderSettings::Password(settings), Some(SettingsChange::Password(change))) => {
                ProviderSettings::Password(change.apply(settings)?)
            }
            (settings, _) => settings,
        };
        Ok(Provider {
            name: self.name.unwrap_or(before.name),
            priority: self.priority.unwrap_or(before.priority),
            enabled: self.enabled.unwrap_or(before.enabled),
            is_default: self.is_default.unwrap_or(before.is_default),
            allow_insecure_http: self.allow_insecure_http.unwrap_or(before.allow_insecure_http),
            settings,
            ..before
        })
    }
}

/// What a new provider of this kind has where nobody says otherwise.
pub(super) fn defaults(
    kind: ProviderKind,
    change: &ProviderChange,
) -> Result<ProviderSettings, ServiceError> {
    match kind {
        ProviderKind::Oidc => {
            let named = match &change.settings {
                Some(SettingsChange::Oidc(change)) => {
                    (change.authority.clone(), change.audience.clone())
                }
                _ => (None, None),
            };
            Ok(ProviderSettings::Oidc(Box::new(oidc::defaults(named)?)))
        }
        ProviderKind::Password => Ok(ProviderSettings::Password(PasswordSettings::default())),
        _ => {
            let settings = key_defaults(kind);
            let settings = settings.map_err(|rule| ServiceError::broken("/prefix", rule))?;
            Ok(ProviderSettings::Keys(settings))
        }
    }
}
