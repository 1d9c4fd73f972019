//! `keystile admin`: what takes the database and the master key instead of a credential.

mod master_key;
mod peppers;

use std::io::{self, IsTerminal};
use std::sync::Arc;

use anyhow::{Context, bail};
use keystile_auth::SystemClock;
use keystile_service::cluster::outwait_leases;
use keystile_service::first_start::is_initialised_under;
use keystile_service::sign_in::PasswordReset;
use keystile_service::{Keystile, Options, Rotation, ServiceError};
use keystile_storage::{ServerLock, Store};
use zeroize::Zeroizing;

use crate::cli::AdminAction;
use crate::open::{load, open_store};
use crate::print;
use crate::settings::{Database, Flags};

/// Does it, and ends.
pub fn run(action: AdminAction) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    match action {
        AdminAction::ForgetOldPeppers { force, flags } => {
            runtime.block_on(peppers::forget_old_peppers(force, flags))
        }
        AdminAction::ResetPassword { username, flags } => {
            runtime.block_on(reset_password(&username, flags))
        }
        AdminAction::RotateMasterKey { new_key_file, flags } => {
            runtime.block_on(master_key::rotate(new_key_file, flags))
        }
        AdminAction::RotatePepper { flags } => runtime.block_on(peppers::rotate_pepper(flags)),
        AdminAction::RotateSigningKey { now, flags } => {
            runtime.block_on(rotate_signing_key(now, flags))
        }
    }
}

async fn reset_password(username: &str, flags: Flags) -> anyhow::Result<()> {
    let (keystile, store, lock) = open(flags).await?;
    let PasswordReset { user, password } = match keystile.reset_password(username).await {
        Err(ServiceError::NotFound) => bail!(
            "there is no person called {username:?}; service accounts have no password, and nobody \
             signs in as one"
        ),
        reset => reset?,
    };
    drop(lock);
    outwait_leases(&store).await?;
    // The password alone is the answer: a program reads nothing else.
    if io::stdout().is_terminal() {
        eprintln!(
            "The new password of {}, shown once. All their sessions have ended.",
            user.username
        );
    }
    if !user.enabled {
        eprintln!(
            "keystile: {} is switched off, and cannot sign in before that changes",
            user.username
        );
    }
    print(&Zeroizing::new(format!("{}\n", password.expose())))
}

async fn rotate_signing_key(now: bool, flags: Flags) -> anyhow::Result<()> {
    let (keystile, store, lock) = open(flags).await?;
    let rotation = if now { Rotation::AtOnce } else { Rotation::Overlapping };
    keystile.rotate_signing_key(rotation).await?;
    drop(lock);
    Ok(outwait_leases(&store).await?)
}

/// What a server made before. A file has one process at a time, so its server must be stopped.
async fn open(flags: Flags) -> anyhow::Result<(Keystile, Store, Option<ServerLock>)> {
    let settings = load(flags)?;
    if let Database::Sqlite { path } = &settings.database
        && !path.exists()
    {
        bail!("there is no database at {}", path.display());
    }
    let (store, lock) = open_store(&settings.database)
        .await
        .context("with SQLite, stop the server before this command")?;
    let master = crate::master_key::load(settings.master_key, &settings.data_dir, true)?;
    if !is_initialised_under(&store, &master).await? {
        bail!("the database is empty: no server was ever started on it");
    }
    let options = Options {
        public_url: settings.public_url.map(|url| url.as_str().to_owned()),
        jwt_algorithm: settings.jwt_algorithm,
        ..Options::default()
    };
    let clock = Arc::new(SystemClock);
    Ok((Keystile::open(store.clone(), &master, clock, options).await?, store, lock))
}
