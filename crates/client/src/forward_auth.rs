//! What a gateway asks before it lets a request through, asked of the caller's own credential: would
//! it be let through?

use reqwest::header::HeaderName;

use crate::call::Call;
use crate::error::text;
use crate::repeat::Repeat;
use crate::{Client, Error, Result, operations};

/// The question of a gateway. It is asked as Traefik asks it.
#[derive(Clone, Debug)]
pub struct ForwardAuth(pub(crate) Client);

/// What a gateway is told of a request that may pass.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Passage {
    /// Who the request acts as: an id.
    pub principal: String,
    /// Their name, percent-encoded.
    pub principal_name: String,
    /// The id of the credential that it came with.
    pub credential_id: String,
    /// The names of the roles, percent-encoded, divided by commas.
    pub roles: String,
    /// The permissions, divided by commas.
    pub permissions: String,
    /// The path and query without credentials.
    pub uri: String,
}

impl ForwardAuth {
    /// Whether the roles of the credential open an endpoint: `GET` and `/billing/v1/invoices`, say.
    pub async fn by_endpoint(&self, method: &str, uri: &str) -> Result<Passage> {
        let call = self.0.call(operations::ask_by_endpoint, &[&GATEWAY]);
        passage(call.header(METHOD, method).header(URI, uri)).await
    }

    /// Whether the credential holds a permission, whatever the endpoint.
    pub async fn by_permission(
        &self,
        permission: &str,
        method: &str,
        uri: &str,
    ) -> Result<Passage> {
        let call = self.0.call(operations::ask_by_permission, &[&GATEWAY, &permission]);
        passage(call.header(METHOD, method).header(URI, uri)).await
    }
}

async fn passage(call: Call) -> Result<Passage> {
    // That a limit is used up is the answer.
    let heard = call.repeat(Repeat::Never).hear(&mut false).await?;
    let told = |name: &'static str| {
        let value = text(&heard.headers, &HeaderName::from_static(name)).map(str::to_owned);
        value.ok_or(Error::not_keystile())
    };
    Ok(Passage {
        principal: told("x-keystile-principal")?,
        principal_name: told("x-keystile-principal-name")?,
        credential_id: told("x-keystile-credential-id")?,
        roles: told("x-keystile-roles")?,
        permissions: told("x-keystile-permissions")?,
        uri: told("x-keystile-uri")?,
    })
}

const GATEWAY: &str = "traefik";
const METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
const URI: HeaderName = HeaderName::from_static("x-forwarded-uri");
