//! Who a request acts as.

use acceptance::{Answer, Caller, Database, Key, on_each_database, started};
use reqwest::Method;
use serde_json::json;

use super::{ME, ROLES, VERIFIER, role};

on_each_database! {
    async fn a_key_that_stands_for_itself_is_its_own_principal(database: Database) {
        let (_server, admin) = started(&database).await;
        let billing = role(&admin, "billing", &["invoices.*"]).await;
        let new = json!({
            "name": "CI",
            "role_ids": [VERIFIER, billing],
            "expires_at": "2099-01-01T00:00:00Z",
            "external_id": "crm-1",
            "metadata": { "team": "billing" },
        });
        let key = Key::made(&admin, new).await;

        let me = key.api(&admin).get(ME).await.expect(200);

        assert_eq!(
            me.body,
            json!({
                "principal": { "kind": "api_key", "id": key.id, "name": "CI" },
                "credential": {
                    "id": key.id,
                    "kind": "api_key",
                    "name": "CI",
                    "key_prefix": key.secret[..9],
                    "expires_at": "2099-01-01T00:00:00Z",
                    "external_id": "crm-1",
                    "metadata": { "team": "billing" },
                },
                "roles": [
                    { "id": VERIFIER, "name": "verifier" },
                    { "id": billing, "name": "billing" },
                ],
                "permissions": ["invoices.*", "keystile.keys.verify"],
            })
        );
    }

    async fn a_changed_role_is_seen_at_once(database: Database) {
        let (_server, admin) = started(&database).await;
        let billing = role(&admin, "billing", &["invoices.read"]).await;
        let holder = Key::holding(&admin, "CI", &[billing]).await.api(&admin);
        let permissions = async || holder.get(ME).await.expect(200).body["permissions"].clone();
        assert_eq!(permissions().await, json!(["invoices.read"]));

        let patch = json!({ "permissions": ["invoices.write"] });
        admin.patch(&format!("{ROLES}/{billing}"), patch).await.expect(200);

        assert_eq!(permissions().await, json!(["invoices.write"]));
    }

    async fn the_places_of_a_credential_are_read_whatever_their_case(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = Key::holding(&admin, "CI", &[]).await;
        let nobody = admin.with(Caller::Anonymous);
        let shown = async |name: &str, value: String| {
            Answer::to(nobody.request(Method::GET, ME).header(name, value)).await.unwrap()
        };

        for name in ["x-api-key", "X-API-KEY", "x-Api-Key"] {
            shown(name, key.secret.clone()).await.expect(200);
        }
        for scheme in ["Bearer", "bearer", "BEARER"] {
            shown("authorization", format!("{scheme} {}", key.secret)).await.expect(200);
        }
        // Another scheme is no credential of ours.
        let other = shown("authorization", format!("Basic {}", key.secret)).await;
        other.expect(401).problem("missing_credential");
    }

    async fn a_request_with_no_credential_or_two_has_no_principal(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = Key::holding(&admin, "CI", &[]).await;

        let none = admin.with(Caller::Anonymous).get(ME).await.expect(401);
        assert!(
            none.problem("missing_credential").header("www-authenticate").starts_with("Bearer")
        );

        let both = key.api(&admin).request(Method::GET, ME).bearer_auth(&key.secret);
        Answer::to(both).await.unwrap().expect(400).problem("ambiguous_credentials");
        let twice = key.api(&admin).request(Method::GET, ME).header("X-API-Key", &key.secret);
        Answer::to(twice).await.unwrap().expect(400).problem("ambiguous_credentials");
        let query = admin.with(Caller::Anonymous).get(&format!("{ME}?apiKey={}", key.secret)).await;
        let query = query.expect(401).problem("missing_credential");
        assert!(!query.text.contains(&key.secret), "{query}");
    }

    async fn unknown_parameters_are_named(database: Database) {
        let (_server, admin) = started(&database).await;

        let answer = admin.get(&format!("{ME}?colour=blue")).await.expect(400);

        assert!(answer.problem("unknown_fields").text_of("detail").contains("colour"));
    }
}
