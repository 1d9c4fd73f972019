//! Each provider's own header, bearer tokens, and its own query parameter.

use acceptance::{Database, on_each_database, started, until};
use reqwest::Method;
use serde_json::json;

use super::{KEYS, ME, Provider, as_bearer, built_in, in_header, in_query, key};

on_each_database! {
    async fn a_key_stands_where_its_own_provider_says(database: Database) {
        let (_server, admin) = started(&database).await;
        let settings = json!({ "prefix": "a_", "header_name": "X-Partner-Key" });
        let partner = Provider::with(&admin, "partner", settings).await;
        let settings =
            json!({ "prefix": "b_", "header_name": "x-PARTNER-key", "accept_bearer": false });
        let other = Provider::with(&admin, "other", settings).await;
        let (theirs, others) = (partner.key(&admin).await, other.key(&admin).await);
        let (_, ours) = key(&admin, "api-keys").await;

        for name in ["x-partner-key", "X-Partner-Key", "X-PARTNER-KEY"] {
            in_header(&admin, name, &theirs).await.expect(200);
            in_header(&admin, name, &others).await.expect(200);
            in_header(&admin, name, &ours).await.refused();
        }
        in_header(&admin, "x-api-key", &theirs).await.refused();
        in_header(&admin, "x-api-key", &others).await.refused();
        in_header(&admin, "x-api-key", &ours).await.expect(200);
        in_header(&admin, "x-partner_key", &theirs).await.expect(401).problem("missing_credential");

        for scheme in ["Bearer", "bearer", "BEARER"] {
            let value = |key: &str| format!("{scheme} {key}");
            in_header(&admin, "authorization", &value(&theirs)).await.expect(200);
            in_header(&admin, "authorization", &value(&others)).await.refused();
        }
        other.change(&admin, json!({ "accept_bearer": true, "header_name": "x-other" })).await;
        as_bearer(&admin, &others).await.expect(200);
        in_header(&admin, "x-other", &others).await.expect(200);
        in_header(&admin, "x-partner-key", &others).await.refused();

        let two = [("x-partner-key", theirs.as_str()), ("x-other", &others)];
        let both = admin.send(Method::GET, ME, &two).await;
        both.expect(400).problem("ambiguous_credentials");
        let twice = [("x-other", others.as_str()), ("X-Other", &others)];
        let both = admin.send(Method::GET, ME, &twice).await;
        both.expect(400).problem("ambiguous_credentials");
    }

    async fn a_query_carries_keys_as_soon_and_as_long_as_a_provider_says(database: Database) {
        let (_server, admin) = started(&database).await;
        let settings = json!({ "prefix": "q_", "query_parameter_name": "access_key" });
        let provider = Provider::with(&admin, "query", settings).await;
        let (secret, (_, ours)) = (provider.key(&admin).await, key(&admin, "api-keys").await);
        let named = |name: &str, key: &str| format!("{name}={key}");

        let unknown = in_query(&admin, &named("access_key", &secret)).await;
        unknown.expect(401).problem("missing_credential");
        let unknown = admin.get(&format!("{ME}?access_key={secret}")).await;
        unknown.expect(400).problem("unknown_fields");

        provider.change(&admin, json!({ "allow_query_string": true })).await;
        in_query(&admin, &named("access_key", &secret)).await.expect(200);
        in_query(&admin, &named("access%5Fkey", &secret.replace('_', "%5f"))).await.expect(200);
        in_query(&admin, &named("access_key", &secret.replace('_', "%255f"))).await.refused();
        in_query(&admin, &named("access_key", &ours)).await.refused();
        for elsewhere in [named("Access_Key", &secret), named("apiKey", &ours)] {
            in_query(&admin, &elsewhere).await.expect(401).problem("missing_credential");
        }
        let twice = format!("access_key={secret}&access_key={secret}");
        in_query(&admin, &twice).await.expect(400).problem("ambiguous_credentials");
        let both = admin.get(&format!("{ME}?access_key={secret}")).await;
        both.expect(400).problem("ambiguous_credentials");
        for junk in ["", "=", "=a+b", "=%", "=%00"] {
            in_query(&admin, &format!("access_key{junk}")).await.refused();
        }
        in_query(&admin, &named("access_key", &"a".repeat(2_000))).await.refused();

        // The name alone, and then nothing.
        provider.change(&admin, json!({ "query_parameter_name": "apiKey" })).await;
        in_query(&admin, &named("apiKey", &secret)).await.expect(200);
        in_query(&admin, &named("apiKey", &ours)).await.refused();
        provider.change(&admin, json!({ "allow_query_string": false })).await;
        in_query(&admin, &named("apiKey", &secret)).await.expect(401).problem("missing_credential");
    }

    async fn providers_may_share_a_query_parameter(database: Database) {
        let (_server, admin) = started(&database).await;
        let settings = |prefix: &str| {
            json!({
                "prefix": prefix,
                "allow_query_string": true,
                "query_parameter_name": "access_key",
            })
        };
        let one = Provider::with(&admin, "one", settings("one_")).await;
        let two = Provider::with(&admin, "two", settings("two_")).await;
        let of_both = [one.key(&admin).await, two.key(&admin).await];
        for key in &of_both {
            in_query(&admin, &format!("access_key={key}")).await.expect(200);
        }
        let both = of_both.map(|key| format!("access_key={key}"));
        let answer = in_query(&admin, &both.join("&")).await;
        answer.expect(400).problem("ambiguous_credentials");

        one.change(&admin, json!({ "allow_query_string": false })).await;
        in_query(&admin, &both[0]).await.refused();
        in_query(&admin, &both[1]).await.expect(200);
    }

    async fn a_key_at_a_place_that_its_provider_forbids_is_counted_as_such(database: Database) {
        let (_server, admin) = started(&database).await;
        Provider::with(&admin, "query", json!({ "allow_query_string": true })).await;
        let (path, secret) = key(&admin, "api-keys").await;
        in_query(&admin, &format!("apiKey={secret}")).await.refused();
        let question = json!({ "credential": secret, "source": "query" });
        let verdict = admin.post("/api/v1/verify", question).await.expect(200);
        assert_eq!(verdict.text_of("code"), "source_not_allowed");
        until("both refusals are counted", async || {
            let usage = admin.get(&format!("{path}/usage")).await.expect(200);
            let days = usage.body["data"].as_array().unwrap().iter();
            let refused = days.filter_map(|day| day["refused"]["source_not_allowed"].as_i64());
            refused.sum::<i64>() == 2
        })
        .await;
    }

    async fn tokens_of_users_have_places_of_their_own(database: Database) {
        let (_server, admin) = started(&database).await;
        let provider = built_in(&admin, "personal_access_token").await;
        let settings = json!({ "header_name": "X-Pat", "allow_query_string": true });
        admin.patch(&provider, settings).await.expect(200);
        let robot = json!({ "username": "robot", "is_service_account": true });
        let robot = admin.post("/api/v1/users", robot).await.expect(201);
        let tokens = format!("/api/v1/users/{}/tokens", robot.text_of("id"));
        let token = admin.post(&tokens, json!({})).await.expect(201).text_of("token").to_owned();
        in_header(&admin, "x-pat", &token).await.expect(200);
        as_bearer(&admin, &token).await.expect(200);
        in_query(&admin, &format!("apiKey={token}")).await.expect(200);
        in_header(&admin, "x-api-key", &token).await.refused();
        let (_, ours) = key(&admin, "api-keys").await;
        in_header(&admin, "x-pat", &ours).await.refused();
        admin.get(KEYS).await.expect(200);
    }
}
