//! Checking a credential on behalf of somebody who serves its holder.

mod parse;
mod view;

use actix_web::{HttpResponse, post, web};
use keystile_api::problem::ErrorCode;
use keystile_api::verify::{Verdict as View, Verdicts, VerifyBatch, VerifyRequest};
use keystile_domain::Rule;
use keystile_service::ServiceError;
use keystile_service::verify::Ending;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::authorized::{Authorized, KeysVerify};
use crate::body::{BatchBody, Body};
use crate::errors::ApiError;
use crate::params::{NoParams, Params};
use crate::state::State;

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(verify_credential).service(verify_credentials);
}

/// Check a credential
///
/// Always 200, with `valid` and a `code`; with `"strict": true` a refusal is answered with its own
/// status and a problem document of that code. A rule whose input is not given is not asked, except
/// that a key with `allowed_ips` is refused without `ip`.
#[utoipa::path(
    tag = "verify",
    request_body = VerifyRequest,
    responses((status = 200, description = "Whether it may.", body = View)),
)]
#[post("/verify")]
async fn verify_credential(
    authorized: Authorized<KeysVerify>,
    _: Params<NoParams>,
    body: Body<VerifyRequest>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let strict = body.value.strict;
    let asked = body.value.endpoint.clone();
    let question = parse::question(body.value, "")?;
    let verdict = state.keystile.verify(authorized.caller(), &question).await?;
    if strict && !matches!(verdict.ending, Ending::Valid(_)) {
        return Err(refused(&verdict.ending));
    }
    Ok(HttpResponse::Ok().json(view::verdict(verdict, asked)))
}

/// Check many credentials
///
/// Answered in the order of the questions.
#[utoipa::path(
    tag = "verify",
    request_body = VerifyBatch,
    responses((status = 200, description = "Whether each of them may.", body = Verdicts)),
)]
#[post("/verify/batch")]
async fn verify_credentials(
    authorized: Authorized<KeysVerify>,
    _: Params<NoParams>,
    BatchBody(body): BatchBody<VerifyBatch>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let checks = body.value.checks;
    if checks.is_empty() || checks.len() > MAX_CHECKS {
        let rule = format_args!("must have from 1 to {MAX_CHECKS} items");
        return Err(ServiceError::broken("/checks", rule).into());
    }
    let mut data = Vec::with_capacity(checks.len());
    for (at, check) in checks.into_iter().enumerate() {
        let at = format!("/checks/{at}");
        if check.strict {
            let rule = "is not for batches: one answer has one status";
            return Err(ServiceError::broken(format!("{at}/strict"), rule).into());
        }
        let asked = check.endpoint.clone();
        let question = parse::question(check, &at)?;
        let verdict = state.keystile.verify(authorized.caller(), &question).await?;
        data.push(view::verdict(verdict, asked));
    }
    Ok(HttpResponse::Ok().json(Verdicts { data }))
}

/// A strict refusal: the caller may know the reason, so the problem names it.
fn refused(ending: &Ending) -> ApiError {
    let code = match ending {
        Ending::Denied(Rule::IpAllowed, _) => ErrorCode::IpNotAllowed,
        Ending::Denied(Rule::PermissionsHeld, _) => ErrorCode::InsufficientPermissions,
        Ending::Denied(Rule::EndpointAllowed, _) => ErrorCode::EndpointNotAllowed,
        _ => ErrorCode::CredentialRefused,
    };
    ApiError { word: Some(view::code(ending)), ..ApiError::new(code) }
}

const MAX_CHECKS: usize = 1_000;
