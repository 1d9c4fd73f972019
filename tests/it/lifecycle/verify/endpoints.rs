//! Endpoints that are asked: what a rule opens, and the paths that upstreams read in two ways.

use acceptance::{Database, Key, on_each_database, started};
use serde_json::json;

use super::code_of;
use crate::lifecycle::{ADMINISTRATOR, role_made};

on_each_database! {
    async fn a_rule_opens_what_it_says_and_nothing_beside(database: Database) {
        let (_server, admin) = started(&database).await;
        let endpoints = json!([
            { "methods": ["GET"], "path": "/billing/**" },
            { "methods": ["POST", "PUT"], "path": "/users/*/keys" },
            { "methods": ["*"], "path": "/open" },
        ]);
        let gate = json!({ "name": "gate", "endpoints": endpoints });
        let key = Key::holding(&admin, "CI", &[role_made(&admin, gate).await]).await;

        for (method, path, opens) in [
            ("GET", "/billing", true),
            ("GET", "/billing/", true),
            ("GET", "/billing/v1/invoices?page=2", true),
            ("HEAD", "/billing/v1", true),
            ("POST", "/billing/v1", false),
            ("get", "/billing", false),
            ("GET", "/billings", false),
            ("GET", "/Billing", false),
            ("POST", "/users/7/keys", true),
            ("PUT", "/users/7/keys", true),
            ("HEAD", "/users/7/keys", false),
            ("POST", "/users//keys", false),
            ("POST", "/users/7/8/keys", false),
            ("POST", "/users/7/keys/", false),
            ("POST", "/users/%37/keys", true),
            ("PURGE", "/open", true),
            ("GET", "/open/", false),
            ("GET", "/", false),
        ] {
            let endpoint = json!({ "method": method, "path": path });
            let code = code_of(&admin, json!({ "credential": key.secret, "endpoint": endpoint }));
            let expected = if opens { "valid" } else { "endpoint_not_allowed" };
            assert_eq!(code.await, expected, "{method} {path}");
        }
    }

    async fn a_path_that_can_be_read_in_two_ways_opens_for_nobody(database: Database) {
        let (_server, admin) = started(&database).await;
        let gate = json!({ "methods": ["*"], "path": "/billing/**" });
        let gate = role_made(&admin, json!({ "name": "gate", "endpoints": [gate] })).await;
        let key = Key::holding(&admin, "CI", &[gate]).await;
        // Every endpoint is open to the administrator, but these are none.
        let root = Key::holding(&admin, "root", &[ADMINISTRATOR]).await;

        for path in [
            "",
            "billing",
            "*",
            "http://h/billing",
            "//billing",
            "/billing//x",
            "/billing/../admin",
            "/billing/..",
            "/billing/./x",
            "/billing/%2e%2e/admin",
            "/billing/.%2e/admin",
            "/billing/%2E%2E%2Fadmin",
            "/billing/..%2fadmin",
            "/billing%2f..%2fadmin",
            "/billing/%252e%252e/admin",
            "/billing/%25%32%65",
            "/billing/..;/admin",
            "/billing;x=1",
            "/billing/%3b",
            "/billing\\..\\admin",
            "/billing/%5c..%5cadmin",
            "/billing/x#y",
            "/billing/%23",
            "/billing/%3fx",
            "/billing/%00",
            "/billing/\u{0}",
            "/billing/%0d%0aX:1",
            "/billing/%",
            "/billing/%zz",
            "/billing/%c0%ae%c0%ae/admin",
            "/billing/%ff",
            "/billing/\u{e9}",
            "/billing/\u{ff0e}\u{ff0e}/admin",
            "/billing/a b",
            "/billing/\t",
        ] {
            for key in [&key, &root] {
                let endpoint = json!({ "method": "GET", "path": path });
                let question = json!({ "credential": key.secret, "endpoint": endpoint });
                assert_eq!(code_of(&admin, question).await, "endpoint_not_allowed", "{path:?}");
            }
        }
        for method in ["", "GET /", "G T", "GET\r\n", "G\u{c9}T"] {
            let endpoint = json!({ "method": method, "path": "/billing" });
            let question = json!({ "credential": root.secret, "endpoint": endpoint });
            assert_eq!(code_of(&admin, question).await, "endpoint_not_allowed", "{method:?}");
        }
    }
}
