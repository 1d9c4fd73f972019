//! `logout`: a credential is forgotten, and ends if a sign-in made it.

use clap::Args;
use keystile_client::Change;
use uuid::Uuid;

use crate::failure::Failure;
use crate::output::say;
use crate::profiles::{Profile, Profiles};
use crate::session::{Common, connect};

/// Forgets a credential.
#[derive(Args)]
pub struct Logout {
    #[command(flatten)]
    common: Common,
}

impl Logout {
    /// Does it. A token that `login --sso` made ends; a key stays as it is.
    ///
    /// # Errors
    /// What went wrong.
    pub async fn run(self) -> Result<(), Failure> {
        let profiles = Profiles::read()?;
        let Some(name) = self.common.profile.or_else(|| profiles.current.clone()) else {
            return Err(profiles.nobody());
        };
        forget(&name, self.common.quiet).await
    }
}

/// Removes a profile. If it was the one that counts, none does: the next command is for no server
/// that nobody named.
///
/// # Errors
/// There is none of this name, or the file cannot be written.
pub async fn forget(name: &str, quiet: bool) -> Result<(), Failure> {
    let profile = Profiles::read()?.named(name)?.clone();
    let ended = end(&profile).await;
    // Read again: while the server was asked, somebody may have signed in elsewhere.
    let mut profiles = Profiles::read()?;
    profiles.profiles.remove(name);
    if profiles.current.as_deref() == Some(name) {
        profiles.current = None;
    }
    profiles.write()?;
    if let Err(failure) = ended {
        say(format_args!("keystile: the token of this sign-in goes on working: {failure}"));
    }
    if !quiet {
        let next = match &profiles.current {
            None if !profiles.profiles.is_empty() => "; `keystile profiles use NAME` is next",
            _ => "",
        };
        say(format_args!("Signed out of {}, profile {name}{next}", profile.url));
    }
    Ok(())
}

/// Ends the token that a sign-in with the browser made: nobody else has it.
///
/// # Errors
/// The server did not end it.
pub async fn end(profile: &Profile) -> Result<(), Failure> {
    let Some(id): Option<Uuid> = profile.made else { return Ok(()) };
    let client = connect(&profile.url, Some(profile.token.clone()), profile.ca_file.as_deref())?;
    match client.own_tokens().delete(id, &Change::new()).await {
        // It has ended already.
        Err(error) if matches!(error.status(), Some(401 | 404)) => Ok(()),
        ended => Ok(ended.map(drop)?),
    }
}
