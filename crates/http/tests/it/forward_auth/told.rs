//! What a gateway tells, and what it is told in return.

use acceptance::{Database, on_each_database};
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use super::{GATEWAYS, header, key, reader, role};
use crate::stage::Stage;

on_each_database! {
    async fn a_gateway_is_told_who_it_is(database: Database) {
        let stage = Stage::new(database).await;
        let (id, key) = reader(&stage).await;
        for gateway in GATEWAYS {
            let told = stage.answer(gateway.asks("GET", "/billing/%41?a=%20", &key)).await.expect(200);

            assert_eq!(header(&told, "X-Keystile-Principal"), id);
            assert_eq!(header(&told, "X-Keystile-Principal-Name"), "a%20r%C3%A9ader");
            assert_eq!(header(&told, "X-Keystile-Credential-Id"), id);
            assert_eq!(header(&told, "X-Keystile-Roles"), "billing%2C%20read");
            assert_eq!(header(&told, "X-Keystile-Permissions"), "invoices.read,orders.*");
            assert_eq!(header(&told, "X-Keystile-Uri"), "/billing/%41?a=%20");
        }
    }

    async fn every_header_is_there_even_if_it_is_empty(database: Database) {
        let stage = Stage::new(database).await;
        let owner = json!({ "username": "job", "is_service_account": true, "role_ids": [1] });
        let owner = stage.admin().post("/api/v1/users", owner).await.expect(201);
        let tokens = format!("/api/v1/users/{}/tokens", owner.text("id"));
        let token = json!({ "name": "narrow", "scopes": [] });
        let token = stage.admin().post(&tokens, token).await.expect(201);

        let asked = GATEWAYS[0].asks("GET", "/billing", token.text("token"));
        let refused = stage.answer(asked).await.expect(403);
        assert_eq!(refused.text("code"), "endpoint_not_allowed");

        let (_, key) = key(&stage, json!({ "name": "bare", "permissions": [], "endpoints": all() })).await;
        let told = stage.answer(GATEWAYS[0].asks("GET", "/", &key)).await.expect(200);
        assert_eq!(header(&told, "X-Keystile-Permissions"), "");
    }

    async fn a_gateway_is_believed_about_its_own_headers_alone(database: Database) {
        let stage = Stage::new(database).await;
        let (_, key) = reader(&stage).await;
        for gateway in GATEWAYS {
            let lie = |request: TestRequest, uri: &str| {
                let others = GATEWAYS.iter().filter_map(|it| it.method_header.zip(it.uri_header));
                let others = others.filter(|(method, _)| Some(*method) != gateway.method_header);
                others.fold(request, |request, (method_header, uri_header)| {
                    request.insert_header((method_header, "GET")).insert_header((uri_header, uri))
                })
            };
            stage.answer(lie(gateway.asks("GET", "/billing", &key), "/orders")).await.expect(200);
            stage.answer(lie(gateway.asks("GET", "/orders", &key), "/billing")).await.expect(403);
        }
    }

    async fn what_a_gateway_must_tell_is_told_once(database: Database) {
        let stage = Stage::new(database).await;
        let (_, key) = reader(&stage).await;
        for gateway in GATEWAYS {
            let Some((method, uri)) = gateway.method_header.zip(gateway.uri_header) else { continue };
            let bare = || gateway.bare("GET").insert_header(("X-API-Key", key.as_str()));
            for (request, about) in [
                (bare(), method),
                (bare().insert_header((method, "GET")), uri),
                (bare().insert_header((uri, "/billing")), method),
                (gateway.asks("GET", "/billing", &key).append_header((uri, "/billing")), uri),
                (gateway.asks("GET", "/billing", &key).append_header((method, "GET")), method),
                (gateway.asks("", "/billing", &key), method),
                (gateway.asks("GET", "billing", &key), "the original URI"),
                (gateway.asks("GET", "*", &key), "the original URI"),
                (gateway.asks("GET", "http://a/billing", &key), "the original URI"),
                (gateway.asks("GET", "/billing#a", &key), "the original URI"),
            ] {
                let answer = stage.answer(request).await.expect(gateway.status(400));
                assert_eq!(answer.body["errors"][0]["pointer"], about, "{gateway:?} {answer}");
            }
        }
    }

    async fn nginx_is_told_in_the_words_it_knows(database: Database) {
        let stage = Stage::new(database).await;
        let nginx = GATEWAYS.iter().find(|gateway| gateway.name == "nginx").unwrap();
        let role = role(&stage, json!({ "name": "all", "endpoints": all() })).await;
        let limits = json!([{ "limit": 1, "window_seconds": 60 }]);
        let limited = json!({ "name": "limited", "role_ids": [role], "rate_limits": limits });
        let (_, limited) = stage.admin().new_key(limited).await;
        stage.answer(nginx.asks("GET", "/", &limited)).await.expect(200);
        for (request, shown, real) in [
            (nginx.asks("GET", "/", "ks_nonsense"), 401, "401"),
            (nginx.asks("GET", "/", "two, words"), 401, "401"),
            (nginx.asks("GET", "/", &limited).append_header(("X-API-Key", "twice")), 401, "400"),
            (nginx.bare("GET"), 401, "400"),
            (nginx.asks("GET", "/", &limited), 403, "429"),
        ] {
            let answer = stage.answer(request).await.expect(shown);
            assert_eq!(header(&answer, "X-Keystile-Status"), real, "{answer}");
            assert_eq!(answer.body["status"], shown, "{answer}");
            let challenged = answer.headers.contains_key("WWW-Authenticate");
            assert_eq!(challenged, shown == 401, "{answer}");
            assert_eq!(answer.headers.contains_key("Retry-After"), real == "429", "{answer}");
            assert_eq!(answer.headers.contains_key("RateLimit"), real == "429", "{answer}");
        }
    }

    async fn whoever_has_no_credential_is_asked_for_one(database: Database) {
        let stage = Stage::new(database).await;
        for gateway in GATEWAYS {
            let answer = stage.answer(gateway.asks_anonymously("GET", "/billing")).await.expect(401);
            assert_eq!(answer.text("code"), "missing_credential", "{gateway:?}");
            assert_eq!(header(&answer, "WWW-Authenticate"), r#"Bearer realm="keystile""#);
        }
    }
}

/// Every endpoint.
fn all() -> Value {
    json!([{ "methods": ["*"], "path": "/**" }])
}
