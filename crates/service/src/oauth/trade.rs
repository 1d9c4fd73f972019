//! Trading a credential for an access token: client credentials (RFC 6749, section 4.4) and token
//! exchange (RFC 8693).

use keystile_domain::{Credential, CredentialText, Jwt, PermissionSet, Secret};
use uuid::Uuid;

use super::{Refusal, refused};
use crate::access_tokens::{AccessTokenDraft, LONGEST, LONGEST_SCOPE, read_scope};
use crate::token_proof::Basis;
use crate::{AccessToken, Caller, Keystile, Origin, ServiceError};

/// What somebody wishes of an access token.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// The permissions that it shall have; `None`: all of the credential's.
    pub scope: Option<String>,
    /// Who may take it; empty: Keystile itself.
    pub audiences: Vec<String>,
}

/// What is traded.
#[derive(Debug)]
pub enum SubjectToken {
    /// A key or personal access token, which is its own proof.
    Credential(Secret),
    /// A machine's token of another issuer.
    Identity(Jwt),
}

impl Keystile {
    /// An access token for whoever knows a key with its id.
    ///
    /// # Errors
    ///
    /// [`Refusal::Client`], [`Refusal::Scope`], [`Refusal::ScopeBeyond`]; [`Refusal::Service`] if
    /// nobody can say.
    pub async fn trade_client_credentials(
        &self,
        id: Uuid,
        secret: Secret,
        wish: Wish,
        origin: Origin,
    ) -> Result<AccessToken, Refusal> {
        let client = self.authenticate_client(id, secret, origin).await;
        let client = client.map_err(|error| refused(error, Refusal::Client))?;
        self.issue(&client, wish).await
    }

    /// An access token for a credential that proves itself.
    ///
    /// # Errors
    ///
    /// [`Refusal::Subject`], [`Refusal::Scope`], [`Refusal::ScopeBeyond`]; [`Refusal::Service`] if
    /// nobody can say.
    pub async fn trade_token(
        &self,
        subject: SubjectToken,
        wish: Wish,
        origin: Origin,
    ) -> Result<AccessToken, Refusal> {
        match subject {
            SubjectToken::Credential(secret) => {
                let subject = self.admit(CredentialText::Secret(secret), origin).await;
                let subject = subject.map_err(|error| refused(error, Refusal::Subject))?;
                self.issue(&subject, wish).await
            }
            SubjectToken::Identity(jwt) => self.trade_identity(&jwt, wish, origin).await,
        }
    }

    async fn issue(&self, holder: &Caller, wish: Wish) -> Result<AccessToken, Refusal> {
        let credential = holder.credential();
        let fingerprint = match holder.text() {
            CredentialText::Secret(secret) => secret.fingerprint(),
            CredentialText::Jwt(_) => return Err(Refusal::Subject("it is traded already".into())),
        };
        let mut conn = self.store.read().await.map_err(ServiceError::from)?;
        let tag = self.keys.stored_digest(&mut conn, &fingerprint).await;
        let tag = tag.map_err(ServiceError::from)?.tag();
        drop(conn);
        let draft = AccessTokenDraft {
            credential,
            basis: Basis::Secret(credential.kind, credential.id, tag),
            audiences: wish.audiences,
            scopes: scopes_within(credential, wish.scope.as_deref())?,
            lifetime: LONGEST,
        };
        let token = self.sign_access_token(draft).await?;
        // Whoever is shown it judges by what it says, without a word to Keystile.
        holder.notes().untold();
        Ok(token)
    }
}

/// The scopes that are asked, each of which the credential must hold.
pub(crate) fn scopes_within(
    credential: &Credential,
    asked: Option<&str>,
) -> Result<Option<PermissionSet>, Refusal> {
    let Some(asked) = asked else { return Ok(None) };
    // Before anything is compared with anything: what is compared grows with the square.
    if asked.len() > LONGEST_SCOPE || asked.split(' ').count() > MOST_SCOPES {
        return Err(Refusal::Scope);
    }
    let scopes = read_scope(asked).ok_or(Refusal::Scope)?;
    let held = &credential.rights.permissions;
    let beyond = scopes.iter().find(|scope| !held.covers(scope)).cloned();
    beyond.map_or(Ok(Some(scopes)), |beyond| Err(Refusal::ScopeBeyond(beyond)))
}

/// As many as a personal access token may have.
const MOST_SCOPES: usize = 200;
