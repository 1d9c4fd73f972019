//! Whoever shows many credentials that are refused has to wait, before anything is looked up.

use std::future::Future;
use std::net::IpAddr;

use keystile_api::problem::ErrorCode;

use super::seconds;
use crate::error::ApiError;
use crate::state::State;

/// Judges the credential that a request from `address` shows, unless the address has to wait; if it
/// is refused, that is counted.
///
/// A trusted proxy is never kept waiting: behind it are others.
pub(crate) async fn guarded<T>(
    state: &State,
    address: IpAddr,
    judge: impl Future<Output = Result<T, ApiError>>,
) -> Result<T, ApiError> {
    if state.trusted_proxies.contains(address) {
        return judge.await;
    }
    if let Some(wait) = state.keystile.must_wait(address) {
        let error = ApiError::new(ErrorCode::TooManyAttempts);
        return Err(ApiError { retry_after: Some(seconds(wait)), ..error });
    }
    let judged = judge.await;
    if judged.as_ref().is_err_and(is_refusal) {
        state.keystile.count_failure(address);
    }
    judged
}

/// Whether the credential itself was refused. OAuth says so of a subject token with 400.
fn is_refusal(error: &ApiError) -> bool {
    error.code.status() == 401 || error.word == Some("invalid_grant")
}
