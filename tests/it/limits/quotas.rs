//! Limits in number: never exceeded, and every single use of them can be had.

use acceptance::{Database, Key, Options, Server, on_each_database, started};
use serde_json::json;
use tokio::task::JoinSet;

use super::{ME, parameter, remaining};

on_each_database! {
    async fn a_quota_is_used_to_the_last_and_not_beyond(database: Database) {
        let (server, admin) = started(&database).await;
        let quota = json!({ "limit": 40, "refill": "none" });
        let key = Key::made(&admin, json!({ "name": "k", "quota": quota })).await;
        let api = server.api(key.caller());

        for used in 1..=40 {
            let answer = api.get(ME).await.expect(200);
            assert_eq!(answer.header("ratelimit"), "", "a quota is told of when it is exceeded");
            assert_eq!(remaining(&admin, &key).await, 40 - used);
        }
        let refused = api.get(ME).await.expect(429).problem("quota_exceeded");
        assert_eq!(refused.header("ratelimit-policy"), r#""quota";q=40"#);
        assert_eq!(parameter(&refused, "ratelimit", "quota", "r"), 0);
        assert_eq!(refused.header("retry-after"), "86400", "no time brings any back");

        let more = json!({ "quota": { "limit": 42, "refill": "none" } });
        assert_eq!(admin.patch(&key.at(""), more).await.expect(200).body["quota"]["remaining"], 2);
        api.get(ME).await.expect(200);
        let less = json!({ "quota": { "limit": 41, "refill": "none" } });
        assert_eq!(admin.patch(&key.at(""), less).await.expect(200).body["quota"]["remaining"], 0);
        api.get(ME).await.expect(429);
        let anew = json!({ "quota": { "limit": 41, "refill": "none", "remaining": 1 } });
        assert_eq!(admin.patch(&key.at(""), anew).await.expect(200).body["quota"]["remaining"], 1);
        api.get(ME).await.expect(200);
        api.get(ME).await.expect(429);
        let other = json!({ "quota": { "limit": 3, "refill": "month" } });
        assert_eq!(admin.patch(&key.at(""), other).await.expect(200).body["quota"]["remaining"], 3);
        admin.patch(&key.at(""), json!({ "quota": null })).await.expect(200);
        api.get(ME).await.expect(200);
        assert!(admin.get(&key.at("")).await.expect(200).body["quota"].is_null());
    }

    async fn whoever_has_used_a_days_quota_is_told_when_the_next_day_begins(database: Database) {
        let (_server, admin) = started(&database).await;
        let quota = json!({ "limit": 1, "refill": "day" });
        let api = Key::made(&admin, json!({ "name": "k", "quota": quota })).await.api(&admin);
        // Not always the second: that may be the first of the next day.
        let refused = loop {
            let answer = api.get(ME).await;
            if answer.status != 200 {
                break answer.expect(429).problem("quota_exceeded");
            }
        };
        let wait: i64 = refused.header("retry-after").parse().unwrap();
        assert!((1..=86_400).contains(&wait), "until midnight: {refused}");
    }

    async fn an_orderly_end_gives_all_back_and_a_crash_loses_little(database: Database) {
        let server = Server::start(&Options::on(&database)).await;
        let quota = json!({ "limit": 1_000, "refill": "none" });
        let key = Key::made(&server.admin(), json!({ "name": "k", "quota": quota })).await;
        for _ in 0..10 {
            server.api(key.caller()).get(ME).await.expect(200);
        }
        let options = server.options().clone();
        let admin_key = server.admin_key();
        let admin = |server: &Server| server.api(acceptance::Caller::Header(admin_key.clone()));

        let server = server.restart().await;
        assert_eq!(remaining(&admin(&server), &key).await, 990);
        server.api(key.caller()).get(ME).await.expect(200);
        server.kill();
        server.wait().await;
        let server = Server::start(&options).await;
        let left = remaining(&admin(&server), &key).await;
        assert!((900..=989).contains(&left), "at most a sixteenth is lost: {left}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_under_load_never_exceed_a_quota_and_use_all_of_it() {
    const QUOTA: usize = 100;
    let Some(database) = Database::postgres().await else { return };
    let one = Server::start(&Options::on(&database)).await;
    let admin = one.admin();
    let two = Server::start(&Options::on(&database)).await;
    let quota = json!({ "limit": QUOTA, "refill": "none" });
    let key = Key::made(&admin, json!({ "name": "k", "quota": quota })).await;

    let mut requests = JoinSet::new();
    for number in 0..4 * QUOTA {
        let api = if number % 2 == 0 { &one } else { &two }.api(key.caller());
        requests.spawn(async move { api.get(ME).await.status.as_u16() });
    }
    let statuses = requests.join_all().await;

    let of = |status| statuses.iter().filter(|it| **it == status).count();
    assert_eq!((of(200), of(429)), (QUOTA, 3 * QUOTA), "{statuses:?}");
    assert_eq!(remaining(&admin, &key).await, 0);
}
