//! Checking a credential on behalf of somebody who serves its holder.

use std::net::IpAddr;
use std::sync::Arc;

use keystile_auth::{Rejection, TokenError};
use keystile_domain::{
    Carrier, Context, Cost, Credential, Endpoint, EndpointError, Outcome, Permission,
    PermissionQuery, Power, Rule, Seq, Source, Tombstone, Transport, explain,
};
use tracing::Instrument;
use tracing::field::Empty;

use crate::check::Checked;
use crate::limits::{Exceeded, LimitKind, Standing};
use crate::lookups::{Absent, Known, Lookup, Shown};
use crate::metrics::{UNAVAILABLE, Way};
use crate::spans::span;
use crate::usage::Seen;
use crate::{Caller, Keystile, ServiceError, Unidentified};

/// A question about a credential.
#[derive(Debug)]
pub struct Question {
    /// The credential.
    pub shown: Shown,
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
    /// What the check costs of each limit.
    pub cost: Cost,
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
    /// How every rule and limit went, in order, if that was asked and there was a credential to
    /// judge. Limits are asked last, and only if no rule has said no.
    pub rules: Option<Vec<(&'static str, Outcome)>>,
    /// Up to where in the feed every change is in the answer, if it was asked by fingerprint.
    pub position: Option<Seq>,
}

/// How a check ended.
#[derive(Debug)]
pub enum Ending {
    /// It belonged to a credential that was deleted.
    Deleted(Arc<Tombstone>),
    /// A rule said no.
    Denied(Rule, Arc<Credential>),
    /// A limit said no.
    Exceeded(Exceeded, Arc<Credential>),
    /// A token that has ended, by its own word.
    Expired,
    /// It cannot be a credential.
    Malformed,
    /// Nobody knows it.
    NotFound,
    /// It may be an imported key, which only the secret itself can show.
    SecretRequired,
    /// It may; its limits stand so.
    Valid(Arc<Credential>, Vec<Standing>),
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
        let span = span!("verify", "keystile.outcome" = Empty);
        // A future that is wrapped is moved, and this one is large: only for whoever traces.
        let answered = match span.is_disabled() {
            true => self.answer(question).await,
            false => Box::pin(self.answer(question)).instrument(span.clone()).await,
        };
        let outcome = answered.as_ref().map_or(UNAVAILABLE, |verdict| verdict.ending.code());
        span.record("keystile.outcome", outcome);
        self.checks.count(Way::Verify, outcome);
        answered
    }

    async fn answer(&self, question: &Question) -> Result<Verdict, ServiceError> {
        let deciding = self.verifier.begin();
        let (credential, position) = match &question.shown {
            Shown::Text(None) => return Ok(Ending::Malformed.into()),
            Shown::Text(Some(text)) => match self.identify(&deciding, text).await {
                Ok((credential, _)) => (credential, None),
                Err(rejection) => return Ok(Ending::from(Absent::of(rejection)?).into()),
            },
            Shown::Fingerprint(fingerprint) => {
                let Lookup { known, position, .. } =
                    Box::pin(self.find_by_fingerprint(fingerprint)).await?;
                match known {
                    Known::Credential(credential) => (credential, Some(position)),
                    Known::Absent(absent) => {
                        let position = Some(position);
                        return Ok(Verdict { position, ..Ending::from(absent).into() });
                    }
                }
            }
        };
        let context = question.context();
        let asked = question.permission.as_ref();
        let missing = asked.map(|query| query.missing(&credential.rights.permissions));
        let now = self.clock.now();
        let checked =
            self.check(&credential, &context, question.cost, now, Seen::Elsewhere(None)).await?;
        let rules = question.explain.then(|| {
            let rules = explain(&credential, &context, now);
            let limits = limit_outcomes(&credential, &checked);
            rules.map(|(rule, outcome)| (rule.as_str(), outcome)).chain(limits).collect()
        });
        let ending = match checked {
            Checked::Allow(_, standings) => Ending::Valid(credential, standings),
            Checked::Deny(denial) => Ending::Denied(denial.rule(), credential),
            Checked::Exceed(exceeded) => Ending::Exceeded(exceeded, credential),
        };
        Ok(Verdict { ending, missing: missing.unwrap_or_default(), rules, position })
    }
}

