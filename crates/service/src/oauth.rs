//! What the OAuth endpoints do: trade a credential for an access token, tell about one, end one.
//!
//! The words for what went wrong are those of the RFCs; see [`Refusal`].

mod introspect;
mod revoke;
mod trade;

use keystile_auth::Rejection;
use keystile_domain::Permission;

use crate::{Refused, ServiceError};

pub use introspect::ActiveToken;
pub(crate) use trade::scopes_within;
pub use trade::{SubjectToken, Wish};

/// Why an OAuth request was not carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The client's id and secret are not those of a valid credential.
    #[error("the client could not be authenticated: {0}")]
    Client(String),
    /// A scope is no permission.
    #[error("a scope is no permission")]
    Scope,
    /// A permission is asked that the credential does not hold.
    #[error("the credential does not hold {0}")]
    ScopeBeyond(Permission),
    /// Something else than the credential's own rules stands in the way.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The token that is to be traded is not valid, or not of a kind that can be.
    #[error("the subject token is not accepted: {0}")]
    Subject(String),
    /// The token is of a kind that is not ours to end.
    #[error("tokens of other issuers are not ours to end")]
    TokenType,
    /// The token is not the caller's to end.
    #[error("the token is not the caller's to end")]
    Unauthorized,
}

/// From a refusal of the credential itself, for which the request has a word of its own.
fn refused(refused: Refused, word: fn(String) -> Refusal) -> Refusal {
    match refused {
        Refused::Denied(denial) => {
            word(format!("the rule {} refuses {}", denial.rule(), denial.credential().id))
        }
        Refused::Exceeded(exceeded) => ServiceError::Exceeded(Box::new(exceeded)).into(),
        Refused::Rejected(Rejection::Outdated) => ServiceError::Behind.into(),
        Refused::Rejected(Rejection::Store(error)) => ServiceError::from(error).into(),
        Refused::Rejected(rejection) => word(rejection.to_string()),
    }
}
