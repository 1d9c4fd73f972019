//! Who asks: a credential that was judged, and where the request came from.

use std::net::IpAddr;
use std::sync::Arc;

use keystile_auth::{Presented, Rejection};
use keystile_domain::{
    Actor, Carrier, Context, Credential, CredentialText, Decision, Found, Grant, Pepper, Power,
    RequestId, Rights, Secret, Timestamp, Transport, decide,
};
use keystile_storage::{Conn, StoreError};
use uuid::Uuid;

use crate::token_proof::ProvenToken;
use crate::usage::UserAgent;
use crate::{Keystile, ServiceError, Unidentified};

/// How a request reached us.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Where it came from, past the proxies that are trusted.
    pub address: IpAddr,
    /// Whether somebody on the way could read it.
    pub transport: Transport,
    /// Its name.
    pub request_id: RequestId,
    /// What the client calls itself.
    pub user_agent: Option<UserAgent>,
}

/// Somebody who showed a valid credential.
#[derive(Clone, Debug)]
pub struct Caller {
    grant: Grant,
    text: Arc<CredentialText>,
    /// Where it rode; `None`: it authenticated a client of the OAuth endpoints.
    carrier: Option<Carrier>,
    /// What was proved of it, if it is a JWT.
    token: Option<ProvenToken>,
    origin: Origin,
}

impl Caller {
    /// The credential that they showed.
    #[must_use]
    pub fn credential(&self) -> &Credential {
        self.grant.credential()
    }

    /// Whether they hold a power over Keystile.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Lacking`] names it if not.
    pub fn require(&self, power: Power) -> Result<(), ServiceError> {
        require(&self.credential().rights, power)
    }

    pub(crate) fn text(&self) -> &CredentialText {
        &self.text
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) fn actor(&self) -> Actor {
        let credential = self.credential();
        Actor::Principal { principal: credential.principal.clone(), credential: credential.id }
    }

    /// Judges the credential once more, by what the database says now: between the beginning of a
    /// request and its change, the credential may have been ended or lost a role.
    pub(crate) async fn renewed(
        &self,
        conn: &mut Conn,
        pepper: &Pepper,
        now: Timestamp,
    ) -> Result<Arc<Credential>, ServiceError> {
        let credential = self.find_again(conn, pepper).await?;
        let credential = credential.ok_or(ServiceError::Unauthenticated)?;
        match decide(&credential, &context(self.carrier, &self.origin), now) {
            Decision::Allow(_) => Ok(credential),
            Decision::Deny(_) => Err(ServiceError::Unauthenticated),
        }
    }

    async fn find_again(
        &self,
        conn: &mut Conn,
        pepper: &Pepper,
    ) -> Result<Option<Arc<Credential>>, StoreError> {
        match (&self.token, self.text()) {
            (Some(token), _) => token.resolve(conn).await,
            (None, CredentialText::Secret(secret)) => {
                let found = conn.find_credential(&pepper.digest(&secret.fingerprint())).await?;
                Ok(match found {
                    Some(Found::Credential(credential)) => Some(credential),
                    _ => None,
                })
            }
            // Nobody is known by a JWT of which nothing was proved.
            (None, CredentialText::Jwt(_)) => Ok(None),
        }
    }
}

/// What is asked about the credential of a request.
fn context(carrier: Option<Carrier>, origin: &Origin) -> Context<'static> {
    Context {
        carrier,
        transport: Some(origin.transport),
        address: Some(origin.address),
        ..Context::default()
    }
}

pub(crate) fn require(rights: &Rights, power: Power) -> Result<(), ServiceError> {
    if rights.hold(power) { Ok(()) } else { Err(ServiceError::Lacking(power.permission())) }
}

/// Why a request has no caller.
#[derive(Debug)]
pub enum Refused {
    /// A rule said no.
    Denied(keystile_domain::Denial),
    /// There is nothing to judge.
    Rejected(Unidentified),
}

impl Keystile {
    /// Judges the credential of a request.
    ///
    /// # Errors
    ///
    /// [`Refused`] says why there is no caller; clients are told no more than that there is none.
    pub async fn authenticate(
        &self,
        presented: Presented,
        origin: Origin,
    ) -> Result<Caller, Refused> {
        let carrier = presented.carrier();
        self.admit(presented.text, Some(carrier), origin).await
    }

    /// Judges a client that shows its id and its secret (RFC 6749, section 2.3.1): the id of a key
    /// or token, and the key or token itself.
    ///
    /// # Errors
    ///
    /// [`Refused`] says why there is no caller.
    pub async fn authenticate_client(
        &self,
        id: Uuid,
        secret: Secret,
        origin: Origin,
    ) -> Result<Caller, Refused> {
        let caller = self.admit(CredentialText::Secret(secret), None, origin).await?;
        if caller.credential().id == id {
            Ok(caller)
        } else {
            Err(Refused::Rejected(Rejection::NotFound))
        }
    }

    /// Judges a credential; without a carrier by every rule but that one.
    pub(crate) async fn admit(
        &self,
        text: CredentialText,
        carrier: Option<Carrier>,
        origin: Origin,
    ) -> Result<Caller, Refused> {
        let identified = self.identify(&text).await;
        let (credential, token) = identified.map_err(Refused::Rejected)?;
        let (context, now) = (context(carrier, &origin), self.clock.now());
        match self.judge(&credential, &context, now, origin.user_agent.as_ref()) {
            Decision::Deny(denial) => Err(Refused::Denied(denial)),
            Decision::Allow(grant) => {
                Ok(Caller { grant, text: Arc::new(text), carrier, token, origin })
            }
        }
    }
}
