//! Swagger UI in a real browser.

mod chromium;
mod explorer;

use std::collections::BTreeSet;

use acceptance::{Database, Options, Part, Server};
use serde_json::Value;

use chromium::Chromium;
use explorer::{BEARER, Explorer, HEADER};

#[tokio::test(flavor = "multi_thread")]
async fn swagger_ui_lists_every_operation_and_asks_nobody_else() {
    if !Part::Browser.or_skip() {
        return;
    }
    let server = Server::start(&Options::on(&Database::Sqlite)).await;
    let browser = Chromium::start().await;
    let explorer = Explorer::open(&browser, &server.url()).await;

    let document = server.admin().get("/openapi.json").await.expect(200).body;
    assert_eq!(explorer.operations().await, operations(&document));
    for address in explorer.loaded().await {
        assert!(address.starts_with(&server.url()), "{address} is not ours");
    }
    assert_eq!(browser.errors().await, [""; 0]);
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_works_in_swagger_ui_as_a_header_and_as_a_bearer_until_logged_out() {
    if !Part::Browser.or_skip() {
        return;
    }
    let server = Server::start(&Options::on(&Database::Sqlite)).await;
    let browser = Chromium::start().await;
    let explorer = Explorer::open(&browser, &server.url()).await;
    let operation = explorer.expand("me", "show_me").await;
    assert_eq!(explorer.execute(&operation).await, "401");

    for scheme in [HEADER, BEARER] {
        explorer.authorize(scheme, &server.admin_key()).await;
        assert_eq!(explorer.execute(&operation).await, "200");
        explorer.log_out(scheme).await;
        assert_eq!(explorer.execute(&operation).await, "401");

        explorer.authorize(scheme, WRONG_KEY).await;
        assert_eq!(explorer.execute(&operation).await, "401");
        explorer.log_out(scheme).await;
    }
    browser.quit().await;
}

/// The operations of the document, as Swagger UI names them on its page.
fn operations(document: &Value) -> BTreeSet<String> {
    let items = document["paths"].as_object().unwrap().values();
    let operations = items.flat_map(|item| item.as_object().unwrap().values());
    let name = |operation: &Value| {
        let (tag, id) = (&operation["tags"][0], &operation["operationId"]);
        explorer::operation_id(tag.as_str().unwrap(), id.as_str().unwrap())
    };
    operations.map(name).collect()
}

/// Well formed, and nobody's.
const WRONG_KEY: &str = "ks_0123456789abcdefghijABCDEFGHIJ0123456789xyz3A8jxH";
