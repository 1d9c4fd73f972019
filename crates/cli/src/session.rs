//! What every command that asks a server works with: which server, as whom, and how to print.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, Args};
use keystile_client::{Client, Error};
use secrecy::SecretString;
use url::{Host, Url};

use crate::environment;
use crate::failure::Failure;
use crate::files;
use crate::output::{Form, Look, say};
use crate::profiles::{Profile, Profiles};
use crate::prompt;
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
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub profile: Option<String>,
    /// Certificates that vouch for the server, beside those that this machine trusts
    #[arg(long, global = true, value_name = "FILE", help_heading = HEADING)]
    pub ca_file: Option<PathBuf>,
}

/// A server, and how to tell what it says.
pub struct Session {
    /// The server, as whoever is signed in.
    pub client: Client,
    /// Where the credential comes from.
    pub source: Source,
    /// The form that was asked for; `None`: whatever is best.
    pub form: Option<Form>,
    /// How output looks.
    pub look: Look,
    /// Whether to say nothing but what was asked for.
    pub quiet: bool,
    /// Ctrl-C.
    pub stop: Stop,
}

/// Where a credential comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The environment of the process.
    Environment,
    /// What `login` keeps under this name.
    Profile(String),
}

/// Which server is asked, and with what.
struct Whom {
    url: Url,
    token: SecretString,
    ca_file: Option<PathBuf>,
    source: Source,
}

impl Common {
    /// Opens a session as the environment says, or else the profile.
    ///
    /// # Errors
    /// Nobody is signed in, or the server cannot be one.
    pub fn open(self) -> Result<Session, Failure> {
        let Whom { url, token, ca_file, source } = self.whom()?;
        if let (Source::Environment, Some(name), false) = (&source, &self.profile, self.quiet) {
            say(format_args!(
                "warning: KEYSTILE_TOKEN wins over what profile {name} has: unset it to use that"
            ));
        }
        let ca_file = self.ca_file.clone().or(ca_file);
        let client = connect(&url, Some(token), ca_file.as_deref())?;
        let look = self.look();
        let Self { output: form, quiet, .. } = self;
        Ok(Session { client, source, form, look, quiet, stop: Stop::listen() })
    }

    /// The same flags in front of the command. There they are not for every command, so they are
    /// not of the whole program; clap hands values on to the flags of the same names behind it.
    pub fn before_command() -> impl Iterator<Item = Arg> {
        let flags = Self::augment_args(clap::Command::new(""));
        let flags: Vec<_> = flags.get_arguments().cloned().collect();
        flags.into_iter().map(|flag| flag.global(false).hide(true))
    }

    /// The form of what is printed where a table would do.
    pub fn form(&self) -> Form {
        self.output.unwrap_or(Form::Table)
    }

    /// How output looks.
    pub fn look(&self) -> Look {
        Look::of_output(self.absolute)
    }

    /// A stored credential goes to the server that it was stored for, and to no other.
    fn whom(&self) -> Result<Whom, Failure> {
        let url = environment::url().map(|url| address(&url)).transpose()?;
        // Whoever says it all needs no profile, and is not held up by one that is broken.
        let is_told = url.is_some() && environment::token().is_some() && self.profile.is_none();
        let profiles = match Profiles::read() {
            Err(_) if is_told => Profiles::default(),
            read => read?,
        };
        let profile = profiles.find(self.profile.as_deref(), url.as_ref())?;
        // Who vouches for one server says nothing of another.
        let fits = |profile: &Profile| url.as_ref().is_none_or(|url| profile.url == *url);
        let ca_file = profile.filter(|(_, profile)| fits(profile));
        let ca_file = ca_file.and_then(|(_, profile)| profile.ca_file.clone());
        let whom = |url, token, source| Ok(Whom { url, token, ca_file, source });
        match (url, environment::token(), profile) {
            (Some(url), Some(token), _) => whom(url, token, Source::Environment),
            (None, Some(token), Some((_, profile))) => {
                whom(profile.url.clone(), token, Source::Environment)
            }
            (None, Some(token), None) => whom(address(DEFAULT_URL)?, token, Source::Environment),
            (Some(url), None, Some((name, profile))) if profile.url != url => {
                Err(Failure::Usage(format!(
                    "KEYSTILE_URL is {url}, but profile {name} is for {}: set KEYSTILE_TOKEN too",
                    profile.url
                )))
            }
            (Some(_) | None, None, Some((name, profile))) => {
                let source = Source::Profile(name.clone());
                whom(profile.url.clone(), profile.token.clone(), source)
            }
            (Some(url), None, None) => Err(Failure::Usage(format!(
                "nobody is signed in at {url}: `keystile login {url}`, or set KEYSTILE_TOKEN"
            ))),
            (None, None, None) => Err(profiles.nobody()),
        }
    }
}

