//! Why a request is not let in: all that a check can end with but a grant, for whoever answers and
//! whoever logs.

use std::error::Error;
use std::time::Duration;

use keystile_domain::{Denial, Permission, Rule};

use crate::problem::{self, Problem};
use crate::{OriginError, Refusal, Rejection};

/// Why a request is not let in. It never holds the credential.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// It shows no credential.
    #[error("the request shows no credential")]
    Absent,
    /// A rule said no.
    #[error("the rule {} refuses {}", denial.rule(), denial.credential().id)]
    #[non_exhaustive]
    Denied {
        /// Which one, and to which credential.
        denial: Denial,
        /// The permissions that are asked and not held: the smallest grant that would do.
        missing: Vec<Permission>,
    },
    /// A limit of the credential is used up.
    #[error("the {limit:?} limit of the credential is used up")]
    #[non_exhaustive]
    Exceeded {
        /// Which kind of limit.
        limit: UsedUp,
        /// When to try again.
        retry_after: Duration,
    },
    /// It cannot be told where the request comes from.
    #[error(transparent)]
    Origin(#[from] OriginError),
    /// What it shows cannot be understood as one credential.
    #[error(transparent)]
    Presented(#[from] Refusal),
    /// Nobody can say at the moment: an outage, which says nothing about the credential.
    #[error("the credential could not be checked")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// There is no such credential, or none any more.
    #[error("the credential is not valid")]
    Unknown(#[source] Box<dyn Error + Send + Sync>),
}

/// Which kind of limit is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UsedUp {
    /// The limit in number.
    Quota,
    /// A limit in time.
    Rate,
}

impl Refused {
    /// A limit is used up until then.
    #[must_use]
    pub const fn exceeded(limit: UsedUp, retry_after: Duration) -> Self {
        Self::Exceeded { limit, retry_after }
    }

    /// What the client is told: unknown, malformed, disabled, expired and deleted look alike to it.
    #[must_use]
    pub fn problem(&self) -> Problem {
        match self {
            Self::Absent => problem::MISSING_CREDENTIAL.into(),
            Self::Denied { denial, missing } => denied(denial.rule(), missing),
            Self::Exceeded { limit, retry_after } => {
                let kind = match limit {
                    UsedUp::Quota => problem::QUOTA_EXCEEDED,
                    UsedUp::Rate => problem::RATE_LIMITED,
                };
                Problem::from(kind).retry_after(*retry_after)
            }
            Self::Origin(_) => problem::BAD_REQUEST.into(),
            Self::Presented(Refusal::Ambiguous) => problem::AMBIGUOUS_CREDENTIALS.into(),
            Self::Presented(Refusal::Malformed(_)) | Self::Unknown(_) => {
                problem::INVALID_CREDENTIAL.into()
            }
            Self::Unavailable(_) => {
                Problem::from(problem::UNAVAILABLE).retry_after(Duration::from_secs(1))
            }
        }
    }
}

impl<E: Error + Send + Sync + 'static> From<Rejection<E>> for Refused {
    fn from(rejection: Rejection<E>) -> Self {
        match rejection {
            Rejection::Outdated | Rejection::Store(_) => Self::Unavailable(rejection.into()),
            Rejection::Deleted(_)
            | Rejection::Malformed(_)
            | Rejection::NotFound
            | Rejection::Untrusted(_) => Self::Unknown(rejection.into()),
        }
    }
}

fn denied(rule: Rule, missing: &[Permission]) -> Problem {
    match rule {
        Rule::IpAllowed => problem::IP_NOT_ALLOWED.into(),
        Rule::TransportSecure => problem::INSECURE_TRANSPORT.into(),
        Rule::PermissionsHeld => {
            let missing: Vec<_> = missing.iter().map(ToString::to_string).collect();
            let detail = format!("The credential lacks {}.", missing.join(" and "));
            Problem::from(problem::INSUFFICIENT_PERMISSIONS).detail(detail)
        }
        Rule::EndpointAllowed => problem::ENDPOINT_NOT_ALLOWED.into(),
        Rule::Enabled
        | Rule::NotExpired
        | Rule::OwnerEnabled
        | Rule::ProviderEnabled
        | Rule::SourceAllowed => problem::INVALID_CREDENTIAL.into(),
    }
}
