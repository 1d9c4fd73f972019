//! Which keys deserve somebody's attention, and what they would have needed.

use std::time::Duration;

use acceptance::{Database, on_each_database};
use keystile_auth::Clock;
use serde_json::{Value, json};

use crate::stage::{Stage, text_at};

on_each_database! {
    async fn each_insight_has_its_keys_and_says_where_all_of_them_are(database: Database) {
        let stage = Stage::new(database).await;
        let ending = |name: &str, days: i64| json!({"name": name, "expires_at": text_at(days * DAY)});
        stage.set_clock(1);
        let (_, used) = stage.admin().new_key(json!({"name": "used"})).await;
        stage.client(&used).get(ME).await.expect(200);
        let unused = [
            json!({"name": "never"}),
            json!({"name": "off", "enabled": false}),
            ending("over", 99),
            ending("soon", 129),
            ending("sooner", 101),
            ending("late", 131),
        ];
        for (moment, new) in (2..).zip(unused) {
            stage.set_clock(moment);
            stage.admin().new_key(new).await;
        }
        stage.set_clock(100 * DAY);
        stage.admin().new_key(json!({"name": "young"})).await;
        stage.flush_usage().await;

        let insights = stage.admin().get("/api/v1/insights").await.expect(200).body;

        for (insight, expected) in [
            ("never_used", vec!["never", "soon", "sooner", "late"]),
            ("unused", vec!["used"]),
            ("expiring", vec!["sooner", "soon"]),
            ("without_expiry", vec![FIRST, "used", "never", "young"]),
        ] {
            let found = &insights[insight];
            assert_eq!(names(found), expected, "{insight}");
            assert_eq!(found["total"], expected.len(), "{insight}");
            let list = stage.admin().get(found["list"].as_str().unwrap()).await.expect(200);
            assert_eq!(list.body["data"], found["data"], "{insight}");
        }
    }

    async fn days_move_the_lines(database: Database) {
        let stage = Stage::new(database).await;
        stage.set_clock(1);
        let (_, key) = stage.admin().new_key(json!({"name": "k"})).await;
        stage.client(&key).get(ME).await.expect(200);
        stage.admin().new_key(json!({"name": "never", "expires_at": text_at(10 * DAY)})).await;
        stage.flush_usage().await;
        stage.set_clock(5 * DAY);
        for (query, insight, expected) in [
            ("unused_days=4", "unused", vec![FIRST, "k"]),
            ("unused_days=5", "unused", vec![]),
            ("older_than_days=4", "never_used", vec!["never"]),
            ("older_than_days=5", "never_used", vec![]),
            ("expiring_days=5", "expiring", vec![]),
            ("expiring_days=6", "expiring", vec!["never"]),
        ] {
            let insights = stage.admin().get(&format!("/api/v1/insights?{query}")).await.expect(200);
            assert_eq!(names(&insights.body[insight]), expected, "{query}");
        }
        for name in ["unused_days", "expiring_days", "older_than_days"] {
            for days in [-1, 3_651] {
                let asked = stage.admin().get(&format!("/api/v1/insights?{name}={days}")).await;
                asked.refuses(name, "must be from 0 to 3650");
            }
        }
    }

    async fn ten_of_each_are_shown_and_all_are_counted(database: Database) {
        let stage = Stage::new(database).await;
        for number in 0..11 {
            stage.admin().new_key(json!({"name": format!("{number}")})).await;
        }
        let insights = stage.admin().get("/api/v1/insights").await.expect(200);
        let found = &insights.body["without_expiry"];
        assert_eq!((names(found).len(), &found["total"]), (10, &json!(12)));
    }

    async fn a_key_that_needed_less_than_it_holds_is_told_what_is_enough(database: Database) {
        let stage = Stage::new(database).await;
        let wide = role(&stage, json!({
            "name": "wide",
            "permissions": ["invoices.**", "reports.read"],
            "endpoints": [
                {"methods": ["*"], "path": "/a/**"},
                {"methods": ["GET"], "path": "/b"},
            ],
        })).await;
        let spare = role(&stage, json!({"name": "spare", "permissions": ["more"]})).await;
        let (_, key) = stage.admin().new_key(json!({"name": "k", "role_ids": [wide, spare]})).await;
        for question in [
            json!({"permissions": ["invoices.read", "invoices.drafts.read"]}),
            json!({"permissions": "more.x or invoices.read"}),
            json!({"permissions": ["other"]}),
            json!({"endpoint": {"method": "HEAD", "path": "/a/1"}}),
            json!({"endpoint": {"method": "PUT", "path": "/a"}}),
            json!({"endpoint": {"method": "GET", "path": "/c"}}),
        ] {
            ask(&stage, &key, question).await;
        }

        let found = over_granted(&stage).await;

        assert_eq!(names(&found), ["k"]);
        assert_eq!(excess(&found["data"][0]), json!({
            "unexercised_permissions": ["more", "reports.read"],
            "unexercised_endpoints": [{"methods": ["GET"], "path": "/b"}],
            "sufficient_permissions": ["invoices.drafts.read", "invoices.read"],
            "sufficient_endpoints": [{"methods": ["HEAD", "PUT"], "path": "/a/**"}],
            "spare_role_ids": [spare],
            "may_need_more": false,
        }));
    }

    async fn what_keystile_itself_asks_for_counts_as_needed(database: Database) {
        let stage = Stage::new(database).await;
        let (_, key) = stage.admin().new_key(json!({"name": "k", "role_ids": [KEY_MANAGER]})).await;
        let client = stage.client(&key);
        client.get("/api/v1/api-keys").await.expect(200);
        client.get("/api/v1/audit-events").await.expect(403);
        // The ceiling asks for the powers of the role, and whether it may be handed out.
        client.new_key(json!({"name": "made", "role_ids": [VERIFIER]})).await;
        let business = role(&stage, json!({"name": "r", "permissions": ["a"]})).await;
        client.new_key(json!({"name": "made", "role_ids": [business]})).await;

        let found = over_granted(&stage).await;

        assert_eq!(names(&found), ["k"]);
        let key = excess(&found["data"][0]);
        assert_eq!(key["sufficient_permissions"], json!([
            "keystile.api_keys.read",
            "keystile.api_keys.write",
            "keystile.keys.verify",
            "keystile.roles.assign",
        ]));
        assert_eq!(key["may_need_more"], false);
    }

    async fn of_powers_that_would_each_do_the_one_that_did_is_needed(database: Database) {
        let stage = Stage::new(database).await;
        let (_, key) = stage.admin().new_key(json!({"name": "k", "role_ids": [KEY_MANAGER]})).await;
        let robot = json!({"username": "robot", "is_service_account": true});
        let robot = stage.admin().post("/api/v1/users", robot).await.expect(201);
        let tokens = format!("/api/v1/users/{}/tokens", robot.text("id"));
        stage.client(&key).get(&tokens).await.expect(200);

        let found = over_granted(&stage).await;

        let sufficient = &found["data"][0]["sufficient_permissions"];
        assert_eq!(*sufficient, json!(["keystile.tokens.read"]));
    }

    async fn a_key_that_was_needed_for_nobody_knows_what_is_told_so(database: Database) {
        let stage = Stage::new(database).await;
        let role = role(&stage, json!({"name": "r", "permissions": ["a", "b"]})).await;
        let mut keys = Vec::new();
        for name in ["asked", "unasked", "traded"] {
            let new = json!({"name": name, "role_ids": [role]});
            keys.push(stage.admin().new_key(new).await.1);
        }
        for key in &keys {
            ask(&stage, key, json!({"permissions": ["a"]})).await;
        }
        ask(&stage, &keys[1], json!({"permissions": []})).await;
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token", &keys[2]),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ];
        let trade = actix_web::test::TestRequest::post().uri("/oauth2/token").set_form(form);
        stage.answer(trade).await.expect(200);

        let found = over_granted(&stage).await;

        for key in found["data"].as_array().unwrap() {
            assert_eq!(key["sufficient_permissions"], json!(["a"]));
            assert_eq!(key["may_need_more"], key["name"] != "asked", "{key}");
        }
        assert_eq!(names(&found).len(), 3);
    }

    async fn keys_are_compared_only_with_what_is_known_of_them(database: Database) {
        let stage = Stage::new(database).await;
        let role = role(&stage, json!({"name": "r", "permissions": ["a", "b"]})).await;
        let held = |name: &str| json!({"name": name, "role_ids": [role]});
        let (_, exact) = stage.admin().new_key(held("exact")).await;
        ask(&stage, &exact, json!({"permissions": ["a", "b"]})).await;
        let (_, unused) = stage.admin().new_key(held("never let in")).await;
        ask(&stage, &unused, json!({"permissions": ["c"]})).await;
        let (path, off) = stage.admin().new_key(held("off")).await;
        ask(&stage, &off, json!({"permissions": ["a"]})).await;
        stage.admin().patch(&path, json!({"enabled": false})).await.expect(200);

        assert_eq!(names(&over_granted(&stage).await), [""; 0]);
    }

    async fn the_list_of_keys_with_too_much_goes_on_behind_its_cursor(database: Database) {
        let stage = Stage::new(database).await;
        let role = role(&stage, json!({"name": "r", "permissions": ["a", "b"]})).await;
        for number in 1..=5 {
            stage.set_clock(number);
            let new = json!({"name": format!("k{number}"), "role_ids": [role]});
            let (_, key) = stage.admin().new_key(new).await;
            ask(&stage, &key, json!({"permissions": ["a"]})).await;
        }
        stage.set_clock(6);
        stage.flush_usage().await;
        let mut url = format!("{LIST}&limit=2");
        let mut seen = Vec::new();
        for total in [json!(6), Value::Null, Value::Null] {
            let part = stage.admin().get(&url).await.expect(200).body;
            assert_eq!((&part["total"], &part["limit"]), (&total, &json!(2)));
            seen.extend(names(&part).into_iter().map(str::to_owned));
            let Some(cursor) = part["next_cursor"].as_str() else { break };
            url = format!("{LIST}&limit=2&cursor={cursor}");
        }
        assert_eq!(seen, [FIRST, "k1", "k2", "k3", "k4", "k5"]);
        let foreign = url.replace("older_than_days=0", "older_than_days=1");
        let refused = stage.admin().get(&foreign).await.expect(400);
        assert_eq!(refused.text("code"), "invalid_cursor");
        stage.admin().get(&format!("{LIST}&limit=101")).await.refuses("limit", "must be from 1 to 100");
    }

    async fn what_was_needed_is_forgotten_with_the_usage(database: Database) {
        let stage = Stage::new(database).await;
        let role = role(&stage, json!({"name": "r", "permissions": ["a", "b"]})).await;
        let new = json!({"name": "k", "role_ids": [role]});
        let (_, key) = stage.admin().new_key(new).await;
        ask(&stage, &key, json!({"permissions": ["a"]})).await;
        assert_eq!(names(&over_granted(&stage).await), ["k"]);

        stage.set_clock(30 * DAY);
        ask(&stage, &key, json!({"permissions": ["b"]})).await;
        stage.flush_usage().await;
        assert_eq!(names(&over_granted(&stage).await), [""; 0]);
        let retention = Duration::from_secs(10 * 24 * 60 * 60);
        stage.state.keystile.forget_usage(retention).await.unwrap();

        let found = over_granted(&stage).await;
        assert_eq!(found["data"][0]["unexercised_permissions"], json!(["a"]));
    }
}

