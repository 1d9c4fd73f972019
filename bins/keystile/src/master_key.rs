//! Where the master key comes from: the settings, or a file that the first start makes.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use keystile_service::MasterKey;
use secrecy::{ExposeSecret, SecretBox};

/// The master key of this server. The settings require one where several servers share a database.
pub fn load(given: Option<&SecretBox<[u8; 32]>>, data_dir: &Path) -> anyhow::Result<MasterKey> {
    match given {
        Some(key) => Ok(MasterKey::from_bytes(*key.expose_secret())),
        None => from_file(&data_dir.join("master.key")),
    }
}

fn from_file(path: &Path) -> anyhow::Result<MasterKey> {
    match std::fs::read_to_string(path) {
        Ok(text) => MasterKey::parse(text.trim())
            .with_context(|| format!("the master key in {}", path.display())),
        Err(error) if error.kind() == ErrorKind::NotFound => make(path),
        Err(error) => {
            Err(error).with_context(|| format!("cannot read the master key in {}", path.display()))
        }
    }
}

/// Made and made durable before anything is encrypted under it.
fn make(path: &Path) -> anyhow::Result<MasterKey> {
    let key = MasterKey::draw()?;
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(format!("{}\n", *key.to_base64()).as_bytes())?;
        file.sync_all()
    };
    write().with_context(|| format!("cannot write the master key to {}", path.display()))?;
    Ok(key)
}
