//! Replacing one's own password.

use actix_web::{HttpResponse, put, web};
use keystile_api::auth::{PasswordChange as ChangeBody, PasswordChanged as View, TokenLeft};
use keystile_service::passwords::Password;
use keystile_service::sign_in::{PasswordChange, PasswordChanged};
use secrecy::SecretString;

use crate::answer::{Answer, respond};
use crate::authorized::{Anybody, Authorized};
use crate::body::Body;
use crate::error::ApiError;
use crate::fields::Fields;
use crate::params::{ChangeParams, Params};
use crate::replays::plain;
use crate::state::State;

/// Replace one's password
///
/// Only for somebody who signed in with it, and only with the present one; a wrong one counts as a
/// failed sign-in. All other sessions end. One's personal access tokens go on working, unless
/// `revoke_tokens` says otherwise; the answer names those that do.
#[utoipa::path(
    tag = "me",
    params(ChangeParams),
    request_body = ChangeBody,
    responses((status = 200, description = "The password is replaced.", body = View)),
)]
#[put("/me/password")]
pub(super) async fn change_password(
    authorized: Authorized<Anybody>,
    Params(params): Params<ChangeParams>,
    body: Body<ChangeBody>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let ChangeBody { current_password, new_password, revoke_tokens } = body.value;
    let current = SecretString::from(current_password);
    let new_password = zeroize::Zeroizing::new(new_password);
    let mut fields = Fields::default();
    let new = fields.read("/new_password", new_password.parse::<Password>());
    let change = fields.finish(new.map(|new| PasswordChange { current, new, revoke_tokens }))?;
    let keystile = &state.keystile;
    let changed = keystile.change_password(authorized.caller(), change, plain(&params)).await?;
    respond(changed, shown, shown)
}

fn shown(changed: &PasswordChanged) -> Answer {
    let left = changed.tokens_left.iter();
    Answer::ok(&View {
        sessions_ended: changed.sessions_ended,
        tokens_revoked: changed.tokens_revoked,
        tokens_left: left
            .map(|token| TokenLeft { id: token.id.as_uuid(), name: token.name.to_string() })
            .collect(),
    })
}
