//! How credentials are used: the running server counts every check, and writes the counts beside
//! its work.

mod losses;
mod retention;

use acceptance::{
    Answer, Api, Caller, Database, Key, Options, Server, on_each_database, started, until,
};
use reqwest::Method;
use serde_json::{Value, json};

on_each_database! {
    async fn every_check_of_a_key_is_counted_wherever_it_is_asked(database: Database) {
        let (server, admin) = started(&database).await;
        let key = Key::made(&admin, json!({ "name": "counted", "role_ids": [VERIFIER] })).await;
        let question = json!({ "credential": key.secret });

        use_it(&server, &key, 2).await;
        server.api(Caller::Bearer(key.secret.clone())).get(ME).await.expect(200);
        admin.post(VERIFY, question.clone()).await.expect(200);
        let batch = json!({ "checks": vec![question.clone(); 1_000] });
        admin.post(&format!("{VERIFY}/batch"), batch).await.expect(200);
        let asked = json!({ "credential": key.secret, "permissions": ["a.b"] });
        admin.post(VERIFY, asked).await.expect(200);
        // What it asks of others counts for both.
        let question = json!({ "credential": server.admin_key() });
        server.api(Caller::Header(key.secret.clone())).post(VERIFY, question).await.expect(200);

        let usage = until_used(&admin, &key.at(""), |usage| sum(usage) == 1_006).await;
        let data = usage["data"].as_array().unwrap();
        let refused = data.iter().filter_map(|it| it["refused"]["insufficient_permissions"].as_i64());
        assert_eq!(refused.sum::<i64>(), 1, "{usage}");
        assert_eq!(allowed(&usage), 1_005, "{usage}");
        let list = admin.get("/api/v1/api-keys?name=counted").await.expect(200);
        assert_eq!(list.body["data"][0]["last_used_at"], usage["last_used_at"]);
    }

    async fn the_last_use_is_told_past_the_proxies_that_are_trusted(database: Database) {
        let options = Options::on(&database).env("KEYSTILE_TRUSTED_PROXIES", "127.0.0.1");
        let server = Server::start(&options).await;
        let admin = server.admin();
        let key = Key::made(&admin, json!({ "name": "k" })).await;

        let api = server.api(Caller::Header(key.secret.clone()));
        let request = api
            .request(Method::GET, ME)
            .header("X-Forwarded-For", "203.0.113.7")
            .header("X-Forwarded-Proto", "https")
            .header("User-Agent", format!("agent {}", key.secret));
        assert_eq!(request.send().await.unwrap().status(), 200);

        let usage = until_used(&admin, &key.at(""), |usage| usage["last_used_at"].is_string()).await;
        assert_eq!(usage["last_address"], "203.0.113.7");
        assert_eq!(usage["last_user_agent"], "agent [redacted]");
        let ended = server.stop().await;
        ended.assert_silent([key.secret.as_str()]);
    }

    async fn a_jwt_counts_as_the_key_that_it_was_traded_for(database: Database) {
        let (server, admin) = started(&database).await;
        let key = Key::made(&admin, json!({ "name": "k" })).await;
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token", &key.secret),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ];
        let traded = server.api(Caller::Anonymous).request(Method::POST, "/oauth2/token");
        let traded = Answer::to(traded.form(&form)).await.unwrap().expect(200);

        let jwt = server.api(Caller::Bearer(traded.text_of("access_token").to_owned()));
        for _ in 0..3 {
            jwt.get(ME).await.expect(200);
        }

        // The trade is a check of the key too.
        until_used(&admin, &key.at(""), |usage| allowed(usage) == 4).await;
    }

    async fn a_token_is_counted_for_its_owner_and_for_those_who_may_read_it(database: Database) {
        let (server, admin) = started(&database).await;
        let mut robots = Vec::new();
        for name in ["robot", "other"] {
            let robot = json!({ "username": name, "is_service_account": true });
            let robot = admin.post("/api/v1/users", robot).await.expect(201);
            let tokens = format!("/api/v1/users/{}/tokens", robot.text_of("id"));
            let token = admin.post(&tokens, json!({ "expires_in_days": 1 })).await.expect(201);
            let api = server.api(Caller::Bearer(token.text_of("token").to_owned()));
            robots.push((tokens, token.text_of("id").to_owned(), api));
        }
        let [(tokens, id, robot), (others, _, other)] = &robots[..] else { panic!("two robots") };

        for _ in 0..3 {
            robot.get(ME).await.expect(200);
        }

        let usage = until_used(&admin, &format!("{tokens}/{id}"), |usage| allowed(usage) == 3).await;
        assert_eq!(usage["credential_id"], id.as_str());
        let own = robot.get(&format!("/api/v1/me/tokens/{id}/usage")).await.expect(200);
        assert_eq!(own.body, usage);
        let shown = admin.get(&format!("{tokens}/{id}")).await.expect(200);
        assert_eq!(shown.body["last_used_at"], usage["last_used_at"]);
        other.get(&format!("/api/v1/me/tokens/{id}/usage")).await.expect(404);
        other.get(&format!("{tokens}/{id}/usage")).await.expect(403);
        admin.get(&format!("{others}/{id}/usage")).await.expect(404);
        admin.get(&format!("/api/v1/me/tokens/{id}/usage")).await.expect(403);
    }
}

async fn use_it(server: &Server, key: &Key, times: u32) {
    let api = server.api(key.caller());
    for _ in 0..times {
        api.get(ME).await.expect(200);
    }
}

/// The usage of the credential at this path, as soon as it is so. After an outage a server on a busy
/// machine may be without a lease for a moment more than once.
async fn until_used(admin: &Api, path: &str, so: impl Fn(&Value) -> bool) -> Value {
    let usage = async || admin.get(&format!("{path}/usage")).await;
    until("what was counted is written", async || {
        let answer = usage().await;
        answer.status != 503 && so(&answer.expect(200).body)
    })
    .await;
    usage().await.expect(200).body
}

/// How many checks let the credential in. A test may run around midnight.
fn allowed(usage: &Value) -> i64 {
    usage["data"].as_array().unwrap().iter().map(|day| day["allowed"].as_i64().unwrap()).sum()
}

/// How many checks there were.
fn sum(usage: &Value) -> i64 {
    let days = usage["data"].as_array().unwrap().iter();
    let refused = days.flat_map(|day| day["refused"].as_object().unwrap().values());
    allowed(usage) + refused.map(|checks| checks.as_i64().unwrap()).sum::<i64>()
}

const ME: &str = "/api/v1/me";
const VERIFY: &str = "/api/v1/verify";
const VERIFIER: i64 = 4;
