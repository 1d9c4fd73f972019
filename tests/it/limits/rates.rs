//! Limits in time, counted by one server.

use acceptance::{Answer, Caller, Database, Key, Options, Server, on_each_database};
use reqwest::Method;
use serde_json::json;

use super::{KEYS, ME, VERIFY, a_day, check, left, parameter, remaining};

on_each_database! {
    async fn a_key_is_used_as_often_as_its_limit_says(database: Database) {
        let server = Server::start(&Options::on(&database)).await;
        let admin = server.admin();
        let key = Key::made(&admin, json!({ "name": "k", "rate_limits": a_day(3) })).await;
        let api = server.api(key.caller());

        for remaining in [2, 1, 0] {
            let answer = api.get(ME).await.expect(200);
            assert_eq!(answer.header("ratelimit-policy"), r#""default";q=3;w=86400"#);
            assert_eq!(left(&answer), remaining);
        }
        let refused = api.get(ME).await.expect(429).problem("rate_limited");
        assert_eq!(left(&refused), 0);
        let reset = parameter(&refused, "ratelimit", "default", "t");
        assert!((86_000..=86_400).contains(&reset), "{refused}");
        let wait: i64 = refused.header("retry-after").parse().unwrap();
        assert!((28_000..=28_800).contains(&wait), "one comes back after a third: {refused}");

        let verdict = check(&admin, &key, 1).await;
        assert_eq!((&verdict["valid"], &verdict["code"]), (&json!(false), &json!("rate_limited")));
        assert_eq!(verdict["rate_limits"][0]["remaining"], 0);
        let strict = json!({ "credential": key.secret, "strict": true });
        let strict = admin.post(VERIFY, strict).await.expect(429).problem("rate_limited");
        assert_eq!(left(&strict), 0);
        assert!(!strict.header("retry-after").is_empty(), "{strict}");
        let other = Key::made(&admin, json!({ "name": "k", "rate_limits": a_day(3) })).await;
        assert_eq!(left(&server.api(other.caller()).get(ME).await.expect(200)), 2, "its own limit");
    }

    async fn whatever_acts_as_a_user_shares_the_limits_of_the_user(database: Database) {
        let server = Server::start(&Options::on(&database)).await;
        let admin = server.admin();
        let robot = json!({
            "username": "robot", "is_service_account": true, "rate_limits": a_day(4),
        });
        let robot = admin.post("/api/v1/users", robot).await.expect(201);
        assert_eq!(robot.body["rate_limits"][0]["name"], "default");
        let path = format!("/api/v1/users/{}", robot.text_of("id"));
        let mut tokens = Vec::new();
        for _ in 0..2 {
            let new = json!({ "expires_in_days": 1 });
            let token = admin.post(&format!("{path}/tokens"), new).await.expect(201);
            tokens.push(token.text_of("token").to_owned());
        }

        for (token, remaining) in [(0, 3), (1, 2), (0, 1)] {
            let api = server.api(Caller::Bearer(tokens[token].clone()));
            assert_eq!(left(&api.get(ME).await.expect(200)), remaining);
        }
        let jwt = server.api(traded(&server, &tokens[1]).await);
        jwt.get(ME).await.expect(429).problem("rate_limited");

        admin.patch(&path, json!({ "rate_limits": null })).await.expect(200);
        let free = jwt.get(ME).await.expect(200);
        assert_eq!(free.header("ratelimit"), "", "it has no limits any more");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_takes_its_cost_of_every_limit_or_of_none() {
    let server = Server::start(&Options::on(&Database::Sqlite)).await;
    let admin = server.admin();
    let limits = json!([
        { "name": "narrow", "limit": 5, "window_seconds": 86_400 },
        { "name": "wide", "limit": 20, "window_seconds": 86_400 },
    ]);
    let quota = json!({ "limit": 7, "refill": "none" });
    let new = json!({ "name": "k", "rate_limits": limits, "quota": quota });
    let key = Key::made(&admin, new).await;

    for (cost, code, narrow, wide, of_quota) in [
        (0, "valid", 5, 20, 7),
        (6, "rate_limited", 5, 20, 7),
        (2, "valid", 3, 18, 5),
        (1_000_000, "quota_exceeded", 3, 18, 5),
        (3, "valid", 0, 15, 2),
        (1, "rate_limited", 0, 15, 2),
        (3, "quota_exceeded", 0, 15, 2),
        (0, "valid", 0, 15, 2),
    ] {
        let verdict = check(&admin, &key, cost).await;
        assert_eq!(verdict["code"], code, "{cost}: {verdict}");
        let left: Vec<_> = verdict["rate_limits"].as_array().unwrap().iter().collect();
        assert_eq!((&left[0]["name"], &left[1]["name"]), (&json!("narrow"), &json!("wide")));
        assert_eq!((&left[0]["remaining"], &left[1]["remaining"]), (&json!(narrow), &json!(wide)));
        assert_eq!(remaining(&admin, &key).await, of_quota, "{cost}");
    }
    for cost in [json!(-1), json!(1_000_001)] {
        let question = json!({ "credential": key.secret, "cost": cost });
        let refused = admin.post(VERIFY, question).await.expect(422);
        assert_eq!(refused.body["errors"][0]["pointer"], "/cost");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_counted_once_whatever_it_does() {
    let server = Server::start(&Options::on(&Database::Sqlite)).await;
    let admin = server.admin();
    let new = json!({ "name": "k", "role_ids": [1], "rate_limits": a_day(9) });
    let key = Key::made(&admin, new).await;
    let api = server.api(key.caller());

    assert_eq!(left(&api.get(ME).await.expect(200)), 8);
    let made = api.post(KEYS, json!({ "name": "made" })).await.expect(201);
    assert_eq!(left(&made), 7, "a change judges its caller again and counts nothing");
    assert_eq!(left(&api.post(KEYS, json!({})).await.expect(422)), 6, "a mistake is a use");
    assert_eq!(left(&api.get("/api/v1/users/nobody").await.expect(404)), 5);
    // It asks about itself: once as the caller, once as the credential under test.
    let asked = api.post(VERIFY, json!({ "credential": key.secret, "cost": 2 })).await.expect(200);
    assert_eq!((left(&asked), &asked.body["rate_limits"][0]["remaining"]), (4, &json!(2)));
    let jwt = traded(&server, &key.secret).await;
    let jwt = server.api(jwt).get(ME).await.expect(200);
    assert_eq!(left(&jwt), 0, "the trade and what was traded count as the key");
    let unread = api.request(Method::POST, KEYS).body("no json");
    Answer::to(unread).await.unwrap().expect(429).problem("rate_limited");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_credential_costs_nothing_and_a_limit_is_asked_last() {
    let server = Server::start(&Options::on(&Database::Sqlite)).await;
    let admin = server.admin();
    let new = json!({ "name": "k", "rate_limits": a_day(1), "quota": {
        "limit": 1, "refill": "day",
    } });
    let key = Key::made(&admin, new).await;
    let explained = json!({ "credential": key.secret, "permissions": ["a.b"], "explain": true });
    let verdict = admin.post(VERIFY, explained).await.expect(200).body;
    assert_eq!(verdict["code"], "insufficient_permissions");
    assert!(verdict["rate_limits"].is_null(), "{verdict}");
    let last_rules = |verdict: &serde_json::Value| -> Vec<String> {
        let rules = verdict["explanation"]["rules"].as_array().unwrap();
        let text = |rule: &serde_json::Value| {
            format!("{} {}", rule["rule"].as_str().unwrap(), rule["outcome"].as_str().unwrap())
        };
        rules.iter().rev().take(2).rev().map(text).collect()
    };
    assert_eq!(last_rules(&verdict), ["quota skip", "rate_limits skip"]);

    let explained = json!({ "credential": key.secret, "explain": true });
    let verdict = admin.post(VERIFY, explained.clone()).await.expect(200).body;
    assert_eq!(last_rules(&verdict), ["quota pass", "rate_limits pass"]);
    assert_eq!(verdict["rate_limits"][0]["remaining"], 0);
    let verdict = admin.post(VERIFY, explained).await.expect(200).body;
    assert_eq!(verdict["code"], "quota_exceeded");
    assert_eq!(last_rules(&verdict), ["quota fail", "rate_limits skip"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_limit_counts_at_once() {
    let server = Server::start(&Options::on(&Database::Sqlite)).await;
    let admin = server.admin();
    let key = Key::made(&admin, json!({ "name": "k", "rate_limits": a_day(1) })).await;
    let api = server.api(key.caller());
    api.get(ME).await.expect(200);
    api.get(ME).await.expect(429);

    admin.patch(&key.at(""), json!({ "rate_limits": a_day(2) })).await.expect(200);
    assert_eq!(left(&api.get(ME).await.expect(200)), 1);
    admin.patch(&key.at(""), json!({ "rate_limits": null })).await.expect(200);
    assert_eq!(api.get(ME).await.expect(200).header("ratelimit"), "");
}

/// The JWT that a credential is traded for.
async fn traded(server: &Server, secret: &str) -> Caller {
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", secret),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
    ];
    let request = server.api(Caller::Anonymous).request(Method::POST, "/oauth2/token");
    let answer = Answer::to(request.form(&form)).await.unwrap().expect(200);
    Caller::Bearer(answer.text_of("access_token").to_owned())
}
