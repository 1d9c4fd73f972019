//! What is counted, under which hour and day, and what is shown of it.

use std::time::Duration;

use acceptance::{Database, on_each_database};
use actix_web::http::Method;
use serde_json::{Value, json};

use crate::{
    client::Answer,
    stage::{Stage, text_at},
};

on_each_database! {
    async fn checks_are_counted_by_how_they_went(database: Database) {
        let stage = Stage::new(database).await;
        let (path, key) = reader(&stage).await;
        let client = stage.client(&key);

        client.get(ME).await.expect(200);
        client.get(KEYS).await.expect(200);
        client.get("/api/v1/roles").await.expect(403);
        for (question, code) in [
            (json!({}), "valid"),
            (json!({"permissions": ["a.b"]}), "insufficient_permissions"),
            (json!({"source": "query"}), "source_not_allowed"),
            (json!({"transport": "insecure"}), "insecure_transport"),
        ] {
            assert_eq!(verdict(&stage, &key, question).await, code);
        }
        stage.admin().patch(&path, json!({"enabled": false})).await.expect(200);
        client.get(ME).await.expect(401);
        client.get(ME).await.expect(401);

        let day = json!({"at": "2027-01-15T00:00:00Z", "allowed": 4, "refused": {
            "disabled": 2,
            "insecure_transport": 1,
            "insufficient_permissions": 1,
            "source_not_allowed": 1,
        }});
        assert_eq!(periods(&stage, &path, "").await, json!([day]));
    }

    async fn what_is_counted_is_not_shown_before_it_is_written_and_then_once(database: Database) {
        let stage = Stage::new(database).await;
        let (path, key) = reader(&stage).await;
        let shown = async || shown(&stage, &path, "").await;

        stage.client(&key).get(ME).await.expect(200);
        assert_eq!(shown().await["data"], json!([]));
        for _ in 0..2 {
            stage.flush_usage().await;
            assert_eq!(shown().await["data"][0]["allowed"], 1);
        }
        stage.client(&key).get(ME).await.expect(200);
        stage.flush_usage().await;
        assert_eq!(shown().await["data"][0]["allowed"], 2);
    }

    async fn hours_and_days_change_at_their_borders_in_utc(database: Database) {
        let stage = Stage::new(database).await;
        let (path, key) = reader(&stage).await;
        // From 08:00 on the 15th: the last millisecond of the day, and the first of the next.
        for offset in [0, HOUR - 1, HOUR, 16 * HOUR - 1, 16 * HOUR] {
            stage.set_clock(offset);
            stage.client(&key).get(ME).await.expect(200);
        }

        let counted = |at: &str, allowed: i64| json!({"at": at, "allowed": allowed, "refused": {}});
        let hours = [
            counted("2027-01-15T08:00:00Z", 2),
            counted("2027-01-15T09:00:00Z", 1),
            counted("2027-01-15T23:00:00Z", 1),
            counted("2027-01-16T00:00:00Z", 1),
        ];
        let days = [counted("2027-01-15T00:00:00Z", 4), counted("2027-01-16T00:00:00Z", 1)];
        for (query, expected) in [
            ("", json!(days)),
            ("?by=day", json!(days)),
            ("?by=hour", json!(hours)),
            ("?by=hour&since=2027-01-15T09:59:00Z", json!(hours[1..])),
            ("?by=hour&since=2027-01-15T10:00:00%2B01:00", json!(hours[1..])),
            ("?by=hour&until=2027-01-16T00:00:00Z", json!(hours[..3])),
            ("?by=hour&until=2027-01-16T00:00:00.001Z", json!(hours)),
            ("?since=2027-01-15T23:59:59Z&until=2027-01-16T00:00:00Z", json!(days[..1])),
            ("?since=2027-01-16T00:00:00Z", json!(days[1..])),
            ("?since=2027-01-17T00:00:00Z&until=2027-01-18T00:00:00Z", json!([])),
        ] {
            assert_eq!(periods(&stage, &path, query).await, expected, "{query}");
        }
    }

    async fn without_a_beginning_seven_days_are_shown(database: Database) {
        let stage = Stage::new(database).await;
        let (path, key) = reader(&stage).await;
        stage.client(&key).get(ME).await.expect(200);

        for (days, expected) in [(6, 1), (7, 0)] {
            stage.set_clock(days * DAY + 15 * HOUR);
            let counted = periods(&stage, &path, "").await.as_array().unwrap().len();
            assert_eq!(counted, expected, "after {days} days");
        }
    }

    async fn a_window_that_means_nothing_is_refused(database: Database) {
        let stage = Stage::new(database).await;
        let (path, _) = reader(&stage).await;
        let asked = async |query: &str| stage.admin().get(&format!("{path}/usage?{query}")).await;

        for (query, name, rule) in [
            ("by=week", "by", "must be day or hour"),
            ("since=now", "since", RFC3339),
            ("until=", "until", RFC3339),
            ("since=2027-01-15T08:00:00.001Z", "since", "must be before until"),
            ("since=2027-01-14T00:00:00Z&until=2027-01-14T00:00:00Z", "since", "must be before until"),
            ("by=hour&since=2026-12-15T07:59:59Z", "since", "must be at most 31 days before until"),
            ("since=2026-01-14T07:59:59Z", "since", "must be at most 366 days before until"),
        ] {
            asked(query).await.refuses(name, rule);
        }
        asked("by=hour&since=2026-12-15T08:00:01Z").await.expect(200);
        asked("since=2026-01-14T08:00:01Z").await.expect(200);
        let unknown = asked("from=2026-01-14T08:00:01Z").await.expect(400);
        assert_eq!(unknown.text("code"), "unknown_fields");
    }

    async fn the_last_use_tells_when_from_where_and_by_what(database: Database) {
        let stage = Stage::new(database).await;
        let (path, key) = reader(&stage).await;
        let never = shown(&stage, &path, "").await;
        for member in ["last_used_at", "last_address", "last_user_agent"] {
            assert_eq!(never[member], json!(null), "{member}");
        }

        stage.set_clock(1_250);
        called_by(&stage, &key, "curl/8.5.0").await.expect(200);
        stage.flush_usage().await;
        let used = shown(&stage, &path, "").await;
        assert_eq!(used["last_used_at"], text_at(1_250));
        assert_eq!(used["last_address"], "127.0.0.1");
        assert_eq!(used["last_user_agent"], "curl/8.5.0");

        stage.set_clock(2_000);
        assert_eq!(verdict(&stage, &key, json!({"ip": "2001:db8::1"})).await, "valid");
        stage.flush_usage().await;
        let used = shown(&stage, &path, "").await;
        assert_eq!(used["last_used_at"], text_at(2_000));
        assert_eq!(used["last_address"], "2001:db8::1");
        assert_eq!(used["last_user_agent"], json!(null));
    }

    async fn who_is_refused_does_not_use_a_key(database: Database) {
        let stage = Stage::new(database).await;
        let (path, key) = reader(&stage).await;
        stage.client(&key).get(ME).await.expect(200);
        stage.admin().patch(&path, json!({"enabled": false})).await.expect(200);
        stage.set_clock(5_000);
        called_by(&stage, &key, "thief/1.0").await.expect(401);
        stage.flush_usage().await;

        let used = shown(&stage, &path, "").await;
        assert_eq!(used["last_used_at"], text_at(0));
        assert_eq!(used["last_user_agent"], json!(null));
        assert_eq!(used["data"][0]["refused"], json!({"disabled": 1}));
    }

    async fn what_a_client_calls_itself_is_shown_in_one_short_line_without_a_secret(
        database: Database
    ) {
        let stage = Stage::new(database).await;
        let (path, key) = reader(&stage).await;
        for (agent, expected) in [
            (format!("{}{key}", "a".repeat(190)), format!("{}[redacted]", "a".repeat(190))),
            ("b".repeat(4_000), "b".repeat(200)),
            ("a\tb".to_owned(), "ab".to_owned()),
        ] {
            called_by(&stage, &key, &agent).await.expect(200);
            stage.flush_usage().await;
            assert_eq!(shown(&stage, &path, "").await["last_user_agent"], expected);
            stage.clock.advance(Duration::from_secs(1));
        }
    }

    async fn a_key_tells_wherever_it_is_shown_when_it_was_used_last(database: Database) {
        let stage = Stage::new(database).await;
        let admin = stage.admin();
        let (path, key) = reader(&stage).await;
        assert_eq!(admin.get(&path).await.expect(200).body["last_used_at"], json!(null));
        stage.set_clock(700);
        stage.client(&key).get(ME).await.expect(200);
        stage.flush_usage().await;

        let (used, etag) = (json!(text_at(700)), |it: &Answer| it.headers.get("ETag").cloned());
        let before = admin.get(&path).await.expect(200);
        assert_eq!(before.body["last_used_at"], used);
        let list = admin.get("/api/v1/api-keys?name=reader").await.expect(200);
        assert_eq!(list.body["data"][0]["last_used_at"], used);
        let patched = admin.patch(&path, json!({"name": "reader"})).await.expect(200);
        assert_eq!(patched.body["last_used_at"], used);
        assert_eq!(etag(&patched), etag(&before), "a use is no change");
        let rotated = admin.post(&format!("{path}/rotate"), json!({})).await.expect(200);
        assert_eq!(rotated.body["last_used_at"], used, "both secrets are of one key");
    }

    async fn keys_are_found_by_when_they_were_used_last(database: Database) {
        let stage = Stage::new(database).await;
        let admin = stage.admin();
        let (_, used) = admin.new_key(json!({"name": "used"})).await;
        admin.new_key(json!({"name": "idle"})).await;
        stage.set_clock(1_000);
        stage.client(&used).get(ME).await.expect(200);
        admin.new_key(json!({"name": "young"})).await;
        stage.flush_usage().await;

        for (since, expected) in [
            (0, vec![]),
            (1_000, vec!["idle"]),
            (1_001, vec!["First administrator", "idle", "used", "young"]),
        ] {
            let path = format!("/api/v1/api-keys?sort=name&unused_since={}", text_at(since));
            let list = admin.get(&path).await.expect(200);
            let names = list.body["data"].as_array().unwrap().iter().map(|key| &key["name"]);
            assert_eq!(names.collect::<Vec<_>>(), expected, "since {since}");
        }
        let refused = admin.get("/api/v1/api-keys?unused_since=yesterday").await;
        refused.refuses("unused_since", RFC3339);
    }

    async fn counts_are_forgotten_after_their_time_and_last_uses_are_not(database: Database) {
        let stage = Stage::new(database).await;
        let (path, key) = reader(&stage).await;
        stage.client(&key).get(ME).await.expect(200);
        stage.set_clock(HOUR);
        stage.client(&key).get(ME).await.expect(200);
        stage.flush_usage().await;

        stage.set_clock(DAY + 1);
        stage.state.keystile.forget_usage(Duration::from_secs(24 * 60 * 60)).await.unwrap();

        let used = shown(&stage, &path, "?by=hour").await;
        let kept = json!([{"at": "2027-01-15T09:00:00Z", "allowed": 1, "refused": {}}]);
        assert_eq!(used["data"], kept);
        assert_eq!(used["last_used_at"], text_at(HOUR));
    }

    async fn a_key_that_is_gone_has_no_usage(database: Database) {
        let stage = Stage::new(database).await;
        let (path, key) = reader(&stage).await;
        stage.client(&key).get(ME).await.expect(200);
        stage.admin().send(stage.admin().request(Method::DELETE, &path)).await.expect(204);
        stage.flush_usage().await;
        stage.admin().get(&format!("{path}/usage")).await.expect(404);
    }
}

