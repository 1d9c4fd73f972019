//! What one node is told of a provider, all of them do.

use acceptance::{Api, Caller, Database, Server, started, until};
use serde_json::json;

use super::{KEYS, Provider, in_header, in_query, key};

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_a_provider_is_followed_by_every_node() {
    let Some(database) = Database::postgres().await else { return };
    let (first, admin) = started(&database).await;
    let second = Server::start(&first.options().clone().with_own_data()).await;
    let there = second.api(Caller::Anonymous);

    let provider = Provider::with(&admin, "moving", json!({ "prefix": "one_" })).await;
    let old = provider.key(&admin).await;
    let is_in_header =
        async |name: &str, key: &str| in_header(&there, name, key).await.status == 200;
    let is_in_query =
        async |key: &str| in_query(&there, &format!("apiKey={key}")).await.status == 200;
    until("a key of a new format is known", async || is_in_header("x-api-key", &old).await).await;

    let moved = json!({ "header_name": "x-moved", "allow_query_string": true, "key_length": 48 });
    provider.change(&admin, moved).await;
    until("the header has moved", async || is_in_header("x-moved", &old).await).await;
    until("the query is open", async || is_in_query(&old).await).await;
    let new = provider.key(&admin).await;
    until("a longer key is known", async || is_in_header("x-moved", &new).await).await;
    assert!(!is_in_header("x-api-key", &old).await);

    provider.change(&admin, json!({ "allow_query_string": false })).await;
    until("the query is closed", async || !is_in_query(&old).await).await;
    provider.change(&admin, json!({ "enabled": false })).await;
    until("its keys have ended", async || !is_in_header("x-moved", &old).await).await;
    provider.change(&admin, json!({ "enabled": true })).await;
    until("its keys are good again", async || is_in_header("x-moved", &old).await).await;
    let (_, ours) = key(&admin, "api-keys").await;
    assert!(is_in_header("x-api-key", &ours).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_format_that_one_node_forgets_is_forgotten_by_every_node() {
    let Some(database) = Database::postgres().await else { return };
    let (first, admin) = started(&database).await;
    let provider = Provider::with(&admin, "moving", json!({ "prefix": "one_" })).await;
    let (path, old) = key(&admin, "moving").await;
    let living = provider.key(&admin).await;
    provider.change(&admin, json!({ "prefix": "two_" })).await;
    admin.delete(&path).await.expect(204);
    assert_eq!(code(&admin, &old).await, "deleted");
    // A node looks when it starts.
    let second = Server::start(&first.options().clone().with_own_data()).await;
    assert_eq!(code(&admin, &living).await, "valid");
    assert_eq!(code(&admin, &old).await, "deleted");

    let id = admin.get(&format!("{KEYS}?provider=moving")).await.expect(200);
    let id = id.body["data"][0]["id"].as_str().unwrap().to_owned();
    admin.delete(&format!("{KEYS}/{id}")).await.expect(204);
    let second = second.restart().await;
    until("both nodes have forgotten it", async || {
        let there = second.api(admin.caller().clone());
        code(&admin, &old).await == "malformed" && code(&there, &living).await == "malformed"
    })
    .await;
    let told = admin.get("/api/v1/audit-events?action=format.forgotten").await.expect(200);
    assert_eq!(told.body["data"][0]["target"]["id"], "base62/32/one_", "{told}");
}

/// What `/verify` says of a text.
async fn code(api: &Api, text: &str) -> String {
    let verdict = api.post("/api/v1/verify", json!({ "credential": text })).await.expect(200);
    verdict.text_of("code").to_owned()
}
