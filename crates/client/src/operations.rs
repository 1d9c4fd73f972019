//! Every operation of the API, once: what the document calls it, its method and its path. One that
//! no method of the client asks for is dead code, and a test compares the rest with the document.

use std::fmt::Display;

use reqwest::Method;
use url::Url;

/// One operation of the API.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    /// What the document calls it.
    pub(crate) id: &'static str,
    method: &'static str,
    path: &'static str,
}

impl Operation {
    pub(crate) fn method(self) -> Method {
        // Every method of the table is a token.
        Method::from_bytes(self.method.as_bytes()).unwrap_or_default()
    }

    /// The address at a server, with the arguments in the places of its path, in order.
    pub(crate) fn url(self, server: &Url, arguments: &[&(dyn Display + Sync)]) -> Url {
        let mut url = server.clone();
        let mut arguments = arguments.iter();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty();
            for segment in self.path.split('/').skip(1) {
                match segment.starts_with('{').then(|| arguments.next()).flatten() {
                    Some(argument) => segments.push(&argument.to_string()),
                    None => segments.push(segment),
                };
            }
        }
        url
    }
}

macro_rules! operations {
    ($($id:ident = $method:ident $path:literal,)+) => {
        $(
            #[expect(non_upper_case_globals, reason = "it has the name of the document")]
            pub(crate) const $id: Operation = Operation {
                id: stringify!($id),
                method: stringify!($method),
                path: $path,
            };
        )+

        #[cfg(test)]
        const ALL: &[Operation] = &[$($id,)+];
    };
}

operations! {
    list_signing_keys = GET "/.well-known/jwks.json",
    show_server_metadata = GET "/.well-known/oauth-authorization-server",
    delete_api_keys = DELETE "/api/v1/api-keys",
    list_api_keys = GET "/api/v1/api-keys",
    create_api_key = POST "/api/v1/api-keys",
    create_api_keys = POST "/api/v1/api-keys/batch",
    delete_api_key = DELETE "/api/v1/api-keys/{id}",
    show_api_key = GET "/api/v1/api-keys/{id}",
    update_api_key = PATCH "/api/v1/api-keys/{id}",
    rotate_api_key = POST "/api/v1/api-keys/{id}/rotate",
    show_rotation = GET "/api/v1/api-keys/{id}/rotation",
    extend_rotation = POST "/api/v1/api-keys/{id}/rotation/extend",
    finish_rotation = POST "/api/v1/api-keys/{id}/rotation/finish",
    show_api_key_usage = GET "/api/v1/api-keys/{id}/usage",
    list_audit_events = GET "/api/v1/audit-events",
    verify_audit_events = GET "/api/v1/audit-events/verify",
    start_session = POST "/api/v1/auth/login",
    end_session = POST "/api/v1/auth/logout",
    list_sign_in_providers = GET "/api/v1/auth/providers",
    refresh_session = POST "/api/v1/auth/refresh",
    list_changes = GET "/api/v1/changes",
    look_credential_up = POST "/api/v1/credentials/lookup",
    ask_by_endpoint = GET "/api/v1/forward-auth/{gateway}",
    ask_by_permission = GET "/api/v1/forward-auth/{gateway}/permission/{permission}",
    show_insights = GET "/api/v1/insights",
    list_over_granted_keys = GET "/api/v1/insights/over-granted",
    show_me = GET "/api/v1/me",
    change_password = PUT "/api/v1/me/password",
    list_own_tokens = GET "/api/v1/me/tokens",
    create_own_token = POST "/api/v1/me/tokens",
    delete_own_token = DELETE "/api/v1/me/tokens/{id}",
    show_own_token = GET "/api/v1/me/tokens/{id}",
    update_own_token = PATCH "/api/v1/me/tokens/{id}",
    rotate_own_token = POST "/api/v1/me/tokens/{id}/rotate",
    show_own_token_rotation = GET "/api/v1/me/tokens/{id}/rotation",
    extend_own_token_rotation = POST "/api/v1/me/tokens/{id}/rotation/extend",
    finish_own_token_rotation = POST "/api/v1/me/tokens/{id}/rotation/finish",
    show_own_token_usage = GET "/api/v1/me/tokens/{id}/usage",
    list_providers = GET "/api/v1/providers",
    create_provider = POST "/api/v1/providers",
    delete_provider = DELETE "/api/v1/providers/{id}",
    show_provider = GET "/api/v1/providers/{id}",
    update_provider = PATCH "/api/v1/providers/{id}",
    list_roles = GET "/api/v1/roles",
    create_role = POST "/api/v1/roles",
    delete_role = DELETE "/api/v1/roles/{id}",
    show_role = GET "/api/v1/roles/{id}",
    update_role = PATCH "/api/v1/roles/{id}",
    create_ticket = POST "/api/v1/tickets",
    list_users = GET "/api/v1/users",
    create_user = POST "/api/v1/users",
    delete_user = DELETE "/api/v1/users/{id}",
    show_user = GET "/api/v1/users/{id}",
    update_user = PATCH "/api/v1/users/{id}",
    list_user_tokens = GET "/api/v1/users/{id}/tokens",
    create_user_token = POST "/api/v1/users/{id}/tokens",
    delete_user_token = DELETE "/api/v1/users/{id}/tokens/{token_id}",
    show_user_token = GET "/api/v1/users/{id}/tokens/{token_id}",
    rotate_user_token = POST "/api/v1/users/{id}/tokens/{token_id}/rotate",
    show_user_token_rotation = GET "/api/v1/users/{id}/tokens/{token_id}/rotation",
    extend_user_token_rotation = POST "/api/v1/users/{id}/tokens/{token_id}/rotation/extend",
    finish_user_token_rotation = POST "/api/v1/users/{id}/tokens/{token_id}/rotation/finish",
    show_user_token_usage = GET "/api/v1/users/{id}/tokens/{token_id}/usage",
    list_verifiers = GET "/api/v1/verifiers",
    extend_lease = POST "/api/v1/verifiers/lease",
    show_verifier_settings = GET "/api/v1/verifiers/settings",
    verify_credential = POST "/api/v1/verify",
    verify_credentials = POST "/api/v1/verify/batch",
    check_liveness = GET "/healthz",
    show_metrics = GET "/metrics",
    introspect_token = POST "/oauth2/introspect",
    revoke_token = POST "/oauth2/revoke",
    issue_token = POST "/oauth2/token",
    check_readiness = GET "/readyz",
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn the_client_has_every_operation_of_the_document_and_no_other() {
        let document: Value =
            serde_json::from_str(include_str!("../../../openapi/keystile.json")).unwrap();
        let documented: BTreeSet<_> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, methods)| {
                methods.as_object().unwrap().iter().filter_map(move |(method, operation)| {
                    let id = operation.get("operationId")?.as_str()?;
                    Some((id.to_owned(), method.to_uppercase(), path.clone()))
                })
            })
            .collect();
        let known: BTreeSet<_> = ALL
            .iter()
            .map(|known| (known.id.to_owned(), known.method.to_owned(), known.path.to_owned()))
            .collect();
        assert_eq!(known.len(), ALL.len());
        assert_eq!(known, documented);
    }

    #[test]
    fn arguments_stand_where_the_path_names_them() {
        let server = Url::parse("https://keys.example.com/behind/").unwrap();
        let url = show_user_token.url(&server, &[&"a/b", &7]);
        assert_eq!(url.as_str(), "https://keys.example.com/behind/api/v1/users/a%2Fb/tokens/7");
    }
}
