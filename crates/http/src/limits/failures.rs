//! Whoever shows many credentials that are refused has to wait, before anything is looked up.

use std::net::IpAddr;

use keystile_api::problem::ErrorCode;

use super::seconds;
use crate::error::ApiError;
use crate::state::State;

/// A credential that an address shows, before and after it is judged.
///
/// It holds no future of the judging: one that is handed over is moved, and those are large.
pub(crate) struct Attempt<'s> {
    state: &'s State,
    /// Whose it counts as; `None`: a trusted proxy is never kept waiting, behind it are others.
    address: Option<IpAddr>,
}

impl<'s> Attempt<'s> {
    /// Lets an address show a credential, unless it has to wait.
    pub(crate) fn begin(state: &'s State, address: IpAddr) -> Result<Self, ApiError> {
        let address = Some(address).filter(|address| !state.trusted_proxies.contains(*address));
        match address.and_then(|address| state.keystile.must_wait(address)) {
            Some(wait) => {
                let error = ApiError::new(ErrorCode::TooManyAttempts);
                Err(ApiError { retry_after: Some(seconds(wait)), ..error })
            }
            None => Ok(Self { state, address }),
        }
    }

    /// Counts it, if what was judged is refused.
    pub(crate) fn end<T>(self, judged: Result<T, ApiError>) -> Result<T, ApiError> {
        if let Some(address) = self.address
            && judged.as_ref().is_err_and(is_refusal)
        {
            self.state.keystile.count_failure(address);
        }
        judged
    }
}

/// Whether the credential itself was refused. OAuth says so of a subject token with 400.
fn is_refusal(error: &ApiError) -> bool {
    error.code.status() == 401 || error.word == Some("invalid_grant")
}
