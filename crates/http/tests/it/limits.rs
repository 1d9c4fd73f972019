//! Limits as time goes by.

use acceptance::{Database, on_each_database};
use serde_json::json;

use crate::stage::Stage;

on_each_database! {
    async fn uses_come_back_one_by_one(database: Database) {
        let stage = Stage::new(database).await;
        let limits = json!([{"limit": 3, "window_seconds": 60}]);
        let (_, key) = stage.admin().new_key(json!({"name": "k", "rate_limits": limits})).await;
        let client = stage.client(&key);

        for (at, statuses) in
            [(0, &[200, 200, 200, 429][..]), (19_999, &[429]), (20_000, &[200, 429]), (60_000, &[200, 200])]
        {
            stage.set_clock(at);
            for status in statuses {
                client.get(ME).await.expect(*status);
            }
        }
        let refused = client.get(ME).await.expect(429);
        assert_eq!(refused.headers.get("retry-after").unwrap(), "20");
        assert_eq!(refused.headers.get("ratelimit").unwrap(), r#""default";r=0;t=60"#);
    }

    async fn a_quota_is_there_again_with_the_day_or_month(database: Database) {
        let stage = Stage::new(database).await;
        for (refill, days) in [("day", 1), ("month", 17)] {
            stage.set_clock(0);
            let quota = json!({"limit": 2, "refill": refill, "remaining": 1});
            let (path, key) = stage.admin().new_key(json!({"name": "k", "quota": quota})).await;
            let client = stage.client(&key);
            client.get(ME).await.expect(200);
            // 2027-01-15T08:00:00Z, from where it is 16 hours to the next day.
            let refill = days * DAY - 8 * HOUR;
            let refused = client.get(ME).await.expect(429);
            let wait = (refill / 1_000).to_string();
            assert_eq!(refused.headers.get("retry-after").unwrap(), wait.as_str());

            stage.set_clock(refill - 1);
            client.get(ME).await.expect(429);
            assert_eq!(remaining(&stage, &path).await, 0);
            stage.set_clock(refill);
            assert_eq!(remaining(&stage, &path).await, 2);
            client.get(ME).await.expect(200);
            client.get(ME).await.expect(200);
            client.get(ME).await.expect(429);
        }
    }

    async fn what_other_nodes_may_use_is_given_back_after_a_while(database: Database) {
        let stage = Stage::new(database).await;
        let quota = json!({"limit": 1_000, "refill": "none"});
        let (path, key) = stage.admin().new_key(json!({"name": "k", "quota": quota})).await;
        stage.client(&key).get(ME).await.expect(200);
        let used = async || -> i64 {
            let id = path.rsplit('/').next().unwrap().parse().unwrap();
            let uses = stage.store.read().await.unwrap().find_quota_uses(&[id]).await.unwrap();
            uses[&id].used
        };

        assert_eq!((used().await, remaining(&stage, &path).await), (63, 999));
        stage.set_clock(9_999);
        stage.state.keystile.release_idle_quotas().await.unwrap();
        assert_eq!(used().await, 63);
        stage.set_clock(10_000);
        stage.state.keystile.release_idle_quotas().await.unwrap();
        assert_eq!((used().await, remaining(&stage, &path).await), (1, 999));
        stage.client(&key).get(ME).await.expect(200);
        assert_eq!(remaining(&stage, &path).await, 998);
    }

    async fn what_a_limit_refuses_is_counted_as_refused(database: Database) {
        let stage = Stage::new(database).await;
        let (path, key) = stage
            .admin()
            .new_key(json!({
                "name": "k",
                "rate_limits": [{"limit": 2, "window_seconds": 60}],
                "quota": {"limit": 2, "refill": "none", "remaining": 2},
            }))
            .await;
        let client = stage.client(&key);
        client.get(ME).await.expect(200);
        verdict(&stage, &key, 2, "quota_exceeded").await;
        let more = json!({"quota": {"limit": 9, "refill": "none"}});
        stage.admin().patch(&path, more).await.expect(200);
        verdict(&stage, &key, 2, "rate_limited").await;
        verdict(&stage, &key, 1, "valid").await;

        stage.flush_usage().await;
        let usage = stage.admin().get(&format!("{path}/usage")).await.expect(200).body;
        let refused = json!({"quota_exceeded": 1, "rate_limited": 1});
        assert_eq!(usage["data"][0]["refused"], refused);
        assert_eq!(usage["data"][0]["allowed"], 2);
    }

    async fn two_changes_of_one_moment_both_count(database: Database) {
        let stage = Stage::new(database).await;
        let quota = |remaining: i64| json!({"limit": 9, "refill": "none", "remaining": remaining});
        let (path, key) = stage.admin().new_key(json!({"name": "k", "quota": quota(5)})).await;
        stage.client(&key).get(ME).await.expect(200);
        for left in [3, 4] {
            stage.admin().patch(&path, json!({"quota": quota(left)})).await.expect(200);
            assert_eq!(remaining(&stage, &path).await, left);
            stage.client(&key).get(ME).await.expect(200);
            assert_eq!(remaining(&stage, &path).await, left - 1);
        }
    }
}

async fn remaining(stage: &Stage, path: &str) -> i64 {
    let shown = stage.admin().get(path).await.expect(200);
    shown.body["quota"]["remaining"].as_i64().unwrap()
}

async fn verdict(stage: &Stage, key: &str, cost: i64, code: &str) {
    let question = json!({"credential": key, "cost": cost});
    let answer = stage.admin().post("/api/v1/verify", question).await.expect(200);
    assert_eq!(answer.text("code"), code);
}

const ME: &str = "/api/v1/me";
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
