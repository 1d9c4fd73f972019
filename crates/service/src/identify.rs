//! From the text of a credential to the credential: one way for every kind.

use std::sync::Arc;

use keystile_auth::jwt::Unverified;
use keystile_auth::{Place, Presented, Rejection};
use keystile_domain::{Credential, CredentialText, Endpoint, Jwt};
use keystile_storage::StoreError;

use crate::access_tokens::Audience;
use crate::passwords::HashError;
use crate::token_proof::ProvenToken;
use crate::{Keystile, ServiceError};

/// Why a credential could not be looked up: an outage, which says nothing about the credential.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// The user of a first sign-in could not be made.
    #[error("a user could not be made at first sight")]
    Admission(#[source] Box<ServiceError>),
    /// Too many imported keys are being compared, or one could not be.
    #[error("an imported key could not be compared")]
    Import(#[from] HashError),
    /// An OpenID provider could not be asked for its keys.
    #[error("the keys of an OpenID provider are not to be had")]
    Issuer(#[from] keystile_oidc::Unavailable),
    /// Our own signing keys could not be read.
    #[error("the signing keys cannot be read")]
    SigningKeys(#[source] Box<ServiceError>),
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why there is no credential to judge.
pub type Unidentified = Rejection<LookupError>;

impl Keystile {
    /// Finds the credential of a text, in whatever state; for a JWT, with what was proved of it.
    pub(crate) async fn identify(
        &self,
        text: &CredentialText,
    ) -> Result<(Arc<Credential>, Option<ProvenToken>), Unidentified> {
        match text {
            CredentialText::Secret(secret) => Ok((self.verifier.identify(secret).await?, None)),
            CredentialText::Jwt(jwt) => {
                let token = self.prove(jwt).await?;
                let credential = self.resolve(&token).await?;
                Ok((credential, Some(token)))
            }
        }
    }

    /// As [`identify`](Self::identify), where the text stands in a request for `asked`: at the
    /// place of tickets, the credential is that which a ticket was made with. Asked once for a
    /// request, since it uses up the ticket.
    pub(crate) async fn identify_presented(
        &self,
        presented: &Presented,
        asked: Option<&Endpoint>,
    ) -> Result<(Arc<Credential>, Option<ProvenToken>), Unidentified> {
        match presented.place {
            Place::Ticket(_) => {
                let (credential, proof) = self.redeem(&presented.text, asked).await?;
                Ok((credential, Some(proof)))
            }
            _ => self.identify(&presented.text).await,
        }
    }

    /// Verifies a JWT: by our own keys if it says that it is ours, else by those of the OpenID
    /// provider that it names.
    async fn prove(&self, jwt: &Jwt) -> Result<ProvenToken, Unidentified> {
        let issuer = Unverified::parse(jwt).map_err(Rejection::Untrusted)?;
        if issuer.unverified_issuer() == self.issuer {
            let (token, _) = self.verify_own(jwt, Audience::Ourselves).await?;
            return Ok(ProvenToken::Own(Arc::new(token)));
        }
        Ok(ProvenToken::Foreign(Arc::new(self.prove_foreign(jwt).await?)))
    }

    pub(crate) async fn resolve(
        &self,
        token: &ProvenToken,
    ) -> Result<Arc<Credential>, Unidentified> {
        let found = async { token.resolve(&mut self.store.read().await?).await };
        let found = found.await.map_err(|error| Rejection::Store(error.into()))?;
        found.ok_or(Rejection::NotFound)
    }
}
