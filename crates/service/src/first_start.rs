//! The first start on an empty database: the built-in roles and providers, the user `admin`, and
//! the first key.

mod admin;
mod providers;

use std::io;
use std::sync::Arc;

use keystile_auth::Clock;
use keystile_domain::{
    Action, BuiltInRole, Rights, Role, Secret, Target, TargetKind, TextError, Version,
};
use keystile_storage::Store;
use secrecy::SecretString;

use crate::change::Scope;
use crate::keys::Keys;
use crate::passwords::{HashError, PasswordError};
use crate::root_key::RootKey;
use crate::usage::NotedRights;
use crate::{MasterKey, ServiceError, roles};

/// What an operator gives for the first start.
#[derive(Debug, Default)]
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
    /// The given key begins like one of ours and is none.
    #[error("KEYSTILE_BOOTSTRAP_ADMIN_KEY begins like a Keystile key but is none: is it mistyped?")]
    MistypedKey,
    /// The secrets could not be handed over.
    #[error("the first secrets could not be handed over")]
    Handover(#[source] io::Error),
    /// The given password cannot be one.
    #[error("KEYSTILE_BOOTSTRAP_ADMIN_PASSWORD is refused")]
    Password(#[from] PasswordError),
    /// The given password is too weak, or could not be hashed.
    #[error("KEYSTILE_BOOTSTRAP_ADMIN_PASSWORD is refused")]
    PasswordHash(#[from] HashError),
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

/// Whether the database was filled before.
///
/// # Errors
///
/// [`ServiceError::Store`] if it cannot be read.
pub async fn is_initialised(store: &Store) -> Result<bool, ServiceError> {
    Ok(store.read().await?.find_meta(MASTER_KEY_CHECK).await?.is_some())
}

/// Whether the database was filled before, under this master key.
///
/// # Errors
///
/// [`FirstStartError::WrongMasterKey`] if it was under another one.
pub async fn is_initialised_under(
    store: &Store,
    master: &MasterKey,
) -> Result<bool, FirstStartError> {
    let mut conn = store.read().await.map_err(ServiceError::from)?;
    match conn.find_meta(MASTER_KEY_CHECK).await.map_err(ServiceError::from)? {
        Some(check) => same_master(master, &check).map(|()| true),
        None => Ok(false),
    }
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
    if is_initialised_under(store, master).await? {
        return Ok(None);
    }
    let (given, url) = (bootstrap.admin_password.as_ref(), &bootstrap.public_url);
    let password = admin::AdminPassword::settle(given, url).await?;
    let root = RootKey::draw()?;
    let mut scope = Scope::begin(store, Keys::new(&root), &**clock).await?;
    scope.rights = NotedRights::unnoted(Rights::everything());
    let known = scope.tx.find_meta(MASTER_KEY_CHECK).await.map_err(ServiceError::from)?;
    if let Some(check) = known {
        scope.tx.rollback().await.map_err(ServiceError::from)?;
        return same_master(master, &check).map(|()| None);
    }
    let secrets = fill(&mut scope, (&root, master), bootstrap, password).await?;
    hand_over(&secrets).map_err(FirstStartError::Handover)?;
    scope.commit().await?;
    Ok(Some(secrets))
}

fn same_master(master: &MasterKey, check: &str) -> Result<(), FirstStartError> {
    if master.check_value() == check { Ok(()) } else { Err(FirstStartError::WrongMasterKey) }
}

async fn fill(
    scope: &mut Scope,
    (root, master): (&RootKey, &MasterKey),
    bootstrap: Bootstrap,
    password: admin::AdminPassword,
) -> Result<FirstSecrets, FirstStartError> {
    root.write(&mut scope.tx, master).await?;
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
    let provider = providers::add(scope).await?;
    let admin_password = admin::add_user(scope, password).await?;
    let admin_key = admin::add_key(scope, &provider, bootstrap.admin_key).await?;
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

async fn meta(scope: &mut Scope, name: &str, value: &str) -> Result<(), FirstStartError> {
    Ok(scope.tx.set_meta(name, value).await.map_err(ServiceError::from)?)
}

/// How the world reached the first node.
pub(crate) const PUBLIC_URL: &str = "public_url";
/// Whether live keys may have formats that were not drawn here.
pub(crate) const FREE_FORMATS: &str = "free_formats";
/// What tells whether a master key is the right one.
pub(crate) const MASTER_KEY_CHECK: &str = "master_key_check";
