//! Creating many keys at once.

use actix_web::{HttpResponse, post, web};
use keystile_api::api_keys::{
    BatchAnswer, IssuedApiKey as IssuedView, IssuedApiKeys, NewApiKeys, RefusedApiKey,
};
use keystile_service::ServiceError;
use keystile_service::api_keys::{BatchOutcome, IssuedApiKey};

use super::{parse, view};
use crate::answer::{Answer, respond};
use crate::authorized::{ApiKeysWrite, Authorized};
use crate::body::BatchBody;
use crate::error::ApiError;
use crate::params::{ChangeParams, Params};
use crate::replays::{Idempotency, IdempotencyParams};
use crate::state::State;

/// Create many keys
///
/// In one transaction, answered key by key in the order of the request: a key that breaks a rule is
/// refused alone. The answer is the only one that has the secrets.
#[utoipa::path(
    tag = "api-keys",
    params(
        ChangeParams,
        IdempotencyParams,
    ),
    request_body = NewApiKeys,
    responses((status = 200, description = "What became of each key.", body = IssuedApiKeys)),
)]
#[post("/api-keys/batch")]
pub(super) async fn create_api_keys(
    authorized: Authorized<ApiKeysWrite>,
    Params(params): Params<ChangeParams>,
    idempotency: Idempotency,
    batch: BatchBody<NewApiKeys>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let wanted = batch.body.value.api_keys;
    if wanted.is_empty() || wanted.len() > MAX_KEYS {
        let rule = format_args!("must have from 1 to {MAX_KEYS} items");
        return Err(ServiceError::broken("/api_keys", rule).into());
    }
    let options = idempotency.options(&params, batch.body.digest, |outcomes: &Vec<_>| {
        answer(outcomes, view::issued).to_bytes()
    });
    let drafts = wanted.into_iter().map(parse::draft).collect();
    let changed = state.keystile.create_api_keys(authorized.caller(), drafts, options).await?;
    respond(
        changed,
        |outcomes| answer(outcomes, view::issued),
        |outcomes| answer(outcomes, view::withheld),
    )
}

fn answer(outcomes: &[BatchOutcome], show: fn(&IssuedApiKey) -> IssuedView) -> Answer {
    let data: Vec<_> = outcomes
        .iter()
        .enumerate()
        .map(|(at, outcome)| match outcome {
            Ok(issued) => BatchAnswer::Created(Box::new(show(issued))),
            Err(error) => BatchAnswer::Refused(refused(at, error)),
        })
        .collect();
    let created = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    Answer::ok(&IssuedApiKeys {
        data,
        created: count(created),
        refused: count(outcomes.len() - created),
    })
}

fn refused(at: usize, error: &ServiceError) -> RefusedApiKey {
    let mut problem = ApiError::from(error).problem("");
    for error in &mut problem.errors {
        error.pointer = format!("/api_keys/{at}{}", error.pointer);
    }
    RefusedApiKey {
        status: problem.status,
        code: problem.code,
        detail: problem.detail,
        errors: problem.errors,
    }
}

const MAX_KEYS: usize = 10_000;
