//! A ticket in the URL of another service, which a gateway asks about.

use acceptance::{Caller, Database, on_each_database, started};
use reqwest::Method;
use serde_json::json;

use super::{KEYS, ticket};

on_each_database! {
    async fn a_ticket_opens_one_endpoint_behind_a_gateway_once(database: Database) {
        let (_server, admin) = started(&database).await;
        let role = json!({
            "name": "reports",
            "endpoints": [{ "methods": ["GET"], "path": "/reports/**" }],
        });
        let role = admin.post("/api/v1/roles", role).await.expect(201).body["id"].clone();
        let made = admin.post(KEYS, json!({ "name": "k", "role_ids": [role] })).await.expect(201);
        let holder = admin.with(Caller::Header(made.text_of("key").to_owned()));

        let url = ticket(&holder, "GET", "/reports/2026.pdf").await;
        let secret = url.split_once("ticket=").unwrap().1;
        for (method, uri) in [
            (Method::POST, url.clone()),
            (Method::OPTIONS, url.clone()),
            (Method::GET, format!("/reports/2025.pdf?ticket={secret}")),
            (Method::GET, format!("/reports/../reports/2026.pdf?ticket={secret}")),
        ] {
            admin.ask_at_gateway(method, &uri, &[]).await.expect(401);
        }
        let uri = format!("/reports/2026%2Epdf?a=1&ticket={secret}&b");
        let passed = admin.ask_at_gateway(Method::GET, &uri, &[]).await.expect(200);
        assert_eq!(passed.header("x-keystile-credential-id"), made.text_of("id"));
        assert_eq!(passed.header("x-keystile-uri"), "/reports/2026%2Epdf?a=1&b");
        admin.ask_at_gateway(Method::GET, &uri, &[]).await.expect(401);

        // It is made for whatever path, and opens no more than its maker may at its use.
        let url = ticket(&holder, "GET", "/billing").await;
        let refused = admin.ask_at_gateway(Method::GET, &url, &[]).await.expect(403);
        refused.problem("endpoint_not_allowed");
        admin.ask_at_gateway(Method::GET, &url, &[]).await.expect(401);
    }
}