impl Ending {
    /// The word for it: the `code` of `/verify`, and what usage is counted by.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Valid(..) => VALID,
            Self::Exceeded(exceeded, _) => exceeded.limit.code(),
            Self::Expired => "expired",
            Self::Malformed => "malformed",
            Self::NotFound => "not_found",
            Self::SecretRequired => "secret_required",
            Self::Deleted(_) => "deleted",
            Self::Denied(rule, _) => refusal(*rule),
        }
    }
}

/// The word for the no of a rule.
pub(crate) fn refusal(rule: Rule) -> &'static str {
    match rule {
        Rule::Enabled => "disabled",
        Rule::NotExpired => "expired",
        Rule::ProviderEnabled => "provider_disabled",
        Rule::OwnerEnabled => "owner_disabled",
        Rule::SourceAllowed => "source_not_allowed",
        Rule::TransportSecure => "insecure_transport",
        Rule::IpAllowed => "ip_not_allowed",
        Rule::PermissionsHeld => "insufficient_permissions",
        Rule::EndpointAllowed => "endpoint_not_allowed",
    }
}

impl Question {
    fn context(&self) -> Context<'_> {
        Context {
            source: self.carrier.map(Source::from),
            transport: self.transport,
            address: self.address,
            permission: self.permission.as_ref(),
            endpoint: self.endpoint.as_ref().map(|endpoint| endpoint.as_ref().ok()),
        }
    }
}

impl From<Absent> for Ending {
    fn from(absent: Absent) -> Self {
        match absent {
            Absent::Deleted(tombstone) => Self::Deleted(tombstone),
            Absent::Expired => Self::Expired,
            Absent::Malformed => Self::Malformed,
            Absent::NotFound => Self::NotFound,
            Absent::SecretRequired => Self::SecretRequired,
        }
    }
}

impl From<Ending> for Verdict {
    fn from(ending: Ending) -> Self {
        Self { ending, missing: Vec::new(), rules: None, position: None }
    }
}

/// How the limits went, in the order in which they are asked after the rules.
fn limit_outcomes(credential: &Credential, checked: &Checked) -> [(&'static str, Outcome); 2] {
    let (quota, rates) = match checked {
        Checked::Allow(..) => (Outcome::Pass, Outcome::Pass),
        Checked::Deny(_) => (Outcome::Skip, Outcome::Skip),
        Checked::Exceed(exceeded) => match exceeded.limit {
            LimitKind::Quota => (Outcome::Fail, Outcome::Skip),
            LimitKind::Rate => (Outcome::Pass, Outcome::Fail),
        },
    };
    let limits = &credential.limits;
    let of = |there_is: bool, outcome| if there_is { outcome } else { Outcome::Skip };
    [
        ("quota", of(limits.quota.is_some(), quota)),
        ("rate_limits", of(!limits.rates.is_empty(), rates)),
    ]
}

/// The word for a credential that cannot be judged.
pub(crate) fn rejection(rejection: &Unidentified) -> &'static str {
    match rejection {
        Rejection::Deleted(_) => "deleted",
        Rejection::Malformed(_) => "malformed",
        Rejection::Untrusted(TokenError::Expired) => "expired",
        Rejection::Untrusted(TokenError::Claims | TokenError::Encoding | TokenError::Header) => {
            "malformed"
        }
        Rejection::NotFound | Rejection::Untrusted(_) => "not_found",
        Rejection::Outdated | Rejection::Store(_) => UNAVAILABLE,
    }
}

/// The word for a credential that may.
pub(crate) const VALID: &str = "valid";
