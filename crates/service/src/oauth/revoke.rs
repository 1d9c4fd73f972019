//! Ending a token on behalf of whoever has it (RFC 7009).

use std::sync::Arc;

use keystile_auth::Rejection;
use keystile_auth::jwt::Unverified;
use keystile_domain::{
    Action, ApiKeyId, Credential, CredentialKind, CredentialText, Jwt, Power, Reason, Secret,
    Target, TargetKind, TokenId,
};

use super::Refusal;
use crate::access_tokens::Audience;
use crate::api_keys::remove_api_key;
use crate::change::Options;
use crate::token_proof::{ProvenToken, of_session};
use crate::tokens::TokenOwner;
use crate::{Caller, Keystile, ServiceError};

impl Keystile {
    /// Ends a token for ever.
    ///
    /// Whoever has a token may end that token, and everything that acts as themselves; what else
    /// they may end are the keys and personal access tokens that they may delete. A token that is
    /// unknown, or has ended, is no error: what was asked is the case (RFC 7009, section 2.2).
    ///
    /// # Errors
    ///
    /// [`Refusal::Unauthorized`] if it is not theirs to end; [`Refusal::TokenType`] for a token of
    /// another issuer; [`Refusal::Service`] if it could not be ended.
    pub async fn revoke(&self, caller: &Caller, token: &str) -> Result<(), Refusal> {
        match CredentialText::parse(token) {
            Some(CredentialText::Jwt(jwt)) => self.revoke_jwt(caller, &jwt).await,
            Some(CredentialText::Secret(secret)) => self.revoke_secret(caller, secret).await,
            None => Ok(()),
        }
    }

    async fn revoke_jwt(&self, caller: &Caller, jwt: &Jwt) -> Result<(), Refusal> {
        let Ok(unverified) = Unverified::parse(jwt) else { return Ok(()) };
        if unverified.unverified_issuer() != self.issuer {
            return Err(Refusal::TokenType);
        }
        let own = match self.verify_own(jwt, Audience::Anybody).await {
            Ok((own, _)) => Arc::new(own),
            Err(Rejection::Outdated) => return Err(ServiceError::Behind.into()),
            Err(Rejection::Store(error)) => return Err(ServiceError::from(error).into()),
            Err(_) => return Ok(()),
        };
        let holder = match self.resolve(&ProvenToken::Own(Arc::clone(&own))).await {
            Ok(holder) => holder,
            Err(Rejection::Outdated) => return Err(ServiceError::Behind.into()),
            Err(Rejection::Store(error)) => return Err(ServiceError::from(error).into()),
            Err(_) => return Ok(()),
        };
        if !acts_as_same(caller, &holder) {
            return Err(Refusal::Unauthorized);
        }
        self.change(caller, None, Options::default(), move |scope| {
            Box::pin(async move {
                if scope.tx.spend_token(&own.issuer, &own.id, own.ends_at).await? {
                    let name = holder.principal.name.to_string();
                    let target = Target { kind: TargetKind::AccessToken, id: own.id.clone(), name };
                    scope.record(Action::AccessTokenRevoked, target, (None, None), None)?;
                }
                Ok(())
            })
        })
        .await
        .map(drop)
        .map_err(Refusal::from)
    }

    async fn revoke_secret(&self, caller: &Caller, secret: Secret) -> Result<(), Refusal> {
        let text = CredentialText::Secret(secret);
        // What is answered as gone must be so: a node may not know yet what another has made.
        let deciding = self.verifier.begin().disbelieving();
        let credential = match self.identify(&deciding, &text).await {
            Ok((credential, _)) => credential,
            Err(Rejection::Outdated) => return Err(ServiceError::Behind.into()),
            Err(Rejection::Store(error)) => return Err(ServiceError::from(error).into()),
            Err(_) => return self.revoke_refresh_token(caller, &text).await,
        };
        let reason = Some(REASON.parse::<Reason>().map_err(|_too_long| Refusal::TokenType)?);
        let is_own = acts_as_same(caller, &credential);
        let removed = match credential.kind {
            CredentialKind::PersonalAccessToken => {
                let owner = match is_own {
                    true => TokenOwner::Caller,
                    false => TokenOwner::User(credential.principal.id.into()),
                };
                let (id, options) = (TokenId::from(credential.id), Options::default());
                self.remove_token(caller, owner, id, None, reason, options).await.map(drop)
            }
            _ => {
                let id = ApiKeyId::from(credential.id);
                let power = (!is_own).then_some(Power::ApiKeysWrite);
                let removing = self.change(caller, power, Options::default(), move |scope| {
                    Box::pin(async move {
                        remove_api_key(scope, id, None, reason.as_ref()).await.map(drop)
                    })
                });
                removing.await.map(drop)
            }
        };
        match removed {
            Ok(()) | Err(ServiceError::NotFound) => Ok(()),
            Err(ServiceError::Lacking(_) | ServiceError::Ceiling(_)) => Err(Refusal::Unauthorized),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends the session of a refresh token, which is the holder's to end.
    async fn revoke_refresh_token(
        &self,
        caller: &Caller,
        text: &CredentialText,
    ) -> Result<(), Refusal> {
        let CredentialText::Secret(secret) = text else { return Ok(()) };
        let mut conn = self.store.read().await.map_err(ServiceError::from)?;
        let token = self.find_refresh_token(&mut conn, secret).await?;
        let Some((_, token)) = token else { return Ok(()) };
        let holder = of_session(&mut conn, token.session).await.map_err(ServiceError::from)?;
        drop(conn);
        let Some(holder) = holder else { return Ok(()) };
        if !acts_as_same(caller, &holder) {
            return Err(Refusal::Unauthorized);
        }
        let ending = self.change(caller, None, Options::default(), move |scope| {
            Box::pin(async move { scope.end_session(token.session, Action::SessionEnded).await })
        });
        Ok(ending.await.map(drop)?)
    }
}

/// Whether both stand for the same user, service account, machine or key.
fn acts_as_same(caller: &Caller, other: &Credential) -> bool {
    let own = &caller.credential().principal;
    (own.kind, own.id) == (other.principal.kind, other.principal.id)
}

const REASON: &str = "Revoked at the OAuth endpoint";
