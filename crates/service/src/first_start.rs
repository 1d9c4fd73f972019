//! The first start on an empty database: the built-in roles and providers, the user `admin`, and
//! the first key.

use std::io;
use std::sync::Arc;

use argon2::{Argon2, PasswordHasher};
use keystile_auth::Clock;
use keystile_domain::{
    Action, ApiKey, ApiKeyId, BuiltInRole, Encoding, Expiry, Fit, Formats, HeaderName, KeyLength,
    KeySettings, Name, Prefix, Provider, ProviderId, ProviderKind, ProviderSettings, QueryName,
    Role, Secret, SecretFormat, Target, TargetKind, TextError, User, UserId, Version,
};
use keystile_storage::Store;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::change::Scope;
use crate::{MasterKey, ServiceError, api_keys, random, roles};

/// What an operator gives for the first start.
#[derive(Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "the binary builds it field by field")]
pub struct Bootstrap {
    /// The secret of the first key; drawn if there is none.
    pub admin_key: Option<Secret>,
    /// The password of the user `admin`; drawn if there is none.
    pub admin_password: Option<SecretString>,
    /// Where clients reach the server: the base of links and the issuer of tokens.
    pub public_url: String,
}

/// What was drawn and must be told once.
#[derive(Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "a plain pair")]
pub struct FirstSecrets {
    /// The secret of the first key, unless the operator gave it.
    pub admin_key: Option<Secret>,
    /// The password of the user `admin`, unless the operator gave it.
    pub admin_password: Option<SecretString>,
}

/// Why the first start failed. Nothing was kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FirstStartError {
    /// A built-in format breaks a rule for formats.
    #[error("a built-in format is wrong")]
    Format(#[from] keystile_domain::FormatError),
    /// The given key looks like one of ours, mistyped.
    #[error("KEYSTILE_BOOTSTRAP_ADMIN_KEY looks like a Keystile key, but its checksum is wrong")]
    MistypedKey,
    /// The secrets could not be handed over.
    #[error("the first secrets could not be handed over")]
    Handover(#[source] io::Error),
    /// The password could not be hashed.
    #[error("the password could not be hashed")]
    Password(#[source] argon2::password_hash::Error),
    /// The change itself failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// A built-in text breaks a rule for texts.
    #[error("a built-in text is wrong")]
    Text(#[from] TextError),
    /// The database belongs to another master key.
    #[error("the database belongs to another master key; nothing it holds could be checked")]
    WrongMasterKey,
}

/// Makes what every Keystile has, if the database is empty.
///
/// `hand_over` is called before anything is kept: if it fails, the next start is a first start
/// again. Safe when several servers start at once on one database: one of them finds it empty.
///
/// # Errors
///
/// [`FirstStartError::WrongMasterKey`] if the database was made under another master key; anything
/// else if the database could not be filled.
pub async fn initialise(
    store: &Store,
    master: &MasterKey,
    clock: &Arc<dyn Clock>,
    bootstrap: Bootstrap,
    hand_over: impl FnOnce(&FirstSecrets) -> io::Result<()>,
) -> Result<Option<FirstSecrets>, FirstStartError> {
    let mut conn = store.read().await.map_err(ServiceError::from)?;
    let known = conn.find_meta(MASTER_KEY_CHECK).await.map_err(ServiceError::from)?;
    drop(conn);
    if let Some(check) = known {
        return same_master(master, &check).map(|()| None);
    }
    let mut scope = Scope::begin(store, master.keys(), &**clock).await?;
    scope.rights = keystile_domain::Rights::everything();
    let known = scope.tx.find_meta(MASTER_KEY_CHECK).await.map_err(ServiceError::from)?;
    if let Some(check) = known {
        scope.tx.rollback().await.map_err(ServiceError::from)?;
        return same_master(master, &check).map(|()| None);
    }
    let secrets = fill(&mut scope, master, bootstrap).await?;
    hand_over(&secrets).map_err(FirstStartError::Handover)?;
    scope.commit().await?;
    Ok(Some(secrets))
}

fn same_master(master: &MasterKey, check: &str) -> Result<(), FirstStartError> {
    if master.check_value() == check { Ok(()) } else { Err(FirstStartError::WrongMasterKey) }
}

async fn fill(
    scope: &mut Scope,
    master: &MasterKey,
    bootstrap: Bootstrap,
) -> Result<FirstSecrets, FirstStartError> {
    meta(scope, MASTER_KEY_CHECK, &master.check_value()).await?;
    meta(scope, PUBLIC_URL, &bootstrap.public_url).await?;
    let target = Target {
        kind: TargetKind::System,
        id: "keystile".to_owned(),
        name: bootstrap.public_url.clone(),
    };
    scope.record(Action::SystemInitialised, target, (None, None), None)?;
    for role in BuiltInRole::ALL {
        add_role(scope, role).await?;
    }
    let provider = add_providers(scope).await?;
    let admin_password = add_admin(scope, bootstrap.admin_password).await?;
    let admin_key = add_admin_key(scope, &provider, bootstrap.admin_key).await?;
    Ok(FirstSecrets { admin_key, admin_password })
}

async fn add_role(scope: &mut Scope, built_in: BuiltInRole) -> Result<(), FirstStartError> {
    let role = Role {
        id: built_in.id(),
        name: built_in.name().parse()?,
        description: Some(built_in.description().parse()?),
        permissions: built_in.permissions(),
        endpoints: built_in.endpoints(),
        may_grant: Default::default(),
        built_in: true,
        version: Version::FIRST,
        created_at: scope.now,
        updated_at: scope.now,
    };
    scope.tx.insert_role(&role).await.map_err(ServiceError::from)?;
    Ok(roles::record(scope, Action::RoleCreated, None, Some(&role))?)
}

/// The built-in providers; gives the one for API keys.
async fn add_providers(scope: &mut Scope) -> Result<Provider, FirstStartError> {
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

/// The user `admin`; gives its password if it was drawn.
async fn add_admin(
    scope: &mut Scope,
    given: Option<SecretString>,
) -> Result<Option<SecretString>, FirstStartError> {
    let drawn = match &given {
        Some(_) => None,
        None => Some(draw_password()?),
    };
    let password = given.as_ref().or(drawn.as_ref()).map_or("", |text| text.expose_secret());
    let hash = Argon2::default()
        .hash_password(password.as_bytes())
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
    Ok(drawn)
}

/// The first key; gives its secret if it was drawn.
async fn add_admin_key(
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
        Fit::WrongChecksum => Err(FirstStartError::MistypedKey),
        Fit::Other => meta(scope, FREE_FORMATS, "yes").await,
    }
}

async fn meta(scope: &mut Scope, name: &str, value: &str) -> Result<(), FirstStartError> {
    Ok(scope.tx.set_meta(name, value).await.map_err(ServiceError::from)?)
}

/// 32 characters out of 62, drawn like a key.
fn draw_password() -> Result<SecretString, FirstStartError> {
    let format = SecretFormat {
        prefix: Prefix::default(),
        encoding: Encoding::Base62,
        key_length: KeyLength::default(),
    };
    let secret =
        Formats::default().draw(&format, &mut random::generator()).map_err(ServiceError::Draw)?;
    Ok(SecretString::from(secret.expose().chars().take(PASSWORD_LENGTH).collect::<String>()))
}

/// Whether live keys may have formats that were not drawn here.
pub(crate) const FREE_FORMATS: &str = "free_formats";
const MASTER_KEY_CHECK: &str = "master_key_check";
const PUBLIC_URL: &str = "public_url";
const MINUTES_A_DAY: u32 = 24 * 60;
const PASSWORD_LENGTH: usize = 24;
