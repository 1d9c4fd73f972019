//! What the start tells people: where everything is and, once, the first secrets.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use keystile_service::first_start::FirstSecrets;
use secrecy::ExposeSecret;

/// Where the first secrets are told.
pub enum Teller {
    /// To this file, because nobody reads standard output.
    File(PathBuf),
    /// In the block, because somebody sits in front of it.
    Terminal,
}

impl Teller {
    /// Who reads standard output decides; never a log.
    pub fn of(data_dir: &Path) -> Self {
        if io::stdout().is_terminal() {
            Self::Terminal
        } else {
            Self::File(data_dir.join("first-admin"))
        }
    }

    /// Called before anything is kept: secrets that could not be written down are never in force.
    pub fn hand_over(&self, secrets: &FirstSecrets) -> io::Result<()> {
        let Self::File(path) = self else { return Ok(()) };
        let lines = lines(secrets);
        if lines.is_empty() {
            return Ok(());
        }
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        for (name, _, secret) in lines {
            writeln!(file, "{name} = {secret}")?;
        }
        file.sync_all()
    }

    /// The block on standard output.
    pub fn tell(&self, url: &str, secrets: Option<&FirstSecrets>) -> io::Result<()> {
        let lines = secrets.map(lines).unwrap_or_default();
        let mut block = format!("Keystile is ready     {url}\n");
        // Writing to a string cannot fail.
        _ = writeln!(block, "  API documentation   {url}/swagger-ui/");
        match self {
            Self::Terminal => {
                for (_, label, secret) in lines {
                    _ = writeln!(block, "  {label:<20}{secret}      shown once: store it now");
                }
            }
            Self::File(path) if !lines.is_empty() => {
                _ = writeln!(block, "  first secrets       {}", path.display());
            }
            Self::File(_) => {}
        }
        let mut out = io::stdout().lock();
        out.write_all(block.as_bytes())?;
        out.flush()
    }
}

/// Each secret with its name in the file and in the block.
fn lines(secrets: &FirstSecrets) -> Vec<(&'static str, &'static str, &str)> {
    let password = secrets.admin_password.as_ref().map(ExposeSecret::expose_secret);
    let key = secrets.admin_key.as_ref().map(|key| key.expose());
    [("admin_password", "user admin, password", password), ("admin_api_key", "admin API key", key)]
        .into_iter()
        .filter_map(|(name, label, secret)| Some((name, label, secret?)))
        .collect()
}