/// A key that may read keys: its path and its secret.
async fn reader(stage: &Stage) -> (String, String) {
    let admin = stage.admin();
    let role = json!({"name": "reader", "permissions": ["keystile.api_keys.read"]});
    let role = admin.post("/api/v1/roles", role).await.expect(201).body["id"].clone();
    admin.new_key(json!({"name": "reader", "role_ids": [role]})).await
}

/// The code that `/verify` gives to a key in these circumstances.
async fn verdict(stage: &Stage, key: &str, mut question: Value) -> String {
    question["credential"] = key.into();
    stage.admin().post("/api/v1/verify", question).await.expect(200).text("code").to_owned()
}

/// A request with the key, by a client that calls itself so.
async fn called_by(stage: &Stage, key: &str, agent: &str) -> Answer {
    let client = stage.client(key);
    client.send(client.request(Method::GET, ME).insert_header(("User-Agent", agent))).await
}

async fn shown(stage: &Stage, path: &str, query: &str) -> Value {
    stage.admin().get(&format!("{path}/usage{query}")).await.expect(200).body
}

/// The hours or days that are shown once everything is written.
async fn periods(stage: &Stage, path: &str, query: &str) -> Value {
    stage.flush_usage().await;
    shown(stage, path, query).await["data"].take()
}

const ME: &str = "/api/v1/me";
const KEYS: &str = "/api/v1/api-keys";
const HOUR: i64 = 60 * 60 * 1_000;
const DAY: i64 = 24 * HOUR;
const RFC3339: &str = "must be a time by RFC 3339 with an offset, such as 2027-01-31T12:00:00Z";