impl Source {
    /// What becomes of it when its secret is replaced.
    pub fn with_new(&self, secret: &str) -> String {
        match self {
            Self::Environment => format!("KEYSTILE_TOKEN holds the old {secret}, set the new one"),
            Self::Profile(name) => format!("profile {name} has the new {secret}"),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => f.write_str("KEYSTILE_TOKEN"),
            Self::Profile(name) => write!(f, "profile {name}"),
        }
    }
}

impl Session {
    /// The form of what is printed where a table would do.
    pub fn form(&self) -> Form {
        self.form.unwrap_or(Form::Table)
    }

    /// Asks whether to do the one thing that there is, and says so if nothing is done.
    ///
    /// # Errors
    /// There is nobody to ask, or they pressed Ctrl-C.
    pub fn agrees(&self, question: &str, instead: &str) -> Result<bool, Failure> {
        let agreed = prompt::agree(question, instead)?;
        if !agreed {
            self.note(prompt::DECLINED);
        }
        Ok(agreed)
    }

    /// Refuses `-o id` and `-o name` before anything is done, where there is neither.
    ///
    /// # Errors
    /// They were asked for.
    pub fn refuse_names(&self) -> Result<(), Failure> {
        match self.form {
            Some(Form::Id | Form::Name) => {
                Err(Failure::Usage("this has neither id nor name: leave -o out".into()))
            }
            _ => Ok(()),
        }
    }

    /// Whether this is what every question is asked with.
    ///
    /// # Errors
    /// The server does not say.
    pub async fn acts_with(&self, id: &str) -> Result<bool, Error> {
        Ok(self.client.me().show().await?.credential.id.to_string() == id)
    }

    /// Keeps a new secret of what every question is asked with, where the old one came from.
    ///
    /// # Errors
    /// It cannot be written there.
    pub fn keep(&self, secret: Option<&SecretString>) -> Result<(), Failure> {
        let (Source::Profile(name), Some(secret)) = (&self.source, secret) else { return Ok(()) };
        let mut profiles = Profiles::read()?;
        if let Some(profile) = profiles.profiles.get_mut(name) {
            profile.token = secret.clone();
        }
        profiles.write()
    }

    /// Says what was done, on standard error, unless it shall be quiet.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            say(text);
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
        builder = builder.authority(files::read(file)?);
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
    if let Some(url) = url.as_ref().filter(|url| url.path().contains("/api/v1")) {
        return Err(Failure::Usage(format!("{url}: leave /api/v1 and what follows it out")));
    }
    url.ok_or_else(|| {
        Failure::Usage(format!("{text} is no address: it looks like https://keys.example.com"))
    })
}

/// Whether nobody on the way can read what is sent there.
pub fn is_safe(url: &Url) -> bool {
    url.scheme() == "https"
        || match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}

/// Where `keystile serve` listens unless told otherwise.
pub const DEFAULT_URL: &str = "http://127.0.0.1:8080";
/// Somebody waits at the terminal.
const PATIENCE: Duration = Duration::from_secs(5);
const USER_AGENT: &str = concat!("keystile/", env!("CARGO_PKG_VERSION"));
const HEADING: &str = "Everywhere";
