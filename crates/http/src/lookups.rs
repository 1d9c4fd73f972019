//! Looking a credential up for a verifier that judges it by itself.

use actix_web::{HttpResponse, post, web};
use keystile_api::lookups::{
    CredentialFacts, Lookup as View, LookupRequest, PlaceFacts, ProviderFacts, RoleFacts,
};
use keystile_domain::{
    Credential, CredentialText, Fingerprint, FingerprintError, KeySettings, Provider,
    ProviderSettings, Role,
};
use keystile_service::lookups::{Absent, Known, Lookup, Shown};
use zeroize::Zeroizing;

use crate::answer::json;
use crate::authorized::{Authorized, KeysVerify};
use crate::body::Body;
use crate::error::ApiError;
use crate::fields::Fields;
use crate::limits::rate_limit_views;
use crate::me::{credential_view, principal_view, texts};
use crate::params::{NoParams, Params};
use crate::roles::endpoint_rule;
use crate::routing::Routing;
use crate::state::State;
use crate::verify::deletion;

pub(crate) fn routes(routing: &mut Routing<'_>) {
    routing.service(look_credential_up);
}

/// Look a credential up
///
/// Everything that a decision about it depends on, for a verifier that decides by itself. It is
/// asked by the fingerprint of a key, so that the key itself need not travel; nothing is judged, and
/// nothing counted.
#[utoipa::path(tag = "verify", request_body = LookupRequest, responses(
    (status = 200, description = "What is known of it.", body = View<'_>),
))]
#[post("/credentials/lookup")]
async fn look_credential_up(
    authorized: Authorized<KeysVerify>,
    _: Params<NoParams>,
    body: Body<LookupRequest>,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let LookupRequest { fingerprint, credential } = body.value;
    let mut fields = Fields::default();
    if fingerprint.is_none() && credential.is_none() {
        fields.refuse("/fingerprint", "is required, unless the credential itself is given");
    }
    let shown = shown(&mut fields, fingerprint, credential);
    let shown = fields.finish(shown)?;
    let lookup = state.keystile.look_up(authorized.caller(), &shown).await?;
    Ok(json(&view(&lookup)))
}

/// Reads by what a credential is asked about.
pub(crate) fn shown(
    fields: &mut Fields,
    fingerprint: Option<String>,
    credential: Option<String>,
) -> Option<Shown> {
    let rule = |_: FingerprintError| "must be 64 hexadecimal digits";
    match (fingerprint, credential) {
        (Some(text), None) => {
            let fingerprint =
                fields.read("/fingerprint", text.parse::<Fingerprint>().map_err(rule));
            fingerprint.map(Shown::Fingerprint)
        }
        (None, Some(text)) => Some(Shown::Text(CredentialText::parse(&Zeroizing::new(text)))),
        (None, None) => {
            fields.refuse("/credential", "is required");
            None
        }
        (Some(_), Some(_)) => {
            fields.refuse("/credential", "must not come with its fingerprint");
            fields.refuse("/fingerprint", "must not come with the credential itself");
            None
        }
    }
}

fn view(lookup: &Lookup) -> View<'_> {
    let view =
        View { code: String::new(), position: lookup.position.0, facts: None, deleted: None };
    let bare = |code: &str| View { code: code.to_owned(), ..view.clone() };
    match &lookup.known {
        Known::Credential(credential) => {
            View { facts: Some(facts(credential, lookup.token_id.clone())), ..bare("found") }
        }
        Known::Absent(Absent::Deleted(tombstone)) => {
            View { deleted: Some(deletion(tombstone)), ..bare("deleted") }
        }
        Known::Absent(Absent::Expired) => bare("expired"),
        Known::Absent(Absent::Malformed) => bare("malformed"),
        Known::Absent(Absent::NotFound) => bare("not_found"),
        Known::Absent(Absent::SecretRequired) => bare("secret_required"),
    }
}

fn facts(credential: &Credential, token_id: Option<String>) -> CredentialFacts<'_> {
    CredentialFacts {
        credential: credential_view(credential),
        token_id,
        principal: principal_view(&credential.principal),
        enabled: credential.enabled,
        owner_enabled: credential.owner_enabled,
        secret_expires_at: credential.secret_expiry.at().map(|at| at.to_string()),
        allowed_ips: credential.allowed_ips.iter().map(ToString::to_string).collect(),
        rate_limits: rate_limit_views(&credential.limits.rates),
        has_quota: credential.limits.quota.is_some(),
        provider: provider(&credential.provider),
        roles: credential.roles.iter().map(role).collect(),
    }
}

fn provider(provider: &Provider) -> ProviderFacts {
    ProviderFacts {
        id: provider.id.as_uuid(),
        identifier: provider.identifier.to_string(),
        name: provider.name.to_string(),
        enabled: provider.enabled,
        allow_insecure_http: provider.allow_insecure_http,
        places: match &provider.settings {
            ProviderSettings::Keys(keys) => Some(places(keys)),
            _ => None,
        },
    }
}

fn places(keys: &KeySettings) -> PlaceFacts {
    let parameter = keys.query_parameter_name.as_str().to_owned();
    PlaceFacts {
        header_name: keys.header_name.as_str().to_owned(),
        accept_bearer: keys.accept_bearer,
        query_parameter_name: keys.allow_query_string.then_some(parameter),
    }
}

fn role(role: &Role) -> RoleFacts {
    RoleFacts {
        id: role.id.0,
        name: role.name.to_string(),
        permissions: texts(&role.permissions),
        endpoints: role.endpoints.iter().map(endpoint_rule).collect(),
    }
}
