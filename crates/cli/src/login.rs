//! `login`, `logout`, `whoami`: who asks, and where.

use clap::Args;
use keystile_api::me::{Me, RoleName};
use keystile_client::Change;
use secrecy::SecretString;
use url::{Host, Url};
use uuid::Uuid;

use crate::environment;
use crate::failure::Failure;
use crate::output::{self, Form, moment, plain};
use crate::profiles::{Profile, Profiles};
use crate::prompt;
use crate::session::{Common, DEFAULT_URL, address, connect};
use crate::sso;
use crate::stop::Stop;

/// Signs in.
#[derive(Args)]
pub struct Login {
    /// Where the server is; otherwise `KEYSTILE_URL`, the profile's, or `http://127.0.0.1:8080`
    url: Option<String>,
    /// Sign in with the browser, at the company's own sign-in
    #[arg(long)]
    sso: bool,
    /// Which of several sign-ins to use with --sso, by its identifier
    #[arg(long, value_name = "IDENTIFIER", requires = "sso")]
    provider: Option<String>,
    #[command(flatten)]
    common: Common,
}

/// Forgets a credential.
#[derive(Args)]
pub struct Logout {
    #[command(flatten)]
    common: Common,
}

/// Shows who asks.
#[derive(Args)]
pub struct Whoami {
    #[command(flatten)]
    common: Common,
}

impl Login {
    /// Does it: nothing is kept that the server does not accept.
    ///
    /// # Errors
    /// What went wrong.
    pub async fn run(self) -> Result<(), Failure> {
        let stop = Stop::listen();
        let mut profiles = Profiles::read()?;
        let name = self.common.profile.clone().or(profiles.current.clone());
        let name = name.unwrap_or_else(|| DEFAULT_PROFILE.to_owned());
        let before = profiles.profiles.get(&name);
        let url = self.address(before)?;
        let ca_file = self.common.ca_file.clone();
        let ca_file = ca_file.map(std::path::absolute).transpose();
        let ca_file = ca_file.map_err(|error| Failure::System(format!("--ca-file: {error}")))?;
        // Who vouched for this server does so still.
        let kept = before.filter(|profile| profile.url == url);
        let ca_file = ca_file.or_else(|| kept.and_then(|profile| profile.ca_file.clone()));
        let (token, made) = if self.sso {
            let anonymous = connect(&url, None, ca_file.as_deref())?;
            let work = sso::sign_in(&anonymous, self.provider.as_deref());
            let (token, id) = stop.unless_pressed(work).await?;
            (token, Some(id))
        } else {
            (ask(&url)?, None)
        };
        let client = connect(&url, Some(token.clone()), ca_file.as_deref())?;
        if !is_safe(&url) && !self.common.quiet {
            eprintln!(
                "warning: {url} is not https: others on the way can read what is shown there"
            );
        }
        let me = stop.unless_pressed(client.me().show()).await?;
        profiles.profiles.insert(name.clone(), Profile { url: url.clone(), token, made, ca_file });
        profiles.current = Some(name.clone());
        profiles.write()?;
        if !self.common.quiet {
            eprintln!("Signed in at {url} as {}, profile {name}", plain(&me.principal.name));
        }
        Ok(())
    }

    fn address(&self, before: Option<&Profile>) -> Result<Url, Failure> {
        match (&self.url, environment::url(), before) {
            (Some(url), _, _) => address(url),
            (None, Some(url), _) => address(&url),
            (None, None, Some(profile)) => Ok(profile.url.clone()),
            (None, None, None) => address(DEFAULT_URL),
        }
    }
}

/// Whether nobody on the way can read what is sent there.
fn is_safe(url: &Url) -> bool {
    url.scheme() == "https"
        || match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}

impl Logout {
    /// Does it. A token that `login --sso` made ends; a key stays as it is.
    ///
    /// # Errors
    /// What went wrong.
    pub async fn run(self) -> Result<(), Failure> {
        let mut profiles = Profiles::read()?;
        let Some(name) = self.common.profile.clone().or(profiles.current.clone()) else {
            return Err(Failure::NotFound("nobody is signed in".into()));
        };
        let Some(profile) = profiles.profiles.remove(&name) else {
            return Err(Failure::NotFound(format!("there is no profile {name}")));
        };
        if profiles.current.as_ref() == Some(&name) {
            profiles.current = profiles.profiles.keys().next().cloned();
        }
        let ended = match profile.made {
            Some(id) => end(&profile, id).await,
            None => Ok(()),
        };
        profiles.write()?;
        if let Err(failure) = ended {
            eprintln!("keystile: the token of this sign-in goes on working: {failure}");
        }
        if !self.common.quiet {
            eprintln!("Signed out of {}, profile {name}", profile.url);
        }
        Ok(())
    }
}

impl Whoami {
    /// Does it.
    ///
    /// # Errors
    /// What went wrong.
    pub async fn run(self) -> Result<(), Failure> {
        let session = self.common.open()?;
        let me = session.stop.unless_pressed(session.client.me().show()).await?;
        match session.form() {
            Form::Table => output::lines(told(&me, session.client.server(), &session.look)),
            Form::Id => output::lines([me.principal.id.to_string()]),
            Form::Name => output::lines([plain(&me.principal.name)]),
            form => output::value(&me, form, &session.look),
        }
    }
}

fn told(me: &Me<'_>, url: &Url, look: &output::Look) -> Vec<String> {
    let list = |texts: Vec<String>| if texts.is_empty() { "none".into() } else { texts.join(", ") };
    let role = |role: &RoleName<'_>| format!("{} ({})", plain(&role.name), role.id);
    let (principal, credential) = (&me.principal, &me.credential);
    vec![
        format!("server       {url}"),
        format!("name         {} ({})", plain(&principal.name), principal.kind.replace('_', " ")),
        format!("credential   {} {}", credential.kind.replace('_', " "), credential.key_prefix),
        format!("expires      {}", moment(credential.expires_at.as_deref(), "never", look)),
        format!("roles        {}", list(me.roles.iter().map(role).collect())),
        format!("permissions  {}", list(me.permissions.iter().map(ToString::to_string).collect())),
    ]
}

fn ask(url: &Url) -> Result<SecretString, Failure> {
    prompt::secret(&format!("Key or token for {url}"))
}

async fn end(profile: &Profile, id: Uuid) -> Result<(), Failure> {
    let client = connect(&profile.url, Some(profile.token.clone()), profile.ca_file.as_deref())?;
    client.own_tokens().delete(id, &Change::new()).await?;
    Ok(())
}

const DEFAULT_PROFILE: &str = "default";
