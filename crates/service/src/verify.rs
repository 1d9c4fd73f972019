//! Checking a credential on behalf of somebody who serves its holder.

use std::net::IpAddr;
use std::sync::Arc;

use keystile_auth::Rejection;
use keystile_domain::{
    Carrier, Context, Credential, Decision, Endpoint, EndpointError, Outcome, Permission,
    PermissionQuery, Power, Rule, Secret, Tombstone, Transport, decide, explain,
};
use keystile_storage::StoreError;

use crate::{Caller, Keystile, ServiceError};

/// A question about a credential.
#[derive(Debug)]
pub struct Question {
    /// The credential; nothing if the text could not be one.
    pub secret: Option<Secret>,
    /// What it must be allowed.
    pub permission: Option<PermissionQuery>,
    /// The endpoint that it must open. One that cannot be read opens for nobody.
    pub endpoint: Option<Result<Endpoint, EndpointError>>,
    /// Where it rode.
    pub carrier: Option<Carrier>,
    /// How it travelled.
    pub transport: Option<Transport>,
    /// Where the request came from.
    pub address: Option<IpAddr>,
    /// Whether to say how every rule went.
    pub explain: bool,
}

/// The answer about a credential.
#[derive(Debug)]
pub struct Verdict {
    /// How it ended.
    pub ending: Ending,
    /// The permissions that were asked and are not held: the smallest grant that would do.
    pub missing: Vec<Permission>,
    /// How every rule went, in order, if that was asked and there was a credential to judge.
    pub rules: Option<Vec<(Rule, Outcome)>>,
}

/// How a check ended.
#[derive(Debug)]
pub enum Ending {
    /// It belonged to a credential that was deleted.
    Deleted(Arc<Tombstone>),
    /// A rule said no.
    Denied(Rule, Arc<Credential>),
    /// It cannot be a credential.
    Malformed,
    /// Nobody knows it.
    NotFound,
    /// It may.
    Valid(Arc<Credential>),
}

impl Keystile {
    /// Checks a credential.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Lacking`] without `keystile.keys.verify`; [`ServiceError::Store`] if nobody
    /// can say. A refusal is no error: it is the answer.
    pub async fn verify(
        &self,
        caller: &Caller,
        question: &Question,
    ) -> Result<Verdict, ServiceError> {
        caller.require(Power::KeysVerify)?;
        let Some(secret) = &question.secret else { return Ok(Ending::Malformed.into()) };
        let credential = match self.verifier.identify(secret).await {
            Ok(credential) => credential,
            Err(rejection) => return ending(rejection).map(Verdict::from),
        };
        let now = self.clock.now();
        let context = question.context();
        let rules = question.explain.then(|| explain(&credential, &context, now).collect());
        let asked = question.permission.as_ref();
        let missing = asked.map(|query| query.missing(&credential.rights.permissions));
        let ending = match decide(&credential, &context, now) {
            Decision::Allow(_) => Ending::Valid(credential),
            Decision::Deny(denial) => Ending::Denied(denial.rule(), credential),
        };
        Ok(Verdict { ending, missing: missing.unwrap_or_default(), rules })
    }
}

impl Question {
    fn context(&self) -> Context<'_> {
        Context {
            carrier: self.carrier,
            transport: self.transport,
            address: self.address,
            permission: self.permission.as_ref(),
            endpoint: self.endpoint.as_ref().map(|endpoint| endpoint.as_ref().ok()),
        }
    }
}

impl From<Ending> for Verdict {
    fn from(ending: Ending) -> Self {
        Self { ending, missing: Vec::new(), rules: None }
    }
}

fn ending(rejection: Rejection<StoreError>) -> Result<Ending, ServiceError> {
    match rejection {
        Rejection::Deleted(tombstone) => Ok(Ending::Deleted(tombstone)),
        Rejection::Malformed(_) => Ok(Ending::Malformed),
        Rejection::NotFound => Ok(Ending::NotFound),
        Rejection::Store(error) => Err(error.into()),
    }
}
