//! A credential in the query of our own API disturbs nothing that stands beside it.

use acceptance::{Answer, Api, Caller, Database, on_each_database, started};
use reqwest::Method;
use serde_json::json;

use super::{KEYS, built_in, key};

on_each_database! {
    async fn a_credential_is_no_parameter_of_an_operation(database: Database) {
        let (server, admin) = started(&database).await;
        let provider = built_in(&admin, "api_key").await;
        admin.patch(&provider, json!({ "allow_query_string": true })).await.expect(200);
        for _ in 0..3 {
            key(&admin, "api-keys").await;
        }
        let anybody = admin.with(Caller::Anonymous);
        let own = server.admin_key();

        let path = format!("{KEYS}?limit=1&apiKey={own}&sort=name");
        let first = anybody.get(&path).await.expect(200);
        assert!(!first.text.contains(&own), "{first}");
        let cursor = first.text_of("next_cursor");
        // The list is the same, whoever reads on and wherever their credential stands.
        let next = format!("{KEYS}?limit=1&sort=name&cursor={cursor}");
        let theirs = anybody.get(&format!("{next}&apiKey={own}")).await.expect(200);
        assert_eq!(theirs.body["data"], admin.get(&next).await.expect(200).body["data"]);
        let ticket = json!({ "method": "GET", "path": KEYS });
        let ticket = admin.post("/api/v1/tickets", ticket).await.expect(201);
        let ticket = format!("{next}&ticket={}", ticket.text_of("ticket"));
        assert_eq!(anybody.get(&ticket).await.expect(200).body["data"], theirs.body["data"]);

        for unknown in ["apikey", "other"] {
            let wrong = anybody.get(&format!("{KEYS}?apiKey={own}&{unknown}={own}")).await;
            let wrong = wrong.expect(400).problem("unknown_fields");
            assert_eq!(wrong.body["errors"][0]["pointer"], unknown);
        }
        let twice = anybody.get(&format!("{KEYS}?apiKey={own}&limit=1&limit=2")).await;
        twice.expect(400).problem("bad_request");
        anybody.get(&format!("/healthz?apiKey={own}")).await.expect(200);

        let create = async |target: &str, api: &Api| {
            let request = api.request(Method::POST, target).header("idempotency-key", "once");
            Answer::to(request.json(&json!({ "name": "once" }))).await.unwrap()
        };
        let made = create(&format!("{KEYS}?apiKey={own}"), &anybody).await.expect(201);
        assert!(!made.header("location").contains('?'), "{made}");
        let again = create(KEYS, &admin).await.expect(201);
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.body, made.body);
    }
}
