//! What the page "Authorization" of the JobNimbus Platform API promises its customers, sentence by
//! sentence, by Keystile in front of the same API.
//!
//! Still to come, with the console: "Navigate to Settings > API Keys", "Click Create API Key", and
//! "after you leave the page".

use acceptance::{Answer, Api, Database, on_each_database, started};
use reqwest::Method;
use serde_json::{Value, json};

on_each_database! {
    async fn a_key_does_what_its_access_profile_permits(database: Database) {
        let (_server, admin) = started(&database).await;
        // "configure the desired access profile"
        let profile = profile(&admin, "estimator", json!([
            { "methods": ["GET"], "path": "/contacts/v1/**" },
            { "methods": ["GET", "POST"], "path": "/estimates/v1/**" },
        ]))
        .await;
        let key = key(&admin, "estimates", profile).await;

        // "The key will not be displayed again"
        let secret = key.text_of("key");
        for path in [KEYS.to_owned(), format!("{KEYS}/{}", key.text_of("id"))] {
            assert!(!admin.get(&path).await.expect(200).text.contains(secret));
        }

        // curl -X GET "{base_url}/{service}/v1/{endpoint}" \
        //   -H "Authorization: Bearer {your_api_key}" \
        //   -H "Content-Type: application/json"
        let example = asked(&admin, Method::GET, "/contacts/v1/search", Some(secret)).await;
        assert_eq!(example.expect(200).header("x-keystile-principal-name"), "estimates");

        // "Only endpoints and actions permitted by that profile will be available."
        for (method, uri, status) in [
            (Method::GET, "/estimates/v1/jobs/7?page=2", 200),
            (Method::POST, "/estimates/v1/jobs", 200),
            (Method::POST, "/contacts/v1/people", 403),
            (Method::DELETE, "/estimates/v1/jobs/7", 403),
            (Method::GET, "/invoices/v1/list", 403),
        ] {
            asked(&admin, method, uri, Some(secret)).await.expect(status);
        }

        // "Your API key inherits the permissions of the access profile it is assigned to."
        let wider = json!({ "endpoints": [{ "methods": ["*"], "path": "/invoices/v1/**" }] });
        admin.patch(&format!("{ROLES}/{profile}"), wider).await.expect(200);
        asked(&admin, Method::GET, "/invoices/v1/list", Some(secret)).await.expect(200);
        asked(&admin, Method::GET, "/contacts/v1/search", Some(secret)).await.expect(403);
    }

    async fn errors_are_problem_details_of_the_page(database: Database) {
        let (_server, admin) = started(&database).await;
        let profile = profile(&admin, "nothing", json!([])).await;
        let key = key(&admin, "idle", profile).await;
        let page = json!({
            "type": "https://tools.ietf.org/html/rfc7235#section-3.1",
            "title": "Unauthorized",
            "status": 401
        });

        // "401 Unauthorized: The request is missing an API key, or the provided key is invalid."
        let mistyped = format!("{}x", key.text_of("key"));
        for shown in [None, Some("invalid"), Some(mistyped.as_str())] {
            let answer = asked(&admin, Method::GET, "/contacts/v1/search", shown).await;
            assert_eq!(members_of_the_page(&answer.expect(401)), page, "{shown:?}");
        }

        // "403 Forbidden: The API key is valid but lacks the required permissions for this action."
        let lacking = asked(&admin, Method::GET, "/contacts/v1/search", Some(key.text_of("key")));
        let lacking = members_of_the_page(&lacking.await.expect(403));
        assert_eq!((&lacking["title"], &lacking["status"]), (&json!("Forbidden"), &json!(403)));
    }

    async fn keys_are_rotated_by_a_new_one_and_revoking_the_old(database: Database) {
        let (_server, admin) = started(&database).await;
        let profile = profile(&admin, "all", json!([{ "methods": ["*"], "path": "/**" }])).await;
        let old = key(&admin, "old", profile).await;

        // "Rotate keys periodically. Generate a new key and revoke the old one on a regular cadence."
        let new = key(&admin, "new", profile).await;
        admin.delete(&format!("{KEYS}/{}", old.text_of("id"))).await.expect(204);
        for (key, status) in [(&old, 401), (&new, 200)] {
            let shown = Some(key.text_of("key"));
            asked(&admin, Method::GET, "/contacts/v1/search", shown).await.expect(status);
        }

        // "Apply least privilege. Assign the most restrictive access profile": every check says what
        // it took, and a key that holds more can be given another profile without a new secret.
        let narrow = json!([{ "methods": ["GET"], "path": "/contacts/v1/search" }]);
        let narrow = self::profile(&admin, "narrow", narrow).await;
        let path = format!("{KEYS}/{}", new.text_of("id"));
        admin.patch(&path, json!({ "role_ids": [narrow] })).await.expect(200);
        for (uri, status) in [("/contacts/v1/search", 200), ("/contacts/v1/people", 403)] {
            asked(&admin, Method::GET, uri, Some(new.text_of("key"))).await.expect(status);
        }
    }
}

/// An access profile: a role.
async fn profile(admin: &Api, name: &str, endpoints: Value) -> i64 {
    let role = json!({ "name": name, "endpoints": endpoints });
    admin.post(ROLES, role).await.expect(201).body["id"].as_i64().unwrap()
}

async fn key(admin: &Api, name: &str, profile: i64) -> Answer {
    admin.post(KEYS, json!({ "name": name, "role_ids": [profile] })).await.expect(201)
}

/// "Your API key is sent as a Bearer token in the Authorization header of every request."
async fn asked(admin: &Api, method: Method, uri: &str, key: Option<&str>) -> Answer {
    let bearer = key.map(|key| format!("Bearer {key}"));
    let mut headers = vec![("Content-Type", "application/json")];
    headers.extend(bearer.as_deref().map(|bearer| ("Authorization", bearer)));
    admin.ask_at_gateway(method, uri, &headers).await
}

/// The members that the page shows; ours has more, which RFC 9457 lets clients ignore.
fn members_of_the_page(answer: &Answer) -> Value {
    assert_eq!(answer.header("content-type"), "application/problem+json", "{answer}");
    let mut members = answer.body.as_object().unwrap().clone();
    members.retain(|name, _| ["type", "title", "status"].contains(&name.as_str()));
    Value::Object(members)
}

const KEYS: &str = "/api/v1/api-keys";
const ROLES: &str = "/api/v1/roles";
