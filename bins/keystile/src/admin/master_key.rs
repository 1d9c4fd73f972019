//! `keystile admin rotate-master-key`: the database first, then the file that the next start reads.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use jiff::Timestamp;
use keystile_auth::{Clock, SystemClock};
use keystile_service::cluster::outwait_leases;
use keystile_service::first_start::is_initialised_under;
use keystile_service::{MasterKey, rotate_master_key};

use crate::open::{load, open_store_beside};
use crate::settings::Flags;
use crate::{master_key, private_file};

pub(super) async fn rotate(new_key: Option<PathBuf>, flags: Flags) -> anyhow::Result<()> {
    let settings = load(flags)?;
    let store = open_store_beside(&settings.database).await?;
    let is_given = settings.master_key.is_some();
    let old = master_key::load(settings.master_key, &settings.data_dir, true)?;
    let in_place = settings.data_dir.join(master_key::FILE);
    let beside = in_place.with_added_extension("new");
    let file = match &new_key {
        Some(file) => file,
        None if is_given => bail!(
            "the settings give the master key: name a file for the new one with --new-key-file"
        ),
        None => &beside,
    };
    let new = match (read_or_draw(file)?, &new_key) {
        // This command came to its end once, all but for the file that it leaves behind.
        (left, None) if text(&left) == text(&old) => {
            remove(file)?;
            read_or_draw(file)?
        }
        (same, Some(file)) if text(&same) == text(&old) => {
            bail!("the master key in {} is the present one", file.display())
        }
        (new, _) => new,
    };
    // Unless this very command did so before, and came no further.
    if !matches!(is_initialised_under(&store, &new).await, Ok(true)) {
        rotate_master_key(&store, &old, &new, &SystemClock).await?;
    }
    if is_given {
        outwait_leases(&store).await?;
        eprintln!("keystile: from now on servers start with the master key in {}", file.display());
        return Ok(());
    }
    let now = Timestamp::from_millisecond(SystemClock.now().as_millis())?;
    let kept = now.strftime("until-%Y%m%dT%H%M%SZ").to_string();
    let kept = in_place.with_added_extension(kept);
    private_file::write(&kept, &text(&old))?;
    private_file::write(&in_place, &text(&new))?;
    if new_key.is_none() {
        remove(file)?;
    }
    outwait_leases(&store).await?;
    eprintln!("keystile: backups from before need the old master key, now in {}", kept.display());
    Ok(())
}

/// The key in a file, which is made if it is not there.
fn read_or_draw(file: &Path) -> anyhow::Result<MasterKey> {
    match std::fs::read_to_string(file) {
        Ok(key) => MasterKey::parse(key.trim())
            .with_context(|| format!("the master key in {}", file.display())),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let key = MasterKey::draw()?;
            private_file::write(file, &text(&key))
                .with_context(|| format!("cannot write the master key to {}", file.display()))?;
            Ok(key)
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

fn remove(file: &Path) -> anyhow::Result<()> {
    std::fs::remove_file(file).with_context(|| format!("cannot remove {}", file.display()))
}

fn text(key: &MasterKey) -> String {
    format!("{}\n", *key.to_base64())
}
