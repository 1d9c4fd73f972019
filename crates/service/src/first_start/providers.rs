//! The built-in providers.

use keystile_domain::{
    Action, PasswordSettings, Provider, ProviderId, ProviderKind, ProviderSettings, Version,
};

use super::FirstStartError;
use crate::change::Scope;
use crate::providers::key_defaults;
use crate::{ServiceError, random};

/// The built-in providers; gives the one for API keys.
pub(super) async fn add(scope: &mut Scope) -> Result<Provider, FirstStartError> {
    let for_keys = Provider {
        id: random::id(ProviderId::new, scope.now)?,
        identifier: "api-keys".parse()?,
        name: "API keys".parse()?,
        kind: ProviderKind::ApiKey,
        priority: 0,
        enabled: true,
        is_default: true,
        allow_insecure_http: false,
        settings: ProviderSettings::Keys(key_defaults(ProviderKind::ApiKey)?),
        version: Version::FIRST,
        created_at: scope.now,
        updated_at: scope.now,
    };
    let for_tokens = Provider {
        id: random::id(ProviderId::new, scope.now)?,
        identifier: "personal-access-tokens".parse()?,
        name: "Personal access tokens".parse()?,
        kind: ProviderKind::PersonalAccessToken,
        settings: ProviderSettings::Keys(key_defaults(ProviderKind::PersonalAccessToken)?),
        ..for_keys.clone()
    };
    let local = Provider {
        id: random::id(ProviderId::new, scope.now)?,
        identifier: "local".parse()?,
        name: "Name and password".parse()?,
        kind: ProviderKind::Password,
        settings: ProviderSettings::Password(PasswordSettings::default()),
        ..for_keys.clone()
    };
    for provider in [&for_keys, &for_tokens, &local] {
        scope.tx.insert_provider(provider).await.map_err(ServiceError::from)?;
        if let ProviderSettings::Keys(settings) = &provider.settings {
            scope.tx.remember_format(&settings.format).await.map_err(ServiceError::from)?;
        }
        scope.record_provider(Action::ProviderCreated, None, Some(provider))?;
    }
    Ok(for_keys)
}
