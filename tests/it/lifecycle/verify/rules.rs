//! The rules that a question gives something to, and how they explain themselves.

use acceptance::{Database, Key, on_each_database, started};
use serde_json::{Value, json};

use super::{ask, code_of};
use crate::lifecycle::{ME, ROLES, role};

on_each_database! {
    async fn permissions_are_asked_as_a_list_or_an_expression(database: Database) {
        let (_server, admin) = started(&database).await;
        let roles = [
            role(&admin, "one", &["invoices.*", "a.**"]).await,
            role(&admin, "two", &["*.read"]).await,
        ];
        let key = Key::holding(&admin, "CI", &roles).await;

        for (permissions, held) in [
            (json!([]), true),
            (json!(["invoices.read"]), true),
            (json!(["invoices.read", "a.b.c", "orders.read"]), true),
            (json!(["invoices.read", "orders.write"]), false),
            (json!(["invoices.drafts.read"]), false),
            (json!(["invoices"]), false),
            (json!(["a"]), false),
            (json!(["invoices.*"]), true),
            (json!(["a.*"]), true),
            (json!(["a.**"]), true),
            (json!(["*.*"]), false),
            (json!(["**"]), false),
            (json!("invoices.read"), true),
            (json!("orders.write or invoices.read"), true),
            (json!("orders.write and invoices.read"), false),
            (json!("orders.write and x.y or invoices.read"), true),
            (json!("orders.write and (x.y or invoices.read)"), false),
            (json!("invoices.read and (a.b or c.d)"), true),
            (json!("(((invoices.read)))"), true),
        ] {
            let question = json!({ "credential": key.secret, "permissions": permissions });
            let verdict = ask(&admin, question).await;
            assert_eq!(verdict.body["valid"], held, "{permissions}");
            let expected = if held { "valid" } else { "insufficient_permissions" };
            assert_eq!(verdict.body["code"], expected, "{permissions}");
        }
    }

    async fn outside_its_ranges_or_without_an_address_a_key_is_refused(database: Database) {
        let (_server, admin) = started(&database).await;
        let ranges = json!(["10.0.0.0/8", "2001:db8::/32", "192.0.2.7"]);
        let key = Key::made(&admin, json!({ "name": "CI", "allowed_ips": ranges })).await;

        for (ip, allowed) in [
            (json!("10.1.2.3"), true),
            (json!("192.0.2.7"), true),
            (json!("2001:db8::1"), true),
            (json!("::ffff:10.1.2.3"), true),
            (json!("11.0.0.1"), false),
            (json!("192.0.2.8"), false),
            (json!("2001:db9::1"), false),
            (json!("::ffff:11.0.0.1"), false),
            (Value::Null, false),
        ] {
            let code = code_of(&admin, json!({ "credential": key.secret, "ip": ip })).await;
            assert_eq!(code, if allowed { "valid" } else { "ip_not_allowed" }, "{ip}");
        }
        key.api(&admin).get(ME).await.expect(403).problem("ip_not_allowed");
        admin.patch(&key.at(""), json!({ "allowed_ips": ["127.0.0.0/8"] })).await.expect(200);
        key.api(&admin).get(ME).await.expect(200);
    }

    async fn place_and_transport_count_where_they_are_told(database: Database) {
        let (_server, admin) = started(&database).await;
        let key = Key::holding(&admin, "CI", &[]).await;

        for (member, value, code) in [
            ("source", "header", "valid"),
            ("source", "bearer", "valid"),
            ("source", "query", "source_not_allowed"),
            ("transport", "secure", "valid"),
            ("transport", "insecure", "insecure_transport"),
        ] {
            let question = json!({ "credential": key.secret, member: value });
            assert_eq!(code_of(&admin, question).await, code, "{value}");
        }
    }

    async fn an_explanation_lists_every_rule_and_the_missing_grant(database: Database) {
        let (_server, admin) = started(&database).await;
        let billing = role(&admin, "billing", &["invoices.read"]).await;
        let key = Key::holding(&admin, "CI", &[billing]).await;
        let endpoint = json!({ "method": "GET", "path": "/x" });
        let question = json!({
            "credential": key.secret,
            "permissions": "invoices.read and (a.b and c.d or invoices.write)",
            "endpoint": endpoint,
            "source": "query",
            "explain": true,
        });

        let verdict = ask(&admin, question).await;

        let explanation = &verdict.body["explanation"];
        let rules = explanation["rules"].as_array().unwrap().iter();
        let rules: Vec<_> = rules
            .map(|it| (it["rule"].as_str().unwrap(), it["outcome"].as_str().unwrap()))
            .collect();
        assert_eq!(
            rules,
            [
                ("enabled", "pass"),
                ("not_expired", "pass"),
                ("provider_enabled", "pass"),
                ("owner_enabled", "skip"),
                ("source_allowed", "fail"),
                ("transport_secure", "skip"),
                ("ip_allowed", "skip"),
                ("permissions_held", "fail"),
                ("endpoint_allowed", "fail"),
                ("quota", "skip"),
                ("rate_limits", "skip"),
            ]
        );
        assert_eq!(verdict.body["code"], "source_not_allowed", "the first that fails settles it");
        assert_eq!(explanation["missing"]["permissions"], json!(["invoices.write"]));
        assert_eq!(explanation["missing"]["endpoint"], endpoint);

        let plain = ask(&admin, json!({ "credential": key.secret, "explain": true })).await;
        assert_eq!(plain.body["explanation"]["missing"], Value::Null);
        let unasked = ask(&admin, json!({ "credential": key.secret })).await;
        assert_eq!(unasked.body["explanation"], Value::Null);
    }

    async fn the_missing_grant_is_enough(database: Database) {
        let (_server, admin) = started(&database).await;
        let billing = role(&admin, "billing", &[]).await;
        let key = Key::holding(&admin, "CI", &[billing]).await;
        let question = json!({
            "credential": key.secret,
            "permissions": "a.b and (c.d or e.f and g.h)",
            "endpoint": { "method": "POST", "path": "/x/y" },
            "explain": true,
        });
        let missing = ask(&admin, question.clone()).await.body["explanation"]["missing"].clone();

        let rule = json!({ "methods": ["POST"], "path": missing["endpoint"]["path"] });
        let patch = json!({ "permissions": missing["permissions"], "endpoints": [rule] });
        admin.patch(&format!("{}/{billing}", ROLES), patch).await.expect(200);

        assert_eq!(code_of(&admin, question).await, "valid");
    }
}
