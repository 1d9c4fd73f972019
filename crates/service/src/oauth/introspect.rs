//! Telling a resource server about a token (RFC 7662).

use std::sync::Arc;

use keystile_auth::jwt::{Claims, Unverified};
use keystile_auth::{Deciding, Rejection};
use keystile_domain::{
    Context, Credential, CredentialText, Decision, Expiry, PermissionSet, Power, Secret, Timestamp,
    decide,
};

use crate::access_tokens::Audience;
use crate::token_proof::{ProvenToken, of_session};
use crate::{Caller, Keystile, ServiceError, Unidentified};

/// What is told of a token that is worth something.
#[derive(Clone, Debug)]
pub struct ActiveToken {
    /// What it allows.
    pub scopes: PermissionSet,
    /// The credential: `client_id`.
    pub credential: String,
    /// The name of whoever it acts as.
    pub username: String,
    /// Whoever it acts as, to its issuer.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// Who may take it.
    pub audiences: Vec<String>,
    /// When it ends.
    pub ends_at: Option<Timestamp>,
    /// When it was issued, if it says so.
    pub issued_at: Option<Timestamp>,
    /// Its own name, if it has one.
    pub id: Option<String>,
    /// Whether it only gives new access tokens, and is none.
    pub is_refresh_token: bool,
}

impl Keystile {
    /// What a token is worth at this moment; nothing if it is worth nothing.
    ///
    /// Nothing is known of the request that it came with, so a credential that is bound to
    /// addresses is worth nothing here. A refresh token is told of only to whoever says that it
    /// is one: a service that asks about what a request showed must not take it for an access
    /// token.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Lacking`] without `keystile.keys.verify`; [`ServiceError::Lookup`] if nobody
    /// can say.
    pub async fn introspect(
        &self,
        caller: &Caller,
        token: &str,
        is_refresh_token: bool,
    ) -> Result<Option<ActiveToken>, ServiceError> {
        caller.require(Power::KeysVerify)?;
        let Some(text) = CredentialText::parse(token) else { return Ok(None) };
        if is_refresh_token
            && let CredentialText::Secret(secret) = &text
            && let Some(refresh) = self.find_active_refresh_token(secret).await?
        {
            return Ok(Some(refresh));
        }
        let deciding = self.verifier.begin();
        let (credential, claims) = match self.identify_for_others(&deciding, &text).await {
            Ok(identified) => identified,
            Err(Rejection::Outdated) => return Err(ServiceError::Behind),
            Err(Rejection::Store(error)) => return Err(error.into()),
            Err(_) => return Ok(None),
        };
        match self.judge(&credential, &Context::default(), self.clock.now()) {
            Decision::Allow(_) => Ok(Some(self.told(&credential, claims))),
            Decision::Deny(_) => Ok(None),
        }
    }

    async fn find_active_refresh_token(
        &self,
        secret: &Secret,
    ) -> Result<Option<ActiveToken>, ServiceError> {
        let mut conn = self.store.read().await?;
        let Some((_, token)) = self.find_refresh_token(&mut conn, secret).await? else {
            return Ok(None);
        };
        let (now, end) = (self.clock.now(), Expiry::At(token.ends_at));
        if !token.current || end.is_over(now) {
            return Ok(None);
        }
        let Some(session) = of_session(&mut conn, token.session).await? else { return Ok(None) };
        let session = Credential { expiry: session.expiry.min(end), ..session };
        match decide(&Arc::new(session), &Context::default(), now) {
            Decision::Allow(grant) => {
                let told = self.told(grant.credential(), None);
                Ok(Some(ActiveToken { is_refresh_token: true, ..told }))
            }
            Decision::Deny(_) => Ok(None),
        }
    }

    /// As [`identify`](Self::identify), but a token of ours may be addressed to anybody.
    async fn identify_for_others(
        &self,
        deciding: &Deciding<'_>,
        text: &CredentialText,
    ) -> Result<(Arc<Credential>, Option<Claims>), Unidentified> {
        if let CredentialText::Jwt(jwt) = text {
            let unverified = Unverified::parse(jwt).map_err(Rejection::Untrusted)?;
            if unverified.unverified_issuer() == self.issuer {
                let (own, claims) = self.verify_own(jwt, Audience::Anybody).await?;
                let credential = self.resolve(&ProvenToken::Own(Arc::new(own))).await?;
                return Ok((credential, Some(claims)));
            }
        }
        let (credential, proven) = self.identify(deciding, text).await?;
        Ok((
            credential,
            match proven {
                Some(ProvenToken::Foreign(token)) => Some(token.claims.clone()),
                _ => None,
            },
        ))
    }

    fn told(&self, credential: &Credential, claims: Option<Claims>) -> ActiveToken {
        let told = ActiveToken {
            scopes: credential.rights.permissions.clone(),
            credential: credential.id.to_string(),
            username: credential.principal.name.to_string(),
            subject: credential.principal.id.to_string(),
            issuer: self.issuer.clone(),
            audiences: vec![self.issuer.clone()],
            ends_at: credential.end().at(),
            issued_at: None,
            id: None,
            is_refresh_token: false,
        };
        let Some(claims) = claims else { return told };
        let end = credential.end().min(Expiry::At(claims.expires_at()));
        ActiveToken {
            subject: claims.subject().to_owned(),
            issuer: claims.issuer().to_owned(),
            audiences: claims.audiences().map(str::to_owned).collect(),
            ends_at: end.at(),
            issued_at: claims.issued_at(),
            id: claims.id().map(str::to_owned),
            ..told
        }
    }
}
