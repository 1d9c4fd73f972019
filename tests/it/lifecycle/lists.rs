//! Lists: filters, order and pages.

mod cursors;

use acceptance::{Answer, Api, Database, Key, on_each_database, started};
use serde_json::{Value, json};

use super::{EVENTS, KEYS, ROLES, VERIFIER, each, moment, pointers, role, until_expired};

on_each_database! {
    async fn each_filter_keeps_what_it_says(database: Database) {
        let (_server, admin) = started(&database).await;
        let billing = role(&admin, "billing", &["a.b"]).await;
        let soon = moment(&admin, 3).await;
        let expired = Key::made(&admin, json!({ "name": "expired", "expires_at": soon })).await;
        for new in [
            json!({ "name": "plain" }),
            json!({ "name": "off", "enabled": false }),
            json!({ "name": "ends", "expires_at": "2099-01-01T00:00:00Z" }),
            json!({ "name": "billing", "role_ids": [billing, VERIFIER] }),
            json!({ "name": "external", "external_id": "CRM 1&2" }),
        ] {
            Key::made(&admin, new).await;
        }
        until_expired(&admin, &expired.secret).await;
        let providers = admin.get(&format!("{EVENTS}?action=provider.created&sort=seq")).await;
        let id = each(&providers, "target")[0]["id"].as_str().unwrap().to_owned();
        let all = [
            "billing",
            "clock",
            "ends",
            "expired",
            "external",
            "First administrator",
            "off",
            "plain",
        ];

        for (filter, names) in [
            ("enabled=false", &["off"][..]),
            ("enabled=true&name=?l*", &["clock", "plain"]),
            ("expired=true", &["expired"]),
            ("expired=false&name=e*", &["ends", "external"]),
            ("expires_before=2099-01-01T00:00:00Z", &["expired"]),
            ("expires_before=2099-01-01T01:00:01%2B01:00", &["ends", "expired"]),
            (&format!("role_id={billing}"), &["billing"]),
            (&format!("role_id={VERIFIER}"), &["billing"]),
            ("role_id=1", &["First administrator"]),
            ("role_id=3", &[]),
            ("external_id=CRM%201%262", &["external"]),
            ("external_id=crm%201%262", &[]),
            ("provider=api-keys", &all),
            (&format!("provider={id}"), &all),
            ("provider=personal-access-tokens", &[]),
            ("unused_since=2020-01-01T00:00:00Z", &[]),
            ("unused_since=2099-01-01T00:00:00Z", &all),
            ("name=plain&enabled=false", &[]),
            ("", &all),
        ] {
            let list = admin.get(&format!("{KEYS}?sort=name&{filter}")).await.expect(200);
            assert_eq!(each(&list, "name"), names, "{filter}");
            assert_eq!(list.body["total"], names.len(), "{filter}");
        }
    }

    async fn wildcards_are_the_only_wildcards_and_case_does_not_count(database: Database) {
        let (_server, admin) = started(&database).await;
        for name in ["50% off", "50x off", "a_b", "axb", "a\\b", "ÄRGER", "x*y"] {
            role(&admin, name, &[]).await;
        }

        for (pattern, names) in [
            ("50%25*", &["50% off"][..]),
            ("50?*", &["50% off", "50x off"]),
            ("A_B", &["a_b"]),
            ("a?b", &["a\\b", "a_b", "axb"]),
            ("a\\b", &["a\\b"]),
            ("ärger", &["ÄRGER"]),
            ("ÄR*", &["ÄRGER"]),
            ("?rger", &["ÄRGER"]),
            ("*X*", &["50x off", "axb", "x*y"]),
            ("*-*", &["key-manager"]),
            ("*%25*", &["50% off"]),
            ("%25", &[]),
            ("", &[]),
            ("?", &[]),
        ] {
            let list = admin.get(&format!("{ROLES}?sort=name&name={pattern}")).await.expect(200);
            assert_eq!(each(&list, "name"), names, "{pattern}");
        }
        let most = admin.get(&format!("{ROLES}?name=*****")).await.expect(200);
        assert_eq!(most.body["total"], 11);
        for pattern in ["*a*a*a*a*a*".to_owned(), "x".repeat(201)] {
            let refused = admin.get(&format!("{ROLES}?name={pattern}")).await.expect(422);
            assert_eq!(pointers(&refused), ["name"]);
        }
    }

    async fn lists_are_sorted_both_ways(database: Database) {
        let (_server, admin) = started(&database).await;
        for (name, end) in [
            ("Beta", Some("2099-01-01T00:00:00Z")),
            ("alpha", Some("2098-01-01T00:00:00Z")),
            ("Gamma", None),
        ] {
            Key::made(&admin, json!({ "name": name, "expires_at": end, "external_id": "x" })).await;
        }

        for (sort, names) in [
            ("name", ["alpha", "Beta", "Gamma"]),
            ("created_at", ["Beta", "alpha", "Gamma"]),
            ("expires_at", ["alpha", "Beta", "Gamma"]),
        ] {
            let list = admin.get(&format!("{KEYS}?external_id=x&sort={sort}")).await.expect(200);
            assert_eq!(each(&list, "name"), names, "{sort}");
            let list = admin.get(&format!("{KEYS}?external_id=x&sort=-{sort}")).await.expect(200);
            assert_eq!(each(&list, "name"), [names[2], names[1], names[0]], "-{sort}");
        }
        let newest_first = admin.get(&format!("{KEYS}?external_id=x")).await.expect(200);
        assert_eq!(each(&newest_first, "name"), ["Gamma", "alpha", "Beta"]);
        for sort in ["key", "--name", "", "name,id", "Name", "+name"] {
            let refused = admin.get(&format!("{KEYS}?sort={sort}")).await.expect(422);
            assert_eq!(pointers(&refused), ["sort"], "{sort}");
        }
    }

    async fn pages_tell_their_place(database: Database) {
        let (_server, admin) = started(&database).await;
        make(&admin, "key", 25).await;
        let page = async |query: &str| {
            let list = admin.get(&format!("{KEYS}?name=key*&{query}")).await.expect(200);
            let place = ["total", "page", "limit"].map(|member| list.body[member].clone());
            (
                each(&list, "id").len(),
                place.map(|n| n.as_i64().unwrap()),
                list.body["next_cursor"] == json!(null),
            )
        };

        assert_eq!(page("").await, (20, [25, 1, 20], false));
        assert_eq!(page("page=2").await, (5, [25, 2, 20], true));
        assert_eq!(page("page=3").await, (0, [25, 3, 20], true));
        assert_eq!(page("limit=25").await, (25, [25, 1, 25], true));
        assert_eq!(page("limit=24").await, (24, [25, 1, 24], false));
        assert_eq!(page("limit=1&page=25").await, (1, [25, 25, 1], true));
        assert_eq!(page("limit=100&page=4294967295").await, (0, [25, 4_294_967_295, 100], true));
    }

    async fn pages_and_limits_out_of_range_are_refused(database: Database) {
        let (_server, admin) = started(&database).await;

        for list in [KEYS, ROLES, EVENTS] {
            for (name, values) in [
                ("limit", &["0", "101", "-1", "9223372036854775808", "a", "", "1.5", "1e1"][..]),
                ("page", &["0", "-1", "4294967296", "9223372036854775808", "a", ""]),
            ] {
                for value in values {
                    let answer = admin.get(&format!("{list}?{name}={value}")).await.expect(422);
                    assert_eq!(pointers(&answer.problem("invalid_request")), [name], "{value}");
                }
            }
            let unknown = admin.get(&format!("{list}?colour=blue")).await.expect(400);
            assert!(unknown.problem("unknown_fields").text_of("detail").contains("colour"));
            let twice = admin.get(&format!("{list}?limit=1&limit=2")).await.expect(400);
            assert_eq!(pointers(&twice), ["limit"]);
        }
    }

    async fn filters_that_mean_nothing_are_refused(database: Database) {
        let (_server, admin) = started(&database).await;

        for (name, value) in [
            ("enabled", "yes"),
            ("expired", ""),
            ("expires_before", "tomorrow"),
            ("unused_since", "2026-01-01"),
            ("role_id", "a"),
            ("role_id", "0"),
            ("provider", "nobody"),
            ("provider", "0199e7c4-5a34-7c80-8c1f-6a2b7f3d9e10"),
            ("external_id", ""),
        ] {
            let answer = admin.get(&format!("{KEYS}?{name}={value}")).await.expect(422);
            assert_eq!(pointers(&answer), [name], "{value}");
        }
    }
}

/// Makes keys of one name and returns their ids.
async fn make(admin: &Api, name: &str, count: usize) -> Vec<String> {
    let new = json!({ "api_keys": vec![json!({ "name": name }); count] });
    let made = admin.post(&format!("{KEYS}/batch"), new).await.expect(200);
    ids(&made)
}

/// The ids of a page.
fn ids(page: &Answer) -> Vec<String> {
    each(page, "id").iter().map(Value::to_string).collect()
}
