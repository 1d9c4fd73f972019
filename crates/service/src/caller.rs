//! Who asks: a credential that was judged, and where the request came from.

use std::net::IpAddr;
use std::sync::Arc;

use keystile_auth::{Presented, Rejection};
use keystile_domain::{
    Actor, Context, Credential, Decision, Found, Grant, Pepper, Power, RequestId, Rights, Secret,
    Timestamp, Transport, decide,
};
use keystile_storage::{Conn, StoreError};

use crate::{Keystile, ServiceError};

/// How a request reached us.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Where it came from, past the proxies that are trusted.
    pub address: IpAddr,
    /// Whether somebody on the way could read it.
    pub transport: Transport,
    /// Its name.
    pub request_id: RequestId,
}

/// Somebody who showed a valid credential.
#[derive(Clone, Debug)]
pub struct Caller {
    grant: Grant,
    presented: Arc<Presented>,
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

    pub(crate) fn secret(&self) -> &Secret {
        &self.presented.secret
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
        let digest = pepper.digest(&self.secret().fingerprint());
        let Some(Found::Credential(credential)) = conn.find_credential(&digest).await? else {
            return Err(ServiceError::Unauthenticated);
        };
        match decide(&credential, &context(&self.presented, &self.origin), now) {
            Decision::Allow(_) => Ok(credential),
            Decision::Deny(_) => Err(ServiceError::Unauthenticated),
        }
    }
}

/// What is asked about the credential of a request.
fn context(presented: &Presented, origin: &Origin) -> Context<'static> {
    Context {
        carrier: Some(presented.carrier()),
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
    Rejected(Rejection<StoreError>),
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
        let context = context(&presented, &origin);
        match self.verifier.check(&presented.secret, &context).await {
            Err(rejection) => Err(Refused::Rejected(rejection)),
            Ok(Decision::Deny(denial)) => Err(Refused::Denied(denial)),
            Ok(Decision::Allow(grant)) => {
                Ok(Caller { grant, presented: Arc::new(presented), origin })
            }
        }
    }
}
