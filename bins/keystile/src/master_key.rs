//! Where the master key comes from: the settings, or a file that the first start makes.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::Context;
use keystile_service::MasterKey;

use crate::private_file;

/// The master key of this server. The settings require one where several servers share a database.
pub fn load(given: Option<MasterKey>, data_dir: &Path) -> anyhow::Result<MasterKey> {
    match given {
        Some(key) => Ok(key),
        None => from_file(&data_dir.join("master.key")),
    }
}

fn from_file(path: &Path) -> anyhow::Result<MasterKey> {
    match std::fs::read_to_string(path) {
        Ok(text) => MasterKey::parse(text.trim())
            .with_context(|| format!("the master key in {}", path.display())),
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
