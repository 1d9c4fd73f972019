//! Checking a credential on behalf of somebody who serves its holder.

mod parse;
mod view;

use actix_web::{HttpResponse, post, web};
use keystile_api::problem::ErrorCode;
use keystile_api::verify::{Verdict as View, Verdicts, VerifyBatch, VerifyRequest};
use keystile_domain::Rule;
use keystile_service::ServiceError;
use keystile_service::verify::{Ending, Verdict};

use crate::answer::json;
use crate::authorized::{Authorized, KeysVerify};
use crate::body::{BatchBody, Body};
use crate::error::ApiError;
use crate::params::{NoParams, Params};
use crate::routing::Routing;
use crate::state::State;

pub(crate) use view::deletion;

pub(crate) fn routes(routing: &mut Routing<'_>) {
    routing.service(verify_credential).service(verify_credentials);
}

/// Check a credential
///
/// Always 200, with `valid` and a `code`; with `"strict": true` a refusal is answered with its own
/// status and a problem document of that code. A rule whose input is not given is not asked, except
/// that a key with `allowed_ips` is refused without `ip`.
#[utoipa::path(
    tag = "verify",
    request_body = VerifyRequest,
    responses((status = 200, description = "Whether it may.", body = View<'_>)),
)]
#[post("/verify")]
async fn verify_credential(
    authorized: Authorized<KeysVerify>,
    _: Params<NoParams>,
    body: Body<VerifyRequest>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    answer(&state, &authorized, body.value).await
}

/// Whether what is asked about may.
pub(crate) async fn answer(
    state: &State,
    authorized: &Authorized<KeysVerify>,
    asked: VerifyRequest,
) -> Result<HttpResponse, ApiError> {
    let strict = asked.strict;
    let endpoint = asked.endpoint.clone();
    let question = parse::question(asked, "")?;
    let verdict = state.keystile.verify(authorized.caller(), &question).await?;
    if strict && !matches!(verdict.ending, Ending::Valid(..)) {
        return Err(refused(&verdict));
    }
    Ok(json(&view::verdict(&verdict, endpoint)))
}

/// Check many credentials
///
/// Answered in the order of the questions.
#[utoipa::path(
    tag = "verify",
    request_body = VerifyBatch,
    responses((status = 200, description = "Whether each of them may.", body = Verdicts<'_>)),
)]
#[post("/verify/batch")]
async fn verify_credentials(
    authorized: Authorized<KeysVerify>,
    _: Params<NoParams>,
    batch: BatchBody<VerifyBatch>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let checks = batch.body.value.checks;
    if checks.is_empty() || checks.len() > MAX_CHECKS {
        let rule = format_args!("must have from 1 to {MAX_CHECKS} items");
        return Err(ServiceError::broken("/checks", rule).into());
    }
    // All of them are read before the first is looked up.
    let questions = checks.into_iter().enumerate().map(|(at, check)| {
        let at = format!("/checks/{at}");
        if check.strict {
            let rule = "is not for batches: one answer has one status";
            return Err(ServiceError::broken(format!("{at}/strict"), rule));
        }
        Ok((check.endpoint.clone(), parse::question(check, &at)?))
    });
    let questions = questions.collect::<Result<Vec<_>, _>>()?;
    let mut verdicts = Vec::with_capacity(questions.len());
    for (asked, question) in questions {
        let verdict = state.keystile.verify(authorized.caller(), &question).await?;
        verdicts.push((verdict, asked));
    }
    let data = verdicts.iter_mut().map(|(verdict, asked)| view::verdict(verdict, asked.take()));
    Ok(json(&Verdicts { data: data.collect() }))
}

/// A strict refusal: the caller may know the reason, so the problem names it.
fn refused(verdict: &Verdict) -> ApiError {
    let code = match &verdict.ending {
        Ending::Exceeded(exceeded, _) => return exceeded.into(),
        Ending::Denied(Rule::IpAllowed, _) => ErrorCode::IpNotAllowed,
        Ending::Denied(Rule::PermissionsHeld, _) => ErrorCode::InsufficientPermissions,
        Ending::Denied(Rule::EndpointAllowed, _) => ErrorCode::EndpointNotAllowed,
        _ => ErrorCode::CredentialRefused,
    };
    let error = ApiError { word: Some(verdict.ending.code()), ..ApiError::new(code) };
    if code != ErrorCode::InsufficientPermissions {
        return error;
    }
    let missing: Vec<_> = verdict.missing.iter().map(ToString::to_string).collect();
    error.detail(format!("The credential under test lacks {}.", missing.join(" and ")))
}

/// Where one is asked about.
pub(crate) const PATH: &str = "/api/v1/verify";
const MAX_CHECKS: usize = 1_000;
