//! Where the master key comes from: the settings, or a file that the first start makes.

use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::Context;
use keystile_service::MasterKey;

use crate::private_file;

/// The master key of this server. The settings require one where several servers share a database.
///
/// A new one is made only for a database that has none yet: another could read nothing of it.
pub fn load(
    given: Option<MasterKey>,
    data_dir: &Path,
    is_initialised: bool,
) -> anyhow::Result<MasterKey> {
    match given {
        Some(key) => Ok(key),
        None => from_file(&data_dir.join(FILE), is_initialised),
    }
}

fn from_file(path: &Path, is_initialised: bool) -> anyhow::Result<MasterKey> {
    match std::fs::read_to_string(path) {
        Ok(_) if is_open_to_others(path)? => {
            anyhow::bail!("others can read the master key in {}: chmod 600 it", path.display())
        }
        Ok(text) => MasterKey::parse(text.trim())
            .with_context(|| format!("the master key in {}", path.display())),
        Err(error) if error.kind() == ErrorKind::NotFound && is_initialised => {
            anyhow::bail!(
                "the database was made under a master key, but {} is gone",
                path.display()
            )
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let key = MasterKey::draw()?;
            private_file::write(path, &format!("{}\n", *key.to_base64()))
                .with_context(|| format!("cannot write the master key to {}", path.display()))?;
            Ok(key)
        }
        Err(error) => {
            Err(error).with_context(|| format!("cannot read the master key in {}", path.display()))
        }
    }
}

fn is_open_to_others(path: &Path) -> std::io::Result<bool> {
    Ok(std::fs::metadata(path)?.permissions().mode() & 0o077 != 0)
}

/// The file in the data directory.
pub const FILE: &str = "master.key";
