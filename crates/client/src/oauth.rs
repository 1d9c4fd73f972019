//! The endpoints of OAuth: trading a credential for a JWT, and asking about tokens or ending them.

use keystile_api::oauth::{Introspection, TokenAnswer, TokenForm, TokenRequest};

use crate::repeat::Repeat;
use crate::{Client, Result, operations};

/// The OAuth endpoints of a server.
#[derive(Clone, Debug)]
pub struct OAuth(pub(crate) Client);

impl OAuth {
    /// Trades a credential for a JWT (RFC 6749, section 4.4; RFC 8693). What is traded stands in
    /// the request: the client's own credential is not shown.
    pub async fn token(&self, asked: &TokenRequest) -> Result<TokenAnswer> {
        let call = self.0.anonymous().call(operations::issue_token, &[]);
        call.form(&form(asked)).repeat(Repeat::Always).read().await
    }

    /// What a token is worth (RFC 7662).
    pub async fn introspect(&self, asked: &TokenForm) -> Result<Introspection> {
        let call = self.0.call(operations::introspect_token, &[]);
        call.form(asked).repeat(Repeat::Always).read().await
    }

    /// Ends a token (RFC 7009). One that is not known is no error.
    pub async fn revoke(&self, token: &TokenForm) -> Result<()> {
        let call = self.0.call(operations::revoke_token, &[]);
        call.form(token).repeat(Repeat::Always).done().await
    }
}

/// A form in which a name may stand several times.
fn form(asked: &TokenRequest) -> Vec<(&'static str, &str)> {
    let once = [
        ("grant_type", Some(&asked.grant_type)),
        ("client_id", asked.client_id.as_ref()),
        ("client_secret", asked.client_secret.as_ref()),
        ("subject_token", asked.subject_token.as_ref()),
        ("subject_token_type", asked.subject_token_type.as_ref()),
        ("requested_token_type", asked.requested_token_type.as_ref()),
        ("scope", asked.scope.as_ref()),
    ];
    let once = once.into_iter().filter_map(|(name, value)| Some((name, value?.as_str())));
    let audiences = asked.audience.iter().map(|audience| ("audience", audience.as_str()));
    let resources = asked.resource.iter().map(|resource| ("resource", resource.as_str()));
    once.chain(audiences).chain(resources).collect()
}
