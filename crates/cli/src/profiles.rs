//! What `login` keeps: servers and credentials under names, in one file of their owner's.

pub mod verbs;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use etcetera::BaseStrategy;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;
use uuid::Uuid;

use crate::failure::Failure;
use crate::files;

/// All profiles, and which one counts where none is named.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Profiles {
    /// The one that was signed in to last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
    /// Each by its name.
    #[serde(default)]
    pub profiles: BTreeMap<String, Profile>,
}

/// A server, and a credential for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Profile {
    /// Where the server is.
    pub url: Url,
    /// The key or token.
    #[serde(serialize_with = "write_secret", deserialize_with = "read_secret")]
    pub token: SecretString,
    /// The token's id, if the sign-in made it: then `logout` ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<Uuid>,
    /// Who vouches for the server, beside those whom the machine trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
}

impl Profiles {
    /// Reads them; none if nobody has signed in yet.
    ///
    /// # Errors
    /// The file is not what `login` writes, or others may read it.
    pub fn read() -> Result<Self, Failure> {
        let path = path()?;
        let told = |error: String| Failure::System(format!("{}: {error}", path.display()));
        match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(told(error.to_string())),
            Ok(file) if file.permissions().mode() & OTHERS != 0 => {
                return Err(told(format!("others may read it: chmod 600 {}", path.display())));
            }
            Ok(_) => {}
        }
        let text = fs::read_to_string(&path).map_err(|error| told(error.to_string()))?;
        // The error of the parser would quote the line, which may be that of a token.
        toml::from_str(&text)
            .or(Err(told("it cannot be read: remove it, and sign in again".into())))
    }

    /// Writes them, in one step.
    ///
    /// # Errors
    /// The file cannot be written. Then it is as it was.
    pub fn write(&self) -> Result<(), Failure> {
        let path = path()?;
        let text = toml::to_string(self).map_err(io::Error::other);
        text.and_then(|text| files::replace(&path, text.as_bytes()))
            .map_err(|error| Failure::System(format!("{}: {error}", path.display())))
    }

    /// The profile of this name, or else the one for this server, or else the current one.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn find(
        &self,
        name: Option<&str>,
        url: Option<&Url>,
    ) -> Result<Option<(&String, &Profile)>, Failure> {
        if let Some(name) = name {
            self.named(name)?;
            return Ok(self.profiles.get_key_value(name));
        }
        let current = self.current.as_ref().and_then(|name| self.profiles.get_key_value(name));
        let fits = |(_, profile): &(&String, &Profile)| url.is_none_or(|url| profile.url == *url);
        Ok(current
            .filter(fits)
            .or_else(|| self.profiles.iter().find(fits).filter(|_| url.is_some())))
    }

    /// The profile of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn named(&self, name: &str) -> Result<&Profile, Failure> {
        let missing = || Failure::NotFound(format!("no profile {name}: {}", self.sign_in(name)));
        self.profiles.get(name).ok_or_else(missing)
    }

    /// That no profile counts, and what makes one count.
    pub fn nobody(&self) -> Failure {
        let known: Vec<_> = self.profiles.keys().map(String::as_str).collect();
        Failure::Usage(if known.is_empty() {
            "nobody is signed in: `keystile login URL`, or set KEYSTILE_URL and KEYSTILE_TOKEN"
                .into()
        } else {
            format!(
                "no profile counts: `keystile profiles use NAME`; there is {}",
                known.join(", ")
            )
        })
    }

    fn sign_in(&self, name: &str) -> String {
        let known: Vec<_> = self.profiles.keys().map(String::as_str).collect();
        let make = format!("`keystile login --profile {name}` makes it");
        if known.is_empty() { make } else { format!("there is {}; {make}", known.join(", ")) }
    }
}

/// The file, in the folder for configurations of the platform.
fn path() -> Result<PathBuf, Failure> {
    let strategy = etcetera::base_strategy::choose_native_strategy();
    let strategy = strategy.map_err(|error| Failure::System(error.to_string()))?;
    Ok(strategy.config_dir().join("keystile").join("profiles.toml"))
}

fn write_secret<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

fn read_secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

/// What the group and everybody else may do with a file.
const OTHERS: u32 = 0o077;
