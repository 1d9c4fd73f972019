//! Who may do what: every operation of the document against every built-in role.

use std::collections::BTreeSet;

use acceptance::{Database, on_each_database};
use actix_web::{http::Method, test::TestRequest};
use keystile_domain::{BuiltInRole, Power};
use serde_json::json;

use crate::stage::Stage;

#[test]
fn the_table_has_every_operation_of_the_api() {
    let document = serde_json::to_value(keystile_http::document()).unwrap();
    let mut documented = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let is_public = operation["security"].as_array().unwrap().is_empty();
            // Gateways ask about endpoints of others.
            let is_ours = path.starts_with("/api/") && !path.contains("/forward-auth/");
            let is_ours = is_ours || path == "/metrics";
            if is_ours && !is_public {
                documented.insert((method.to_uppercase(), path.clone()));
            }
        }
    }
    let table = OPERATIONS.map(|(method, path, _)| (method.to_owned(), path.to_owned()));
    assert_eq!(BTreeSet::from(table), documented);
}

on_each_database! {
    async fn without_a_credential_every_operation_is_refused(database: Database) {
        let stage = Stage::new(database).await;
        for (method, path, _) in OPERATIONS {
            let answer = stage.answer(empty(method, path)).await.expect(401);
            assert_eq!(answer.text("code"), "missing_credential", "{method} {path}");
            assert!(answer.headers.contains_key("WWW-Authenticate"), "{method} {path}");
        }
    }

    async fn each_role_may_do_what_its_permissions_say_and_nothing_else(database: Database) {
        let stage = Stage::new(database).await;
        for role in BuiltInRole::ALL.map(Some).into_iter().chain([None]) {
            let role_ids: Vec<_> = role.iter().map(|role| role.id().0).collect();
            let (_, key) = stage.admin().new_key(json!({"name": "k", "role_ids": role_ids})).await;
            let holds = |power: Power| {
                role.is_some_and(|role| role.permissions().covers(&power.permission()))
            };
            for (method, path, needs) in OPERATIONS {
                let request = empty(method, path).insert_header(("X-API-Key", key.as_str()));
                let answer = stage.answer(request).await;
                let name = format!("{method} {path} as {role:?}: {answer}");
                if let Some((_, code)) = NOT_FOR_KEYS.iter().find(|(below, _)| path.starts_with(below)) {
                    assert_eq!((answer.status, answer.text("code")), (403, *code), "{name}");
                    continue;
                }
                match needs.filter(|needs| !holds(*needs)) {
                    None => assert!(![401, 403].contains(&answer.status), "{name}"),
                    Some(lacking) => {
                        assert_eq!(answer.status, 403, "{name}");
                        assert_eq!(answer.body["code"], "insufficient_permissions", "{name}");
                        assert!(answer.text("detail").contains(lacking.as_str()), "{name}");
                    }
                }
            }
        }
    }
}

/// A request about nothing that exists, and with nothing in it: it changes nothing for anybody.
fn empty(method: &str, path: &str) -> TestRequest {
    let id = if path.contains("/roles/") { "4711" } else { "0199e7c4-5a34-7c80-8c1f-6a2b7f3d9e10" };
    let path = path.replace("{id}", id).replace("{token_id}", id);
    let method: Method = method.parse().unwrap();
    TestRequest::default().method(method).uri(&path).set_json(json!({}))
}

/// The beginnings of what no key may do, whatever it holds, and the word for why not.
const NOT_FOR_KEYS: [(&str, &str); 1] = [("/api/v1/me/tokens", "account_required")];

