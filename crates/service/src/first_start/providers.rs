//! The built-in providers.

use keystile_domain::{
    Action, Encoding, HeaderName, KeyLength, KeySettings, Prefix, Provider, ProviderId,
    ProviderKind, ProviderSettings, QueryName, SecretFormat, Target, TargetKind, Version,
};
use serde_json::json;

use super::FirstStartError;
use crate::change::Scope;
use crate::{ServiceError, random};

/// The built-in providers; gives the one for API keys.
pub(super) async fn add(scope: &mut Scope) -> Result<Provider, FirstStartError> {
    let keys = |prefix: Prefix, days: Option<(u32, u32)>| {
        ProviderSettings::Keys(KeySettings {
            format: SecretFormat {
                prefix,
                encoding: Encoding::Base62,
                key_length: KeyLength::default(),
            },
            default_expiry_minutes: days.map(|(default, _)| default * MINUTES_A_DAY),
            max_expiry_minutes: days.map(|(_, max)| max * MINUTES_A_DAY),
            header_name: HeaderName::default(),
            accept_bearer: true,
            allow_query_string: false,
            query_parameter_name: QueryName::default(),
            admin_may_create: false,
        })
    };
    let for_keys = Provider {
        id: random::id(ProviderId::new, scope.now)?,
        identifier: "api-keys".parse()?,
        name: "API keys".parse()?,
        kind: ProviderKind::ApiKey,
        priority: 0,
        enabled: true,
        is_default: true,
        allow_insecure_http: false,
        settings: keys("ks_".parse()?, None),
        version: Version::FIRST,
        created_at: scope.now,
        updated_at: scope.now,
    };
    let for_tokens = Provider {
        id: random::id(ProviderId::new, scope.now)?,
        identifier: "personal-access-tokens".parse()?,
        name: "Personal access tokens".parse()?,
        kind: ProviderKind::PersonalAccessToken,
        settings: keys("ks_pat_".parse()?, Some((90, 365))),
        ..for_keys.clone()
    };
    let local = Provider {
        id: random::id(ProviderId::new, scope.now)?,
        identifier: "local".parse()?,
        name: "Name and password".parse()?,
        kind: ProviderKind::Password,
        settings: ProviderSettings::Password,
        ..for_keys.clone()
    };
    for provider in [&for_keys, &for_tokens, &local] {
        scope.tx.insert_provider(provider).await.map_err(ServiceError::from)?;
        if let ProviderSettings::Keys(settings) = &provider.settings {
            scope.tx.remember_format(&settings.format).await.map_err(ServiceError::from)?;
        }
        let target = Target {
            kind: TargetKind::Provider,
            id: provider.id.to_string(),
            name: provider.name.to_string(),
        };
        let after = json!({"identifier": provider.identifier.as_str(), "enabled": true});
        scope.record(Action::ProviderCreated, target, (None, Some(after)), None)?;
    }
    Ok(for_keys)
}

const MINUTES_A_DAY: u32 = 24 * 60;
