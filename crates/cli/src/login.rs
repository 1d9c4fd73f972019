//! `login`: a server, and a credential that it accepts, are kept under a name.

use std::path::PathBuf;

use clap::Args;
use keystile_api::me::Me;
use keystile_client::Error;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::environment;
use crate::failure::Failure;
use crate::logout;
use crate::output::{plain, say};
use crate::profiles::{Profile, Profiles};
use crate::prompt;
use crate::session::{Common, DEFAULT_URL, address, connect, is_safe};
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
    /// Replace what the profile has without asking
    #[arg(long, short)]
    force: bool,
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
        let profiles = Profiles::read()?;
        let name = self.common.profile.clone().or(profiles.current.clone());
        let name = name.unwrap_or_else(|| DEFAULT_PROFILE.to_owned());
        let was_current = profiles.current.as_ref() == Some(&name);
        let before = profiles.profiles.get(&name).cloned();
        let url = self.address(before.as_ref())?;
        let ca_file = self.ca_file(before.as_ref(), &url)?;
        let given = if self.sso { None } else { Some(ask(&url)?) };
        let same = |before: &Profile| is_same(before, &url, given.as_ref());
        // The same token may be for the same server by another name.
        let has = |before: &Profile| given.as_ref().is_some_and(|given| is_of(before, given));
        let kept = before.as_ref().filter(|before| has(before)).and_then(|before| before.made);
        let replaced = before.filter(|before| !same(before));
        if let Some(before) = replaced.as_ref().filter(|_| !self.force) {
            let work = async { Ok::<_, Failure>(who_lives(before).await) };
            if let Some(who) = stop.unless_pressed(work).await?
                && !agree_to_replace(&name, &before.url, &who)?
            {
                if !self.common.quiet {
                    say(prompt::DECLINED);
                }
                return Ok(());
            }
        }
        if !is_safe(&url) && !self.common.quiet {
            say(format_args!(
                "warning: {url} is not https: others on the way can read what is shown there"
            ));
        }
        let (token, made) = match given {
            Some(token) => (token, kept),
            None => {
                let anonymous = connect(&url, None, ca_file.as_deref())?;
                let provider = self.provider.as_deref();
                let work = sso::sign_in(&anonymous, provider, ca_file.as_deref());
                let access_token = stop.unless_pressed(work).await?;
                // From here on Ctrl-C waits: a token that was made must not be lost.
                let (token, id) = sso::make_token(&anonymous, &access_token).await?;
                (token, Some(id))
            }
        };
        let profile = Profile { url, token, made, ca_file };
        let me = match keep(&name, &profile, &stop).await {
            Ok(me) => me,
            Err(failure) => {
                if self.sso {
                    end(&profile).await;
                }
                return Err(failure);
            }
        };
        if let Some(before) = replaced.filter(|before| !is_of(before, &profile.token)) {
            end(&before).await;
        }
        if !self.common.quiet {
            let (url, who) = (&profile.url, plain(&me.principal.name));
            let now = if was_current { "" } else { " (now current)" };
            say(format_args!("Signed in at {url} as {who}, profile {name}{now}"));
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

    /// Who vouched for this server does so still.
    fn ca_file(&self, before: Option<&Profile>, url: &Url) -> Result<Option<PathBuf>, Failure> {
        let kept = before.filter(|profile| profile.url == *url);
        match &self.common.ca_file {
            Some(file) => std::path::absolute(file)
                .map(Some)
                .map_err(|error| Failure::System(format!("--ca-file: {error}"))),
            None => Ok(kept.and_then(|profile| profile.ca_file.clone())),
        }
    }
}

/// Keeps what the server accepts, and nothing else.
async fn keep(name: &str, profile: &Profile, stop: &Stop) -> Result<Me<'static>, Failure> {
    let Profile { url, token, ca_file, .. } = profile;
    let client = connect(url, Some(token.clone()), ca_file.as_deref())?;
    let me = stop.unless_pressed(accepted(url, client.me().show())).await?;
    // Read again: meanwhile somebody may have signed in or out elsewhere.
    let mut profiles = Profiles::read()?;
    profiles.profiles.insert(name.to_owned(), profile.clone());
    profiles.current = Some(name.to_owned());
    profiles.write()?;
    Ok(me)
}

/// Ends a token that a sign-in made and that nobody keeps any more.
async fn end(profile: &Profile) {
    if let Err(failure) = logout::end(profile).await {
        say(format_args!("keystile: a token that nobody keeps goes on working: {failure}"));
    }
}

/// Whether a profile has this very credential already.
fn is_same(before: &Profile, url: &Url, given: Option<&SecretString>) -> bool {
    before.url == *url && given.is_some_and(|given| is_of(before, given))
}

/// Whether the credential of a profile is this one.
fn is_of(before: &Profile, given: &SecretString) -> bool {
    given.expose_secret() == before.token.expose_secret()
}

/// Whom a profile stands for; `None`: its credential has ended, and nothing is lost with it.
async fn who_lives(profile: &Profile) -> Option<String> {
    let client = connect(&profile.url, Some(profile.token.clone()), profile.ca_file.as_deref());
    let unknown = || Some("somebody who cannot be asked for now".to_owned());
    let Ok(client) = client else { return unknown() };
    match client.me().show().await {
        Ok(me) => Some(plain(&me.principal.name)),
        Err(error) if error.status() == Some(401) => None,
        Err(_) => unknown(),
    }
}

fn agree_to_replace(name: &str, url: &Url, who: &str) -> Result<bool, Failure> {
    let is = format!("profile {name} is {who} at {url}");
    let instead = format!("{is}: --force replaces it, --profile NAME keeps both");
    if !environment::has_somebody() {
        return Err(Failure::Usage(instead));
    }
    prompt::agree(&format!("Now {is}. Replace it?"), &instead)
}

/// What the server says of a credential that was just given.
async fn accepted(
    url: &Url,
    asked: impl Future<Output = Result<Me<'static>, Error>>,
) -> Result<Me<'static>, Failure> {
    match asked.await {
        Err(error) if error.status() == Some(401) => Err(Failure::NotAllowed(format!(
            "{url} does not accept this key or token: was all of it copied?"
        ))),
        Err(error) if error.is_not_found() => Err(Failure::NotFound(format!(
            "there is no Keystile at {url}: leave out what stands behind the host and the port"
        ))),
        answer => Ok(answer?),
    }
}

fn ask(url: &Url) -> Result<SecretString, Failure> {
    let given = prompt::secret(&format!("Key or token for {url}"))?;
    if given.expose_secret().contains(" = ") {
        // Nothing of it is shown: it may be a secret on either side.
        return Err(Failure::Usage(format!(
            "the first line is `NAME = VALUE`, and no key or token alone. Of what a server writes at \
             its first start the key is admin_api_key: \
             `sed -n 's/^admin_api_key = //p' FILE | keystile login {url}`"
        )));
    }
    Ok(given)
}

const DEFAULT_PROFILE: &str = "default";
