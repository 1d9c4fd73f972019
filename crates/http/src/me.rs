//! Who a request acts as.

mod password;

use std::borrow::Cow;

use actix_web::{HttpResponse, get};
use keystile_api::me::{Credential as CredentialView, Me, Principal as PrincipalView, RoleName};
use keystile_domain::{Credential, PermissionSet, Principal, Role};

use crate::answer::json;
use crate::authorized::{Anybody, Authorized};
use crate::params::{NoParams, Params};
use crate::routing::Routing;

pub(crate) fn routes(routing: &mut Routing<'_>) {
    routing.service(show_me).service(password::change_password);
}

/// Who the request acts as
///
/// The principal, its roles and permissions, and the credential it came with.
#[utoipa::path(tag = "me", responses((status = 200, description = "Who it is.", body = Me<'_>)))]
#[get("/me")]
async fn show_me(authorized: Authorized<Anybody>, _: Params<NoParams>) -> HttpResponse {
    answer(&authorized)
}

/// Who somebody is.
pub(crate) fn answer(authorized: &Authorized<Anybody>) -> HttpResponse {
    let credential = authorized.caller().credential();
    json(&Me {
        principal: principal_view(&credential.principal),
        credential: credential_view(credential),
        roles: role_names(credential.whole_roles()),
        permissions: permission_texts(credential),
    })
}

pub(crate) fn principal_view(principal: &Principal) -> PrincipalView<'_> {
    PrincipalView {
        kind: principal.kind.as_str().into(),
        id: principal.id,
        name: principal.name.as_str().into(),
    }
}

pub(crate) fn credential_view(credential: &Credential) -> CredentialView<'_> {
    CredentialView {
        id: credential.id,
        kind: credential.kind.as_str().into(),
        name: credential.name.as_str().into(),
        key_prefix: credential.key_prefix.as_str().into(),
        expires_at: credential.end().at().map(|at| at.to_string()),
        scopes: credential.scopes.as_ref().map(shown),
        external_id: credential.external_id.as_ref().map(|id| id.as_str().into()),
        metadata: Cow::Borrowed(credential.metadata.as_map()),
    }
}

pub(crate) fn role_names(roles: &[Role]) -> Vec<RoleName<'_>> {
    roles.iter().map(|role| RoleName { id: role.id.0, name: role.name.as_str().into() }).collect()
}

pub(crate) fn permission_texts(credential: &Credential) -> Vec<Cow<'_, str>> {
    shown(&credential.rights.permissions)
}

pub(crate) fn texts(permissions: &PermissionSet) -> Vec<String> {
    permissions.iter().map(|permission| permission.as_str().to_owned()).collect()
}

fn shown(permissions: &PermissionSet) -> Vec<Cow<'_, str>> {
    permissions.iter().map(|permission| permission.as_str().into()).collect()
}

/// Where it stands.
pub(crate) const PATH: &str = "/api/v1/me";