async fn role(stage: &Stage, new: Value) -> Value {
    stage.admin().post("/api/v1/roles", new).await.expect(201).body["id"].clone()
}

async fn ask(stage: &Stage, key: &str, mut question: Value) {
    question["credential"] = json!(key);
    stage.admin().post("/api/v1/verify", question).await.expect(200);
}

/// The keys with too much, but for the administrator's, which never needs all of it.
async fn over_granted(stage: &Stage) -> Value {
    stage.flush_usage().await;
    // What was made at this very moment is not older than that.
    stage.clock.set(stage.clock.now().after(Duration::from_millis(1)));
    let mut found = stage.admin().get(LIST).await.expect(200).body;
    let insights = stage.admin().get("/api/v1/insights?older_than_days=0").await.expect(200);
    assert_eq!(insights.body["over_granted"]["data"], found["data"]);
    assert_eq!(insights.body["over_granted"]["total"], found["total"]);
    let data = found["data"].as_array_mut().unwrap();
    data.retain(|key| key["name"] != FIRST);
    found
}

fn excess(key: &Value) -> Value {
    let is_about_it = |name: &str| {
        ["unexercised", "sufficient", "spare", "may_need"].iter().any(|it| name.starts_with(it))
    };
    let members = key.as_object().unwrap().iter().filter(|(name, _)| is_about_it(name));
    members.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn names(list: &Value) -> Vec<&str> {
    let data = list["data"].as_array().unwrap_or_else(|| panic!("no list: {list}"));
    data.iter().map(|key| key["name"].as_str().unwrap()).collect()
}

const DAY: i64 = 24 * 60 * 60 * 1_000;
const FIRST: &str = "First administrator";
const KEY_MANAGER: i64 = 2;
const LIST: &str = "/api/v1/insights/over-granted?older_than_days=0";
const ME: &str = "/api/v1/me";
const VERIFIER: i64 = 4;
