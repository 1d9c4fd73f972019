//! From the text of a credential to the credential: one way for every kind.

mod jwt;

use std::sync::Arc;

use keystile_auth::{Deciding, Place, Presented, Rejection};
use keystile_domain::{Credential, CredentialText, Endpoint};
use keystile_storage::StoreError;

use crate::passwords::HashError;
use crate::token_proof::ProvenToken;
use crate::{Keystile, ServiceError};

pub(crate) use self::jwt::Tokens;

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

/// Nobody could say.
pub(crate) fn outage<E: Into<LookupError>>(error: E) -> Unidentified {
    Rejection::Store(Arc::new(error.into()))
}

impl Keystile {
    /// Finds the credential of a text, in whatever state; for a JWT, with what was proved of it.
    pub(crate) async fn identify(
        &self,
        deciding: &Deciding<'_>,
        text: &CredentialText,
    ) -> Result<(Arc<Credential>, Option<ProvenToken>), Unidentified> {
        self.is_registered().then_some(()).ok_or(Rejection::Outdated)?;
        match text {
            CredentialText::Secret(secret) => {
                let found = match self.verifier.identify(deciding, secret).await {
                    // Another node may have changed since how secrets look.
                    Err(Rejection::Malformed(_)) if !deciding.is_trusting() => {
                        Box::pin(async {
                            self.learn_formats().await.map_err(outage)?;
                            self.verifier.identify(deciding, secret).await
                        })
                        .await
                    }
                    found => found,
                };
                Ok((found?, None))
            }
            CredentialText::Jwt(jwt) => {
                let (credential, token) = self.identify_jwt(deciding, jwt).await?;
                Ok((credential, Some(token)))
            }
        }
    }

    /// As [`identify`](Self::identify), where the text stands in a request for `asked`: at the
    /// place of tickets, the credential is that which a ticket was made with. Asked once for a
    /// request, since it uses up the ticket.
    pub(crate) async fn identify_presented(
        &self,
        deciding: &Deciding<'_>,
        presented: &Presented,
        asked: Option<&Endpoint>,
    ) -> Result<(Arc<Credential>, Option<ProvenToken>), Unidentified> {
        match presented.place {
            Place::Ticket(_) => {
                // Boxed, so that other checks are not made to carry what a ticket takes.
                let (credential, proof) = Box::pin(self.redeem(&presented.text, asked)).await?;
                Ok((credential, Some(proof)))
            }
            _ => self.identify(deciding, &presented.text).await,
        }
    }

    pub(crate) async fn resolve(
        &self,
        token: &ProvenToken,
    ) -> Result<Arc<Credential>, Unidentified> {
        let found = async { token.resolve(&mut self.store.read().await?).await };
        let found = found.await.map_err(outage::<StoreError>)?;
        found.ok_or(Rejection::NotFound)
    }
}
