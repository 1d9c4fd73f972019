//! What every command that asks a server works with: which server, as whom, and how to print.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use keystile_client::Client;
use secrecy::SecretString;
use url::Url;

use crate::environment;
use crate::failure::Failure;
use crate::output::{Form, Look};
use crate::profiles::Profiles;
use crate::stop::Stop;

/// The flags that every command has.
#[derive(Args, Clone, Debug)]
pub struct Common {
    /// The form of the output
    #[arg(short, long, global = true, value_name = "FORM", help_heading = HEADING)]
    pub output: Option<Form>,
    /// Write times out instead of telling them from here
    #[arg(long, global = true, help_heading = HEADING)]
    pub absolute: bool,
    /// Say nothing but what was asked for
    #[arg(short, long, global = true, help_heading = HEADING)]
    pub quiet: bool,
    /// The profile to use; otherwise the one that was signed in to last
    #[arg(long, global = true, value_name = "NAME", help_heading = HEADING)]
    pub profile: Option<String>,
    /// Certificates that vouch for the server, beside those that this machine trusts
    #[arg(long, global = true, value_name = "FILE", help_heading = HEADING)]
    pub ca_file: Option<PathBuf>,
}

/// A server, and how to tell what it says.
pub struct Session {
    /// The server, as whoever is signed in.
    pub client: Client,
    /// The form that was asked for; `None`: whatever is best.
    pub form: Option<Form>,
    /// How output looks.
    pub look: Look,
    /// Whether to say nothing but what was asked for.
    pub quiet: bool,
    /// Ctrl-C.
    pub stop: Stop,
}

impl Common {
    /// Opens a session as the environment says, or else the profile.
    ///
    /// # Errors
    /// Nobody is signed in, or the server cannot be one.
    pub fn open(self) -> Result<Session, Failure> {
        let (url, token, ca_file) = self.whom()?;
        let client = connect(&url, Some(token), self.ca_file.or(ca_file).as_deref())?;
        let look = Look::of_output(self.absolute);
        let Self { output: form, quiet, .. } = self;
        Ok(Session { client, form, look, quiet, stop: Stop::listen() })
    }

    /// A stored credential goes to the server that it was stored for, and to no other.
    fn whom(&self) -> Result<(Url, SecretString, Option<PathBuf>), Failure> {
        let url = environment::url().map(|url| address(&url)).transpose()?;
        let profiles = Profiles::read()?;
        let profile = profiles.find(self.profile.as_deref(), url.as_ref())?;
        let ca_file = profile.and_then(|profile| profile.ca_file.clone());
        match (url, environment::token(), profile) {
            (Some(url), Some(token), _) => Ok((url, token, ca_file)),
            (None, Some(token), Some(profile)) => Ok((profile.url.clone(), token, ca_file)),
            (None, Some(token), None) => Ok((address(DEFAULT_URL)?, token, None)),
            (Some(url), None, Some(profile)) if profile.url != url => Err(Failure::Usage(format!(
                "KEYSTILE_URL is {url}, but the profile is for {}: set KEYSTILE_TOKEN too",
                profile.url
            ))),
            (Some(_) | None, None, Some(profile)) => {
                Ok((profile.url.clone(), profile.token.clone(), ca_file))
            }
            (Some(url), None, None) => Err(Failure::Usage(format!(
                "nobody is signed in at {url}: `keystile login {url}`, or set KEYSTILE_TOKEN"
            ))),
            (None, None, None) => Err(Failure::Usage(
                "nobody is signed in: `keystile login URL`, or set KEYSTILE_URL and KEYSTILE_TOKEN"
                    .into(),
            )),
        }
    }
}

impl Session {
    /// The form of what is printed where a table would do.
    pub fn form(&self) -> Form {
        self.form.unwrap_or(Form::Table)
    }

    /// Says what was done, on standard error, unless it shall be quiet.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            eprintln!("{text}");
        }
    }
}

/// A client of the server at this address.
///
/// # Errors
/// The address or the certificates cannot be used.
pub fn connect(
    url: &Url,
    token: Option<SecretString>,
    ca_file: Option<&Path>,
) -> Result<Client, Failure> {
    let mut builder = Client::builder(url.as_str()).user_agent(USER_AGENT).patience(PATIENCE);
    if let Some(token) = token {
        builder = builder.credential(token);
    }
    if let Some(file) = ca_file {
        let read = std::fs::read(file);
        let pem = read.map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?;
        builder = builder.authority(pem);
    }
    builder.build().map_err(|error| Failure::Usage(error.to_string()))
}

/// Reads the address of a server.
///
/// # Errors
/// It is none.
pub fn address(text: &str) -> Result<Url, Failure> {
    let url = Url::parse(text).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.password().is_none()
    });
    url.ok_or_else(|| {
        Failure::Usage(format!("{text} is no address: it looks like https://keys.example.com"))
    })
}

/// Where `keystile serve` listens unless told otherwise.
pub const DEFAULT_URL: &str = "http://127.0.0.1:8080";
/// Somebody waits at the terminal.
const PATIENCE: Duration = Duration::from_secs(5);
const USER_AGENT: &str = concat!("keystile/", env!("CARGO_PKG_VERSION"));
const HEADING: &str = "Everywhere";
