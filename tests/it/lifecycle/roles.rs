//! Roles: what they say, who may not lose them, and what stands in the way of deleting one.

use acceptance::{Answer, Api, Database, Key, on_each_database, started};
use reqwest::Method;
use serde_json::{Value, json};

use super::{EVENTS, ROLES, VERIFY, each, everything, head, pointers, role, role_made};

on_each_database! {
    async fn a_role_is_made_shown_changed_and_deleted(database: Database) {
        let (_server, admin) = started(&database).await;
        let other = role(&admin, "other", &["a.b"]).await;
        let new = json!({
            "name": "Billing",
            "description": "Reads invoices.",
            "permissions": ["invoices.read", "invoices.drafts.**"],
            "endpoints": [{ "methods": ["GET", "POST"], "path": "/billing/*/**" }],
            "may_grant": [other],
        });

        let created = admin.post(ROLES, new.clone()).await.expect(201);
        let path = created.header("location").to_owned();
        let shown = admin.get(&path).await.expect(200);
        assert_eq!(shown.body, created.body);
        assert_eq!(shown.header("etag"), created.header("etag"));
        assert_eq!(path, format!("{ROLES}/{}", shown.body["id"]));
        assert_eq!(shown.body["built_in"], false);
        assert_eq!(shown.body["permissions"], json!(["invoices.drafts.**", "invoices.read"]));
        for member in ["name", "description", "endpoints", "may_grant"] {
            assert_eq!(shown.body[member], new[member]);
        }

        let patch = json!({ "description": null, "permissions": ["invoices.*"] });
        let patched = admin.patch(&path, patch).await.expect(200);
        assert_ne!(patched.header("etag"), created.header("etag"));
        assert_eq!(patched.body["description"], Value::Null);
        assert_eq!(patched.body["permissions"], json!(["invoices.*"]));
        assert_eq!(patched.body["endpoints"], new["endpoints"]);

        admin.delete(&path).await.expect(204);
        admin.get(&path).await.expect(404).problem("not_found");

        let id = &shown.body["id"];
        let log = format!("{EVENTS}?target_kind=role&target_id={id}&sort=seq");
        let log = admin.get(&log).await.expect(200);
        assert_eq!(each(&log, "action"), ["role.created", "role.updated", "role.deleted"]);
        let (before, after) = (each(&log, "before"), each(&log, "after"));
        assert_eq!((&before[0], &after[2]), (&Value::Null, &Value::Null));
        assert_eq!(before[1..], after[..2]);
        assert_eq!(after[1]["permissions"], json!(["invoices.*"]));
        head(&admin).await;
    }

    async fn null_empties_lists_and_clears_no_name(database: Database) {
        let (_server, admin) = started(&database).await;
        let new = json!({
            "name": "billing",
            "permissions": ["a.b"],
            "endpoints": [{ "methods": ["*"], "path": "/**" }],
            "may_grant": [4],
        });
        let path = format!("{ROLES}/{}", role_made(&admin, new).await);

        for member in ["permissions", "endpoints", "may_grant"] {
            let patched = admin.patch(&path, json!({ member: null })).await.expect(200);
            assert_eq!(patched.body[member], json!([]));
        }
        let refused = admin.patch(&path, json!({ "name": null })).await.expect(422);
        assert_eq!(pointers(&refused), ["/name"]);
        for member in ["id", "built_in", "created_at", "version"] {
            let refused = admin.patch(&path, json!({ member: 1 })).await.expect(400);
            assert_eq!(pointers(&refused.problem("unknown_fields")), [format!("/{member}")]);
        }
    }

    async fn built_in_roles_stay_as_they_are(database: Database) {
        let (_server, admin) = started(&database).await;
        let before = everything(&admin).await;

        for id in 1..=4 {
            let path = format!("{ROLES}/{id}");
            for patch in [json!({ "name": "mine" }), json!({ "permissions": [] }), json!({})] {
                admin.patch(&path, patch).await.expect(409).problem("conflict");
            }
            admin.delete(&path).await.expect(409).problem("conflict");
        }

        assert_eq!(everything(&admin).await, before);
    }

    async fn a_role_in_use_is_not_deleted_and_the_answer_says_by_what(database: Database) {
        let (_server, admin) = started(&database).await;
        let used = role(&admin, "used", &["a.b"]).await;
        let path = format!("{ROLES}/{used}");
        let keys = [
            Key::holding(&admin, "one", &[used]).await,
            Key::holding(&admin, "two", &[used]).await,
        ];
        let granter = json!({ "name": "granter", "may_grant": [used] });
        let granter = format!("{ROLES}/{}", role_made(&admin, granter).await);
        let refused = async |by: &[&str]| {
            let refused = admin.delete(&path).await.expect(409).problem("conflict");
            for text in by {
                assert!(refused.text_of("detail").contains(text), "{refused}");
            }
        };

        refused(&["API keys that hold it: 2", "roles that may grant it: 1"]).await;
        admin.delete(&keys[0].at("")).await.expect(204);
        admin.patch(&keys[1].at(""), json!({ "role_ids": [] })).await.expect(200);
        refused(&["API keys that hold it: 0", "roles that may grant it: 1"]).await;
        admin.patch(&granter, json!({ "may_grant": [] })).await.expect(200);
        admin.delete(&path).await.expect(204);
    }

    async fn a_role_that_may_grant_itself_is_in_nobodys_way(database: Database) {
        let (_server, admin) = started(&database).await;
        let own = role(&admin, "own", &["a.b"]).await;
        let path = format!("{ROLES}/{own}");
        admin.patch(&path, json!({ "may_grant": [own] })).await.expect(200);

        admin.delete(&path).await.expect(204);
    }

    async fn no_two_roles_share_a_name_whatever_its_case(database: Database) {
        let (_server, admin) = started(&database).await;
        let path = format!("{ROLES}/{}", role(&admin, "Ärger im Büro", &[]).await);
        role(&admin, "other", &[]).await;
        let before = everything(&admin).await;

        for name in ["ärger im büro", "ÄRGER IM BÜRO", "Ärger im Büro", "Administrator"] {
            let created = admin.post(ROLES, json!({ "name": name })).await.expect(409);
            created.problem("conflict");
        }
        admin.patch(&path, json!({ "name": "OTHER" })).await.expect(409).problem("conflict");
        assert_eq!(everything(&admin).await, before);

        // Its own name is free for it.
        let renamed = admin.patch(&path, json!({ "name": "ÄRGER im Büro" })).await.expect(200);
        assert_eq!(renamed.text_of("name"), "ÄRGER im Büro");
    }

    async fn what_no_role_can_say_is_refused_with_its_place(database: Database) {
        let (_server, admin) = started(&database).await;
        let before = everything(&admin).await;
        let rule = |methods: Value, path: &str| json!([{ "methods": methods, "path": path }]);

        for (member, value, pointer) in [
            ("permissions", json!(["a.b", "A.b"]), "/permissions/1"),
            ("permissions", json!(["a..b"]), "/permissions/0"),
            ("permissions", json!(["a.**.b"]), "/permissions/0"),
            ("permissions", json!(["a*"]), "/permissions/0"),
            ("permissions", json!([""]), "/permissions/0"),
            ("permissions", json!(["a.b.c.d.e.f.g.h.i"]), "/permissions/0"),
            ("permissions", json!([1]), "/permissions/0"),
            ("permissions", json!("a.b"), "/permissions"),
            ("permissions", json!(vec!["a.b"; 201]), "/permissions"),
            ("endpoints", rule(json!(["get"]), "/a"), "/endpoints/0"),
            ("endpoints", rule(json!([]), "/a"), "/endpoints/0"),
            ("endpoints", rule(json!(["GET", "*"]), "/a"), "/endpoints/0"),
            ("endpoints", rule(json!(["GET"]), "a"), "/endpoints/0"),
            ("endpoints", rule(json!(["GET"]), "/a/../b"), "/endpoints/0"),
            ("endpoints", rule(json!(["GET"]), "/a/**/b"), "/endpoints/0"),
            ("may_grant", json!([999]), "/may_grant"),
            ("may_grant", json!([0]), "/may_grant/0"),
            ("name", json!(""), "/name"),
            ("name", json!("x".repeat(201)), "/name"),
        ] {
            let mut new = json!({ "name": "role" });
            new[member] = value.clone();
            let answer = admin.post(ROLES, new).await.expect(422);
            assert_eq!(pointers(&answer), [pointer], "{value}");
        }
        admin.post(ROLES, json!({ "permissions": [] })).await.expect(422);

        assert_eq!(everything(&admin).await, before);
    }

    async fn a_changed_role_counts_at_once_for_all_who_hold_it(database: Database) {
        let (_server, admin) = started(&database).await;
        let id = role(&admin, "billing", &["invoices.read"]).await;
        let key = Key::holding(&admin, "CI", &[id]).await;
        let may = async |permission: &str, path: &str| {
            let endpoint = json!({ "method": "GET", "path": path });
            let question = json!({
                "credential": key.secret, "permissions": [permission], "endpoint": endpoint,
            });
            let verdict = admin.post(VERIFY, question).await.expect(200);
            verdict.body["valid"].as_bool().unwrap()
        };
        let path = format!("{ROLES}/{id}");
        assert!(!may("invoices.read", "/billing").await, "permissions open no endpoint");

        let rules = json!([{ "methods": ["GET"], "path": "/billing" }]);
        admin.patch(&path, json!({ "endpoints": rules })).await.expect(200);
        assert!(may("invoices.read", "/billing").await);
        admin.patch(&path, json!({ "permissions": ["invoices.write"] })).await.expect(200);
        assert!(!may("invoices.read", "/billing").await);
        assert!(may("invoices.write", "/billing").await);
        admin.patch(&path, json!({ "endpoints": [] })).await.expect(200);
        assert!(!may("invoices.write", "/billing").await);
    }

    async fn a_role_of_another_version_is_not_changed(database: Database) {
        let (_server, admin) = started(&database).await;
        let path = format!("{ROLES}/{}", role(&admin, "role", &[]).await);
        let first = admin.get(&path).await.expect(200).header("etag").to_owned();
        if_match(&admin, Method::PATCH, &path, &first).await.expect(200);

        for method in [Method::PATCH, Method::DELETE] {
            let stale = if_match(&admin, method, &path, &first).await.expect(412);
            stale.problem("precondition_failed");
        }
        if_match(&admin, Method::DELETE, &path, "*").await.expect(204);
    }

    async fn what_is_no_id_names_no_role(database: Database) {
        let (_server, admin) = started(&database).await;

        for id in ["0", "-1", "999", "a", "1.5", "01", "+1", "1%00", "99999999999999999999"] {
            for method in [Method::GET, Method::PATCH, Method::DELETE] {
                let answer = if_match(&admin, method, &format!("{ROLES}/{id}"), "*").await;
                answer.expect(404).problem("not_found");
            }
        }
    }
}

async fn if_match(admin: &Api, method: Method, path: &str, tag: &str) -> Answer {
    let request = admin.request(method.clone(), path).header("if-match", tag);
    let patch = json!({ "description": "changed" });
    let request = if method == Method::PATCH { request.json(&patch) } else { request };
    Answer::to(request).await.unwrap()
}
