//! The first administrator: the user `admin`, and a key.

use argon2::{Argon2, PasswordHasher};
use keystile_domain::{
    Action, ApiKey, ApiKeyId, BuiltInRole, Encoding, Expiry, Fit, KeyLength, Name, Prefix,
    Provider, Secret, SecretFormat, Target, TargetKind, User, UserId, Version,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::{FREE_FORMATS, FirstStartError, meta};
use crate::change::Scope;
use crate::{ServiceError, api_keys, random};

/// The user `admin`; gives its password if it was drawn.
pub(super) async fn add_user(
    scope: &mut Scope,
    given: Option<SecretString>,
) -> Result<Option<SecretString>, FirstStartError> {
    let (password, was_drawn) = match given {
        Some(password) => (password, false),
        None => (draw_password()?, true),
    };
    let hash = Argon2::default()
        .hash_password(password.expose_secret().as_bytes())
        .map_err(FirstStartError::Password)?
        .to_string();
    let user = User {
        id: random::id(UserId::new, scope.now)?,
        username: "admin".parse()?,
        enabled: true,
        is_service_account: false,
        roles: [BuiltInRole::Administrator.id()].into(),
        version: Version::FIRST,
        created_at: scope.now,
        updated_at: scope.now,
    };
    scope.tx.insert_user(&user, Some(&hash)).await.map_err(ServiceError::from)?;
    let target =
        Target { kind: TargetKind::User, id: user.id.to_string(), name: user.username.to_string() };
    let after = json!({"username": "admin", "enabled": true, "role_ids": [1]});
    scope.record(Action::UserCreated, target, (None, Some(after)), None)?;
    Ok(was_drawn.then_some(password))
}

/// The first key; gives its secret if it was drawn.
pub(super) async fn add_key(
    scope: &mut Scope,
    provider: &Provider,
    given: Option<Secret>,
) -> Result<Option<Secret>, FirstStartError> {
    let format = &api_keys::key_settings(provider)?.format;
    let was_given = given.is_some();
    let secret = match given {
        Some(secret) => {
            accept(scope, format, &secret).await?;
            secret
        }
        None => api_keys::draw_secret(scope, format).await?,
    };
    let key = ApiKey {
        id: random::id(ApiKeyId::new, scope.now)?,
        name: "First administrator".parse::<Name>()?,
        description: Some("Made on the first start.".parse()?),
        provider: provider.id,
        key_prefix: format.display_prefix(&secret),
        roles: [BuiltInRole::Administrator.id()].into(),
        expiry: Expiry::Never,
        enabled: true,
        allowed_ips: Default::default(),
        external_id: None,
        metadata: Default::default(),
        created_by: None,
        created_at: scope.now,
        updated_at: scope.now,
        version: Version::FIRST,
    };
    let digest = scope.keys.pepper.digest(&secret.fingerprint());
    scope.tx.insert_api_key(&key, &digest).await.map_err(ServiceError::from)?;
    scope.record_api_key(Action::ApiKeyCreated, None, Some(&key), None)?;
    Ok((!was_given).then_some(secret))
}

/// A key that an operator gives may have any format, unless it is one of ours, mistyped.
async fn accept(
    scope: &mut Scope,
    format: &SecretFormat,
    secret: &Secret,
) -> Result<(), FirstStartError> {
    match format.fit(secret.expose()) {
        Fit::Fits => Ok(()),
        Fit::Other if !secret.expose().starts_with(format.prefix.as_str()) => {
            meta(scope, FREE_FORMATS, "yes").await
        }
        _ => Err(FirstStartError::MistypedKey),
    }
}

/// Letters and digits, drawn like those of a key.
fn draw_password() -> Result<SecretString, FirstStartError> {
    let format = SecretFormat {
        prefix: Prefix::default(),
        encoding: Encoding::Base62,
        key_length: KeyLength::default(),
    };
    let secret = format.generate(&mut random::generator()).map_err(ServiceError::from)?;
    Ok(SecretString::from(secret.expose().chars().take(PASSWORD_LENGTH).collect::<String>()))
}

const PASSWORD_LENGTH: usize = 24;
