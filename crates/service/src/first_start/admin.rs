//! The first administrator: the user `admin`, and a key.

use keystile_domain::{
    Action, ApiKey, ApiKeyId, BuiltInRole, Expiry, Fit, HashCost, Name, Provider, Secret,
    SecretFormat, User, UserId, Version,
};
use keystile_storage::NewSecret;
use secrecy::{ExposeSecret, SecretString};

use super::{FREE_FORMATS, FirstStartError, meta};
use crate::change::Scope;
use crate::passwords::{Hasher, Password, PasswordRules};
use crate::secrets::{self, Mint};
use crate::{ServiceError, random};

/// The password of the user `admin`.
pub(super) struct AdminPassword {
    hash: String,
    /// What is to be told, if it was drawn.
    drawn: Option<Password>,
}

impl AdminPassword {
    /// The given password, if it is strong enough, or a new one.
    pub(super) async fn settle(
        given: Option<&SecretString>,
        public_url: &str,
    ) -> Result<Self, FirstStartError> {
        let (password, drawn) = match given {
            Some(text) => (text.expose_secret().parse::<Password>()?, None),
            None => {
                let password = Password::draw().map_err(ServiceError::from)?;
                (password.clone(), Some(password))
            }
        };
        let known = [ADMIN, public_url];
        let (rules, cost) = (PasswordRules::default(), HashCost::default());
        let hash = Hasher::default().hash_new(&password, rules, &known, cost).await?;
        Ok(Self { hash, drawn })
    }
}

/// The user `admin`; gives its password if it was drawn.
pub(super) async fn add_user(
    scope: &mut Scope,
    password: AdminPassword,
) -> Result<Option<SecretString>, FirstStartError> {
    let user = User {
        id: random::id(UserId::new, scope.now)?,
        username: ADMIN.parse()?,
        display_name: None,
        email: None,
        enabled: true,
        is_service_account: false,
        roles: [BuiltInRole::Administrator.id()].into(),
        rate_limits: Default::default(),
        external_id: None,
        metadata: Default::default(),
        version: Version::FIRST,
        created_at: scope.now,
        updated_at: scope.now,
    };
    scope.tx.insert_user(&user, Some(&password.hash)).await.map_err(ServiceError::from)?;
    scope.record_user(Action::UserCreated, None, Some(&user), None)?;
    Ok(password.drawn.map(SecretString::from))
}

/// The first key; gives its secret if it was drawn.
pub(super) async fn add_key(
    scope: &mut Scope,
    provider: &Provider,
    given: Option<Secret>,
) -> Result<Option<Secret>, FirstStartError> {
    let format = &secrets::key_settings(provider)?.format;
    let was_given = given.is_some();
    let secret = match given {
        Some(secret) => {
            accept(scope, format, &secret).await?;
            secret
        }
        None => Mint::default().draw(scope, format).await?,
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
        rate_limits: Default::default(),
        quota: None,
        external_id: None,
        metadata: Default::default(),
        created_by: None,
        created_at: scope.now,
        updated_at: scope.now,
        version: Version::FIRST,
    };
    let digest = scope.keys.digest(&secret.fingerprint());
    let fits = format.fit(secret.expose()) == Fit::Fits;
    let stored = NewSecret::new(digest, fits.then_some(format));
    scope.tx.insert_api_key(&key, stored).await.map_err(ServiceError::from)?;
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

const ADMIN: &str = "admin";
