//! `KEYSTILE_FAILURE_LIMIT`: an address that shows many refused credentials has to wait.

use acceptance::{Answer, Api, Caller, Database, Options, Server};
use reqwest::Method;
use serde_json::json;

use super::{KEYS, ME, VERIFY};

#[tokio::test(flavor = "multi_thread")]
async fn an_address_with_many_refused_credentials_waits_with_good_ones_too() {
    let server = limited("3/day", "192.0.2.0/24").await;
    let admin = server.admin();
    let guess = server.api(Caller::Header(unknown()));
    for _ in 0..10 {
        admin.get(ME).await.expect(200);
    }

    guess.get(ME).await.expect(401);
    server.api(Caller::Bearer("malformed".to_owned())).get(ME).await.expect(401);
    let client = guess.with(Caller::Anonymous).request(Method::POST, "/oauth2/token");
    let client = client.basic_auth(uuid(), Some(unknown()));
    let client = client.form(&[("grant_type", "client_credentials")]);
    Answer::to(client).await.unwrap().expect(401);

    for api in [&guess, &admin] {
        let refused = api.get(ME).await.expect(429).problem("too_many_attempts");
        let wait: i64 = refused.header("retry-after").parse().unwrap();
        assert!((28_000..=28_800).contains(&wait), "{refused}");
    }
    let nobody = server.api(Caller::Anonymous);
    nobody.get("/readyz").await.expect(200);
    nobody.get("/api/v1/auth/providers").await.expect(200);
    nobody.get(ME).await.expect(401).problem("missing_credential");
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_told_apart_behind_a_proxy_which_never_waits_itself() {
    let server = limited("2/day", "127.0.0.1").await;
    let guess = |api: &Api, client: &'static str| {
        let request = api.request(Method::GET, ME).header("X-Forwarded-For", client);
        Answer::to(request.header("X-Forwarded-Proto", "https"))
    };
    let (good, bad) = (server.admin(), server.api(Caller::Header(unknown())));

    for _ in 0..2 {
        guess(&bad, "203.0.113.1").await.unwrap().expect(401);
        guess(&bad, "2001:db8::1").await.unwrap().expect(401);
    }
    guess(&good, "203.0.113.1").await.unwrap().expect(429);
    guess(&good, "2001:db8::ffff").await.unwrap().expect(429);
    guess(&good, "203.0.113.2").await.unwrap().expect(200);
    guess(&good, "2001:db8:0:1::1").await.unwrap().expect(200);
    for _ in 0..5 {
        // It tells of no client, so it is the client itself.
        bad.get(ME).await.expect(401);
    }
    good.get(ME).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_away_by_claiming_to_be_many() {
    let server = limited("5/day", "").await;
    let bad = server.api(Caller::Header(unknown()));
    let mut statuses = Vec::new();
    for number in 0..20_u8 {
        let request = bad.request(Method::GET, ME);
        let request = request.header("X-Forwarded-For", format!("203.0.113.{number}"));
        statuses.push(Answer::to(request).await.unwrap().status.as_u16());
    }
    assert_eq!(statuses, [[401; 5].as_slice(), &[429; 15]].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_refused_credential_of_the_address_is_not_counted() {
    let server = limited("1/day", "").await;
    let admin = server.admin();
    let key = admin.post(KEYS, json!({ "name": "may nothing" })).await.expect(201);
    let weak = server.api(Caller::Header(key.text_of("key").to_owned()));
    let nobody = server.api(Caller::Anonymous);
    for _ in 0..3 {
        nobody.get(ME).await.expect(401);
        weak.get(KEYS).await.expect(403);
        let verdict = admin.post(VERIFY, json!({ "credential": unknown() })).await.expect(200);
        assert_eq!(verdict.body["valid"], false);
        let strict = json!({ "credential": unknown(), "strict": true });
        admin.post(VERIFY, strict).await.expect(401);
    }
    admin.get(ME).await.expect(200);
}

async fn limited(limit: &str, proxies: &str) -> Server {
    let options = Options::on(&Database::Sqlite)
        .env("KEYSTILE_FAILURE_LIMIT", limit)
        .env("KEYSTILE_TRUSTED_PROXIES", proxies);
    Server::start(&options).await
}

/// A key of the right form that nobody has.
fn unknown() -> String {
    "ks_0123456789abcdefghijABCDEFGHIJ0123456789xyz3A8jxH".to_owned()
}

fn uuid() -> &'static str {
    "0199e7c4-5a34-7c80-8c1f-6a2b7f3d9e10"
}
