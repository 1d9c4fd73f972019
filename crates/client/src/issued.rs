//! Something that has just got a secret: the one answer that shows it.

use std::ops::Deref;

use keystile_api::api_keys::{ApiKey, IssuedApiKey};
use keystile_api::tokens::{IssuedToken, Token};
use secrecy::SecretString;

/// A key or token, with the secret that is shown this once.
///
/// Formatting it with `{:?}` shows nothing of the secret.
#[derive(Clone, Debug)]
pub struct Issued<T> {
    /// The key or token as it is shown from now on.
    pub shown: T,
    /// The secret; `None` in a dry run, and for a key whose holder has it already.
    pub secret: Option<SecretString>,
}

impl<T> Deref for Issued<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.shown
    }
}

impl From<IssuedApiKey> for Issued<ApiKey> {
    fn from(IssuedApiKey { api_key, key }: IssuedApiKey) -> Self {
        Self { shown: api_key, secret: key.map(SecretString::from) }
    }
}

impl From<IssuedToken> for Issued<Token> {
    fn from(IssuedToken { shown, token }: IssuedToken) -> Self {
        Self { shown, secret: token.map(SecretString::from) }
    }
}
