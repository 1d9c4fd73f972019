//! Tokens as they are shown.

use keystile_api::tokens::{IssuedToken as IssuedView, LiveToken, Token as View};
use keystile_domain::Token;
use keystile_service::tokens::{IssuedToken, ShownToken};

use crate::answer::Answer;
use crate::me::{principal_view, texts};

pub(super) fn token(shown: &ShownToken) -> View {
    let token = &shown.token;
    View {
        id: token.id.as_uuid(),
        name: token.name.to_string(),
        description: token.description.as_ref().map(ToString::to_string),
        owner_id: token.owner.as_uuid(),
        provider: shown.provider.to_string(),
        key_prefix: token.key_prefix.clone(),
        scopes: token.scopes.as_ref().map(texts),
        expires_at: token.expiry.at().map(|at| at.to_string()),
        last_used_at: shown.last_used_at.map(|at| at.to_string()),
        created_by: token.created_by.as_ref().map(|by| principal_view(by).into_owned()),
        created_at: token.created_at.to_string(),
        updated_at: token.updated_at.to_string(),
    }
}

/// A token that stands in the way of deleting its owner.
pub(crate) fn live_token(token: &Token) -> LiveToken {
    LiveToken {
        id: token.id.as_uuid(),
        name: token.name.to_string(),
        key_prefix: token.key_prefix.clone(),
        expires_at: token.expiry.at().map(|at| at.to_string()),
    }
}

pub(super) fn created(issued: &IssuedToken) -> Answer {
    let token = &issued.shown.token;
    created_at(format!("/api/v1/users/{}/tokens/{}", token.owner, token.id), issued)
}

pub(super) fn created_own(issued: &IssuedToken) -> Answer {
    created_at(format!("/api/v1/me/tokens/{}", issued.shown.token.id), issued)
}

pub(super) fn rotated(issued: &IssuedToken) -> Answer {
    Answer::ok(&with_secret(issued)).version(issued.shown.token.version)
}

pub(super) fn shown(shown: &ShownToken) -> Answer {
    Answer::ok(&token(shown)).version(shown.token.version)
}

fn created_at(location: String, issued: &IssuedToken) -> Answer {
    Answer::created(location, &with_secret(issued)).version(issued.shown.token.version)
}

/// The one view that has a secret in it.
fn with_secret(issued: &IssuedToken) -> IssuedView {
    IssuedView { shown: token(&issued.shown), token: Some(issued.secret.expose().to_owned()) }
}
