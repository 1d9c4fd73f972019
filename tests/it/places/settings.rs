//! What a provider may not be told.

use acceptance::{Database, started};
use serde_json::json;

use super::{PROVIDERS, built_in};

#[tokio::test(flavor = "multi_thread")]
async fn each_wrong_setting_is_named() {
    let (_server, admin) = started(&Database::Sqlite).await;
    let built_in = built_in(&admin, "api_key").await;
    let long = "x".repeat(65);
    for (pointer, bad) in [
        ("/key_length", json!({ "key_length": 15 })),
        ("/key_length", json!({ "key_length": 65 })),
        ("/key_length", json!({ "key_length": null })),
        ("/prefix", json!({ "prefix": "KS-" })),
        ("/encoding", json!({ "encoding": "hex" })),
        (
            "/default_expiry_minutes",
            json!({ "default_expiry_minutes": 11, "max_expiry_minutes": 10 }),
        ),
        ("/max_expiry_minutes", json!({ "max_expiry_minutes": 0 })),
        ("/header_name", json!({ "header_name": "a b" })),
        ("/header_name", json!({ "header_name": "a:b" })),
        ("/header_name", json!({ "header_name": "" })),
        ("/header_name", json!({ "header_name": long })),
        ("/header_name", json!({ "header_name": "Host" })),
        ("/header_name", json!({ "header_name": "content-LENGTH" })),
        ("/header_name", json!({ "header_name": "Authorization" })),
        ("/header_name", json!({ "header_name": "Transfer-Encoding" })),
        ("/header_name", json!({ "header_name": "X-Forwarded-For" })),
        ("/header_name", json!({ "header_name": "X-Keystile-Principal" })),
        ("/header_name", json!({ "header_name": "traceparent" })),
        ("/query_parameter_name", json!({ "query_parameter_name": "a b" })),
        ("/query_parameter_name", json!({ "query_parameter_name": "a&b" })),
        ("/query_parameter_name", json!({ "query_parameter_name": "" })),
        ("/query_parameter_name", json!({ "query_parameter_name": "ticket" })),
        ("/query_parameter_name", json!({ "query_parameter_name": "dry_run" })),
        ("/query_parameter_name", json!({ "query_parameter_name": "cursor" })),
        ("/allow_query_string", json!({ "allow_query_string": "yes" })),
    ] {
        let mut new = bad.clone();
        new.as_object_mut()
            .unwrap()
            .extend([("name".to_owned(), json!("n")), ("kind".to_owned(), json!("api_key"))]);
        for refused in [admin.post(PROVIDERS, new).await, admin.patch(&built_in, bad.clone()).await]
        {
            let refused = refused.expect(422).problem("invalid_request");
            assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{bad}: {refused}");
        }
    }
    let taken = admin.patch(&built_in, json!({ "query_parameter_name": "limit" })).await;
    let rule = taken.expect(422).body["errors"][0]["detail"].clone();
    assert!(rule.as_str().unwrap().contains("a parameter of this API"), "{rule}");

    let kind = admin.post(PROVIDERS, json!({ "name": "n", "kind": "cookie" })).await.expect(422);
    assert_eq!(kind.problem("invalid_request").body["errors"][0]["pointer"], "/kind");
    let new = json!({ "name": "n", "kind": "api_key", "allow_cookies": true });
    let unknown = admin.post(PROVIDERS, new).await.expect(400).problem("unknown_fields");
    assert_eq!(unknown.body["errors"][0]["pointer"], "/allow_cookies");
}
