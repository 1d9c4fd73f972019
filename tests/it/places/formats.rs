//! How new keys look, and that older ones go on working whatever the settings are now.

use acceptance::{Database, on_each_database, started};
use serde_json::{Value, json};

use super::{KEYS, PROVIDERS, Provider, as_bearer, built_in, in_header, key};

on_each_database! {
    async fn an_empty_prefix_gives_keys_of_22_characters(database: Database) {
        let (_server, admin) = started(&database).await;
        let settings = json!({ "prefix": "", "encoding": "base64url", "key_length": 16 });
        let provider = Provider::with(&admin, "bare", settings).await;
        for _ in 0..5 {
            let key = provider.key(&admin).await;
            let in_alphabet = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            assert!(key.len() == 22 && key.bytes().all(in_alphabet), "{key}");
            in_header(&admin, "x-api-key", &key).await.expect(200);
            as_bearer(&admin, &key).await.expect(200);
        }
        in_header(&admin, "x-api-key", "DLOo9sPS5slJEMHpXBFt3g").await.refused();
    }

    async fn no_change_of_format_touches_a_living_key(database: Database) {
        let (server, admin) = started(&database).await;
        let provider = Provider::with(&admin, "changing", json!({ "prefix": "one_" })).await;
        let mut keys = vec![provider.key(&admin).await];
        for change in [
            json!({ "prefix": "two_" }),
            json!({ "key_length": 64 }),
            json!({ "encoding": "base64url", "prefix": "" }),
            json!({ "key_length": 16 }),
            json!({ "prefix": "x".repeat(32), "encoding": "base62" }),
            json!({ "enabled": false }),
            json!({ "enabled": true }),
        ] {
            provider.change(&admin, change.clone()).await;
            if change != json!({ "enabled": false }) {
                keys.push(provider.key(&admin).await);
            }
        }
        let lengths: Vec<_> = keys.iter().map(String::len).collect();
        assert_eq!(lengths, [4 + 49, 4 + 49, 4 + 92, 86, 22, 32 + 28, 32 + 28]);
        for key in &keys {
            in_header(&admin, "x-api-key", key).await.expect(200);
        }
        let server = server.restart().await;
        let admin = server.admin();
        for key in &keys {
            in_header(&admin, "x-api-key", key).await.expect(200);
        }
        provider.change(&admin, json!({ "enabled": false })).await;
        for key in &keys {
            in_header(&admin, "x-api-key", key).await.refused();
        }
    }

    async fn ends_follow_the_provider_and_touch_no_key_that_exists(database: Database) {
        let (_server, admin) = started(&database).await;
        let provider = Provider::with(&admin, "short", json!({})).await;
        let end = async |more: Value| {
            let mut new = json!({ "name": "k", "provider": "short" });
            new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            admin.post(KEYS, new).await
        };
        let endless = end(json!({})).await.expect(201);
        assert_eq!(endless.body["expires_at"], Value::Null);
        let limits = json!({ "default_expiry_minutes": 10, "max_expiry_minutes": 20 });
        provider.change(&admin, limits).await;
        let path = format!("{KEYS}/{}", endless.text_of("id"));
        assert_eq!(admin.get(&path).await.expect(200).body["expires_at"], Value::Null);
        let by_default = end(json!({})).await.expect(201);
        assert!(by_default.body["expires_at"].is_string(), "{by_default}");
        let late = end(json!({ "expires_at": "2999-01-01T00:00:00Z" })).await.expect(422);
        assert_eq!(late.problem("invalid_request").body["errors"][0]["pointer"], "/expires_at");
    }

    async fn a_provider_is_deleted_only_when_nothing_needs_it(database: Database) {
        let (_server, admin) = started(&database).await;
        let provider = Provider::with(&admin, "leaving", json!({})).await;
        let (path, secret) = key(&admin, "leaving").await;
        admin.delete(&provider.path).await.expect(409).problem("conflict");
        in_header(&admin, "x-api-key", &secret).await.expect(200);
        admin.delete(&path).await.expect(204);
        admin.delete(&provider.path).await.expect(204);
        let default = built_in(&admin, "api_key").await;
        admin.delete(&default).await.expect(409).problem("conflict");
        admin.get(PROVIDERS).await.expect(200);
    }
}
