//! Signing in with a name and a password, and the session that comes of it.

use std::time::Duration;

use keystile_api::auth::{Login, RefreshToken, SessionTokens, SignInProviders};
use secrecy::{ExposeSecret, SecretString};

use crate::repeat::Repeat;
use crate::{Client, Result, operations};

/// Signing in at a server.
#[derive(Clone, Debug)]
pub struct Auth(pub(crate) Client);

/// What somebody has who signed in. Formatting it with `{:?}` shows nothing of its tokens.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Session {
    /// What requests show: the credential for [`Client::with_credential`].
    pub access_token: SecretString,
    /// How long that lives.
    pub expires_in: Duration,
    /// What gets the next of both, once.
    pub refresh_token: SecretString,
}

impl Auth {
    /// What the sign-in page offers, in order of priority.
    pub async fn providers(&self) -> Result<SignInProviders> {
        self.0.call(operations::list_sign_in_providers, &[]).read().await
    }

    /// Signs somebody in.
    pub async fn login(&self, username: &str, password: &SecretString) -> Result<Session> {
        let (username, password) = (username.to_owned(), password.expose_secret().to_owned());
        let call = self.0.anonymous().call(operations::start_session, &[]);
        // Who must wait after a wrong password wants to know it.
        let call = call.json(&Login { username, password }).repeat(Repeat::Never);
        Ok(call.read::<SessionTokens>().await?.into())
    }

    /// Goes on with a session. The refresh token is used up: shown again, it ends the session, so
    /// this is never sent twice.
    pub async fn refresh(&self, refresh_token: &SecretString) -> Result<Session> {
        let call = self.0.anonymous().call(operations::refresh_session, &[]);
        let call = call.json(&shown(refresh_token)).repeat(Repeat::Never);
        Ok(call.read::<SessionTokens>().await?.into())
    }

    /// Ends a session.
    pub async fn logout(&self, refresh_token: &SecretString) -> Result<()> {
        let call = self.0.anonymous().call(operations::end_session, &[]);
        call.json(&shown(refresh_token)).done().await
    }
}

impl From<SessionTokens> for Session {
    fn from(tokens: SessionTokens) -> Self {
        Self {
            access_token: tokens.access_token.into(),
            expires_in: Duration::from_secs(tokens.expires_in),
            refresh_token: tokens.refresh_token.into(),
        }
    }
}

fn shown(refresh_token: &SecretString) -> RefreshToken {
    RefreshToken { refresh_token: refresh_token.expose_secret().to_owned() }
}
