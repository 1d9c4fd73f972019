//! Secrets made in every way there is.

use acceptance::{Answer, Api, Caller};
use reqwest::Method;
use serde_json::{Value, json};

use crate::never::world::{World, answer};

/// The secrets of each kind; the first of all is that of an administrator, and none of the session
/// with which the tests ask.
pub async fn issue(world: &World) -> Vec<Vec<String>> {
    let password = world.server.admin_password();
    let (access, refresh) = sessions(&world.admin, &password).await;
    vec![
        keys(world).await,
        tokens(world).await,
        tickets(world).await,
        access,
        refresh,
        traded(world).await,
        imported(&world.admin).await,
        vec![password, person(&world.admin).await],
        vec![client_secret(&world.admin).await],
    ]
}

async fn keys(world: &World) -> Vec<String> {
    let mut secrets = vec![world.server.admin_key()];
    let new = json!({ "name": "made", "role_ids": [4], "external_id": "made" });
    let path = "/api/v1/api-keys";
    secrets.extend(lives(&world.admin, path, new, "key").await);
    let many = json!({ "api_keys": [{ "name": "one" }, { "name": "" }, { "name": "two" }] });
    let many = world.admin.post("/api/v1/api-keys/batch", many).await.expect(200);
    let made = many.body["data"].as_array().unwrap().iter();
    secrets.extend(made.filter_map(|key| Some(key["key"].as_str()?.to_owned())));
    secrets
}

async fn tokens(world: &World) -> Vec<String> {
    let of_program = format!("/api/v1/users/{}/tokens", world.id("/api/v1/users/"));
    let mut secrets = lives(&world.root, "/api/v1/me/tokens", json!({}), "token").await;
    secrets.extend(lives(&world.admin, &of_program, json!({ "scopes": [] }), "token").await);
    secrets
}

/// One that nobody has used, and one that somebody has.
async fn tickets(world: &World) -> Vec<String> {
    let mut tickets = Vec::new();
    for _ in 0..2 {
        let new = json!({ "method": "GET", "path": "/api/v1/me" });
        let made = world.admin.post("/api/v1/tickets", new).await.expect(201);
        tickets.push((made.text_of("ticket").to_owned(), made.text_of("url").to_owned()));
    }
    world.anonymous().get(&tickets[0].1).await.expect(200);
    tickets.into_iter().map(|(ticket, _)| ticket).collect()
}

/// The secrets that a key or token has in its life: made, made once more and repeated, and rotated.
async fn lives(api: &Api, path: &str, new: Value, member: &str) -> Vec<String> {
    let keep = |answer: &Answer| answer.text_of(member).to_owned();
    let made = api.post(path, new.clone()).await.expect(201);
    let mut secrets = vec![keep(&made)];
    let repeated = || {
        let create = api.request(Method::POST, path).json(&new);
        answer(create.header("idempotency-key", path.replace('/', "-")))
    };
    secrets.push(keep(&repeated().await.expect(201)));
    assert_eq!(repeated().await.expect(201).header("idempotency-replayed"), "true");
    for overlap in [3_600, 3_600, 0] {
        let overlap = json!({ "overlap_seconds": overlap });
        let rotate = format!("{path}/{}/rotate", made.text_of("id"));
        secrets.push(keep(&api.post(&rotate, overlap).await.expect(200)));
    }
    secrets
}

/// The access tokens and the refresh tokens of a session that is refreshed once.
async fn sessions(api: &Api, password: &str) -> (Vec<String>, Vec<String>) {
    let api = api.with(Caller::Anonymous);
    let typed = json!({ "username": "admin", "password": password });
    let first = api.post("/api/v1/auth/login", typed).await.expect(200);
    let used = json!({ "refresh_token": first.text_of("refresh_token") });
    let second = api.post("/api/v1/auth/refresh", used).await.expect(200);
    let both = |name| [&second, &first].map(|it| it.text_of(name).to_owned()).to_vec();
    (both("access_token"), both("refresh_token"))
}

/// What is told of keys that come from another store: its pepper, and a whole key.
async fn imported(admin: &Api) -> Vec<String> {
    let pepper = "pepper-of-another-store-4e5f6a7b8c9d";
    let key = "plain-key-of-another-store-0a1b2c3d";
    let hash = json!({
        "algorithm": "hmac-sha256",
        "value": "d1b3d7dae110dca173ac1f313aea83a4c915c3245b4ac3bf2e2412740b36e347",
        "key": { "value": pepper },
    });
    let keys = json!([{ "name": "hashed", "hash": hash }, { "name": "plain", "key": key }]);
    let made = admin.post("/api/v1/api-keys/batch", json!({ "api_keys": keys })).await.expect(200);
    assert_eq!(made.body["created"], 2, "{made}");
    vec![pepper.to_owned(), key.to_owned(), hash["value"].as_str().unwrap().to_owned()]
}

/// An access token for a key.
async fn traded(world: &World) -> Vec<String> {
    let key = world.key_with_roles(json!([4])).await;
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("subject_token", &key),
    ];
    let trade = world.anonymous().request(Method::POST, "/oauth2/token").form(&form);
    let token = answer(trade).await.expect(200).text_of("access_token").to_owned();
    vec![token, key]
}

/// The password of somebody whom an administrator made.
async fn person(admin: &Api) -> String {
    let password = "velvet-harbour-teaspoon-nineteen";
    let new = json!({ "username": "somebody", "password": password });
    let made = admin.post("/api/v1/users", new).await.expect(201);
    let changed = json!({ "password": format!("{password}-again") });
    let path = format!("/api/v1/users/{}", made.text_of("id"));
    admin.patch(&path, changed).await.expect(200);
    password.to_owned()
}

async fn client_secret(admin: &Api) -> String {
    let secret = "sHkq2vQ9LmXc7TzN4bWd8RyJ5uEa3GfP";
    let new = json!({
        "name": "Single sign-on",
        "kind": "oidc",
        "authority": "https://idp.example",
        "audience": "keystile",
        "client_id": "console",
        "client_secret": secret,
    });
    admin.post("/api/v1/providers", new).await.expect(201);
    secret.to_owned()
}
