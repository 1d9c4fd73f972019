//! Credentials in the query: in that of the original request, and in no other.

use acceptance::{Database, on_each_database};
use actix_web::test::TestRequest;
use serde_json::json;

use super::{GATEWAYS, header, reader};
use crate::stage::Stage;

on_each_database! {
    async fn a_credential_in_the_original_query_counts_as_its_provider_says(database: Database) {
        let stage = Stage::new(database).await;
        let (_, key) = reader(&stage).await;
        for gateway in GATEWAYS {
            let uri = format!("/billing?a=1&apiKey={key}&b=%2F");
            let ask = async || stage.answer(gateway.asks_anonymously("GET", &uri)).await;
            let refused = ask().await.expect(401);
            assert_eq!(refused.text("code"), "missing_credential", "{gateway:?}");

            allow_query(&stage, true).await;
            let told = ask().await.expect(200);
            assert_eq!(header(&told, "X-Keystile-Uri"), "/billing?a=1&b=%2F");
            let alone = format!("/billing?api%4Bey={key}");
            let told = stage.answer(gateway.asks_anonymously("GET", &alone)).await.expect(200);
            assert_eq!(header(&told, "X-Keystile-Uri"), "/billing");
            let twice = stage.answer(gateway.asks("GET", &uri, &key)).await;
            let twice = twice.expect(gateway.status(400));
            assert_eq!(twice.text("code"), "ambiguous_credentials");
            allow_query(&stage, false).await;
        }
    }

    async fn the_query_of_the_endpoint_itself_is_never_read(database: Database) {
        let stage = Stage::new(database).await;
        let (_, key) = reader(&stage).await;
        allow_query(&stage, true).await;
        for gateway in GATEWAYS.iter().filter(|gateway| gateway.method_header.is_some()) {
            let with = |request: TestRequest| {
                request.uri(&format!("{}?apiKey={key}&dry_run=x", gateway.path()))
            };
            let anonymous = with(gateway.asks_anonymously("GET", "/billing"));
            stage.answer(anonymous).await.expect(401);
            stage.answer(with(gateway.asks("GET", "/billing", &key))).await.expect(200);
        }
    }
}

async fn allow_query(stage: &Stage, allow: bool) {
    let providers = stage.admin().get("/api/v1/providers?kind=api_key").await.expect(200);
    let path = format!("/api/v1/providers/{}", providers.body["data"][0]["id"].as_str().unwrap());
    let patch = json!({ "allow_query_string": allow });
    stage.admin().patch(&path, patch).await.expect(200);
}
