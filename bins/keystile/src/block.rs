//! What the start tells people: where everything is and, once, the first secrets.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use keystile_service::first_start::FirstSecrets;
use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use crate::private_file;

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
        let lines = lines(secrets);
        match self {
            Self::File(path) if !lines.is_empty() => {
                let lines = lines.iter().map(|(name, _, secret)| format!("{name} = {secret}\n"));
                private_file::write(path, &Zeroizing::new(lines.collect::<String>()))
            }
            _ => Ok(()),
        }
    }

    /// Writes the block to standard output.
    pub fn tell(&self, url: &str, secrets: Option<&FirstSecrets>) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(self.block(url, secrets).as_bytes())?;
        out.flush()
    }

    fn block(&self, url: &str, secrets: Option<&FirstSecrets>) -> Zeroizing<String> {
        let secrets = secrets.map(lines).unwrap_or_default();
        let mut lines = vec![("API documentation", format!("{url}/swagger-ui/"))];
        match self {
            Self::Terminal => lines.extend(
                secrets.iter().map(|(_, label, secret)| (*label, format!("{secret}{ONCE}"))),
            ),
            Self::File(path) if !secrets.is_empty() => {
                lines.push(("first secrets", path.display().to_string()));
            }
            Self::File(_) => {}
        }
        let mut block = Zeroizing::new(format!("Keystile is ready     {url}\n"));
        for (label, text) in lines {
            // Writing to a string cannot fail.
            _ = writeln!(block, "  {label:<20}{text}");
        }
        block
    }
}

/// Each secret with its name in the file and in the block.
fn lines(secrets: &FirstSecrets) -> Vec<(&'static str, &'static str, &str)> {
    let password = secrets.admin_password.as_ref().map(ExposeSecret::expose_secret);
    let key = secrets.admin_key.as_ref().map(|key| key.expose());
    [("admin_password", "user admin password", password), ("admin_api_key", "admin API key", key)]
        .into_iter()
        .filter_map(|(name, label, secret)| Some((name, label, secret?)))
        .collect()
}

const ONCE: &str = "      shown once: store it now";

#[cfg(test)]
mod tests {
    use keystile_domain::Secret;
    use secrecy::SecretString;

    use super::*;

    fn secrets() -> FirstSecrets {
        FirstSecrets {
            admin_key: Some(Secret::parse("ks_first").unwrap()),
            admin_password: Some(SecretString::from("a long password")),
        }
    }

    #[test]
    fn on_a_terminal_the_block_shows_each_secret_once_in_columns() {
        let block = Teller::Terminal.block("http://127.0.0.1:8080", Some(&secrets()));
        assert_eq!(
            *block,
            "Keystile is ready     http://127.0.0.1:8080\n  \
               API documentation   http://127.0.0.1:8080/swagger-ui/\n  \
               user admin password a long password      shown once: store it now\n  \
               admin API key       ks_first      shown once: store it now\n"
        );
    }

    #[test]
    fn elsewhere_the_block_names_the_file_and_shows_no_secret() {
        let teller = Teller::File("/data/first-admin".into());
        let block = teller.block("http://127.0.0.1:8080", Some(&secrets()));
        assert!(block.ends_with("  first secrets       /data/first-admin\n"), "{}", *block);
        assert!(!block.contains("ks_first") && !block.contains("a long password"));
    }

    #[test]
    fn a_later_start_tells_no_secret_and_names_no_file() {
        for teller in [Teller::Terminal, Teller::File("/data/first-admin".into())] {
            assert_eq!(teller.block("http://127.0.0.1:8080", None).lines().count(), 2);
        }
    }
}