const OPERATIONS: [(&str, &str, Option<Power>); 61] = [
    ("GET", "/api/v1/api-keys", Some(Power::ApiKeysRead)),
    ("POST", "/api/v1/api-keys", Some(Power::ApiKeysWrite)),
    ("DELETE", "/api/v1/api-keys", Some(Power::ApiKeysWrite)),
    ("POST", "/api/v1/api-keys/batch", Some(Power::ApiKeysWrite)),
    ("GET", "/api/v1/api-keys/{id}", Some(Power::ApiKeysRead)),
    ("PATCH", "/api/v1/api-keys/{id}", Some(Power::ApiKeysWrite)),
    ("DELETE", "/api/v1/api-keys/{id}", Some(Power::ApiKeysWrite)),
    ("POST", "/api/v1/api-keys/{id}/rotate", Some(Power::ApiKeysWrite)),
    ("GET", "/api/v1/api-keys/{id}/rotation", Some(Power::ApiKeysRead)),
    ("POST", "/api/v1/api-keys/{id}/rotation/extend", Some(Power::ApiKeysWrite)),
    ("POST", "/api/v1/api-keys/{id}/rotation/finish", Some(Power::ApiKeysWrite)),
    ("GET", "/api/v1/api-keys/{id}/usage", Some(Power::ApiKeysRead)),
    ("GET", "/api/v1/audit-events", Some(Power::AuditRead)),
    ("GET", "/api/v1/audit-events/verify", Some(Power::AuditRead)),
    ("GET", "/metrics", Some(Power::MetricsRead)),
    ("GET", "/api/v1/insights", Some(Power::ApiKeysRead)),
    ("GET", "/api/v1/insights/over-granted", Some(Power::ApiKeysRead)),
    ("GET", "/api/v1/me", None),
    ("PUT", "/api/v1/me/password", None),
    ("GET", "/api/v1/providers", Some(Power::ProvidersRead)),
    ("POST", "/api/v1/providers", Some(Power::ProvidersWrite)),
    ("GET", "/api/v1/providers/{id}", Some(Power::ProvidersRead)),
    ("PATCH", "/api/v1/providers/{id}", Some(Power::ProvidersWrite)),
    ("DELETE", "/api/v1/providers/{id}", Some(Power::ProvidersWrite)),
    ("GET", "/api/v1/roles", Some(Power::RolesRead)),
    ("POST", "/api/v1/roles", Some(Power::RolesWrite)),
    ("GET", "/api/v1/roles/{id}", Some(Power::RolesRead)),
    ("PATCH", "/api/v1/roles/{id}", Some(Power::RolesWrite)),
    ("DELETE", "/api/v1/roles/{id}", Some(Power::RolesWrite)),
    ("POST", "/api/v1/tickets", None),
    ("GET", "/api/v1/me/tokens", None),
    ("POST", "/api/v1/me/tokens", None),
    ("GET", "/api/v1/me/tokens/{id}", None),
    ("PATCH", "/api/v1/me/tokens/{id}", None),
    ("DELETE", "/api/v1/me/tokens/{id}", None),
    ("POST", "/api/v1/me/tokens/{id}/rotate", None),
    ("GET", "/api/v1/me/tokens/{id}/rotation", None),
    ("POST", "/api/v1/me/tokens/{id}/rotation/extend", None),
    ("POST", "/api/v1/me/tokens/{id}/rotation/finish", None),
    ("GET", "/api/v1/me/tokens/{id}/usage", None),
    ("GET", "/api/v1/users", Some(Power::UsersRead)),
    ("POST", "/api/v1/users", Some(Power::UsersWrite)),
    ("GET", "/api/v1/users/{id}", Some(Power::UsersRead)),
    ("PATCH", "/api/v1/users/{id}", Some(Power::UsersWrite)),
    ("DELETE", "/api/v1/users/{id}", Some(Power::UsersWrite)),
    ("GET", "/api/v1/users/{id}/tokens", Some(Power::TokensRead)),
    ("POST", "/api/v1/users/{id}/tokens", Some(Power::ServiceAccountsTokens)),
    ("GET", "/api/v1/users/{id}/tokens/{token_id}", Some(Power::TokensRead)),
    ("DELETE", "/api/v1/users/{id}/tokens/{token_id}", Some(Power::ServiceAccountsTokens)),
    ("POST", "/api/v1/users/{id}/tokens/{token_id}/rotate", Some(Power::ServiceAccountsTokens)),
    ("GET", "/api/v1/users/{id}/tokens/{token_id}/rotation", Some(Power::TokensRead)),
    ("POST", EXTEND_USER_TOKEN_ROTATION, Some(Power::ServiceAccountsTokens)),
    ("POST", FINISH_USER_TOKEN_ROTATION, Some(Power::ServiceAccountsTokens)),
    ("GET", "/api/v1/users/{id}/tokens/{token_id}/usage", Some(Power::TokensRead)),
    ("POST", "/api/v1/verify", Some(Power::KeysVerify)),
    ("GET", "/api/v1/changes", Some(Power::KeysVerify)),
    ("POST", "/api/v1/credentials/lookup", Some(Power::KeysVerify)),
    ("GET", "/api/v1/verifiers", Some(Power::ClusterRead)),
    ("POST", "/api/v1/verifiers/lease", Some(Power::KeysVerify)),
    ("GET", "/api/v1/verifiers/settings", Some(Power::KeysVerify)),
    ("POST", "/api/v1/verify/batch", Some(Power::KeysVerify)),
];

const EXTEND_USER_TOKEN_ROTATION: &str = "/api/v1/users/{id}/tokens/{token_id}/rotation/extend";
const FINISH_USER_TOKEN_ROTATION: &str = "/api/v1/users/{id}/tokens/{token_id}/rotation/finish";
