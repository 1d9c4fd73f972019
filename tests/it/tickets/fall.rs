//! A ticket falls with its credential, whatever becomes of that after the ticket was made.

use acceptance::{Answer, Api, Caller, Database, on_each_database, started};
use reqwest::Method;
use serde_json::json;

use super::{AUDITOR, KEYS, ME, USERS, key, open, ticket};

on_each_database! {
    async fn what_ends_a_key_ends_its_tickets(database: Database) {
        let (_server, admin) = started(&database).await;
        let provider = json!({ "name": "own", "kind": "api_key" });
        let provider = admin.post("/api/v1/providers", provider).await.expect(201);
        let provider = format!("/api/v1/providers/{}", provider.text_of("id"));
        let made = async || {
            let new = json!({ "name": "k", "provider": "own" });
            let made = admin.post(KEYS, new).await.expect(201);
            let holder = admin.with(Caller::Header(made.text_of("key").to_owned()));
            (format!("{KEYS}/{}", made.text_of("id")), ticket(&holder, "GET", ME).await)
        };

        let (path, url) = made().await;
        admin.patch(&path, json!({ "enabled": false })).await.expect(200);
        open(&admin, &url).await.refused();

        let (path, url) = made().await;
        admin.delete(&path).await.expect(204);
        open(&admin, &url).await.refused();

        let (path, url) = made().await;
        admin.post(&format!("{path}/rotate"), json!({})).await.expect(200);
        open(&admin, &url).await.refused();

        let (path, url) = made().await;
        admin.post(&format!("{path}/rotate"), json!({ "overlap_seconds": 600 })).await.expect(200);
        open(&admin, &url).await.expect(200);

        let (_, url) = made().await;
        admin.patch(&provider, json!({ "enabled": false })).await.expect(200);
        open(&admin, &url).await.refused();
    }

    async fn a_ticket_loses_what_its_maker_loses(database: Database) {
        let (_server, admin) = started(&database).await;
        let (path, holder) = key(&admin, &[AUDITOR]).await;
        let url = ticket(&holder, "GET", USERS).await;
        admin.patch(&path, json!({ "role_ids": [] })).await.expect(200);
        open(&admin, &url).await.expect(403).problem("insufficient_permissions");
        let url = ticket(&holder, "GET", USERS).await;
        admin.patch(&path, json!({ "role_ids": [AUDITOR] })).await.expect(200);
        open(&admin, &url).await.expect(200);
    }

    async fn what_ends_a_token_or_a_session_ends_their_tickets(database: Database) {
        let (server, admin) = started(&database).await;
        let robot = json!({ "username": "robot", "is_service_account": true });
        let robot = admin.post(USERS, robot).await.expect(201);
        let robot = format!("{USERS}/{}", robot.text_of("id"));
        let token = async || {
            let made = admin.post(&format!("{robot}/tokens"), json!({})).await.expect(201);
            let holder = admin.with(Caller::Bearer(made.text_of("token").to_owned()));
            (made.text_of("id").to_owned(), ticket(&holder, "GET", ME).await)
        };
        let (id, url) = token().await;
        admin.delete(&format!("{robot}/tokens/{id}")).await.expect(204);
        open(&admin, &url).await.refused();
        let (_, url) = token().await;
        admin.patch(&robot, json!({ "enabled": false })).await.expect(200);
        open(&admin, &url).await.refused();

        let password = server.admin_password();
        let typed = json!({ "username": "admin", "password": password });
        let login = admin.post("/api/v1/auth/login", typed.clone()).await.expect(200);
        let access = login.text_of("access_token").to_owned();
        let url = ticket(&admin.with(Caller::Bearer(access)), "GET", ME).await;
        let out = json!({ "refresh_token": login.text_of("refresh_token") });
        admin.with(Caller::Anonymous).post("/api/v1/auth/logout", out).await;
        open(&admin, &url).await.refused();

        let login = admin.post("/api/v1/auth/login", typed).await.expect(200);
        let access = login.text_of("access_token").to_owned();
        let url = ticket(&admin.with(Caller::Bearer(access.clone())), "GET", ME).await;
        revoke(&admin.with(Caller::Bearer(access.clone())), &access).await;
        open(&admin, &url).await.refused();
    }
}

/// Revokes one access token, and nothing that it stands on.
async fn revoke(api: &Api, token: &str) {
    let request = api.request(Method::POST, "/oauth2/revoke").form(&[("token", token)]);
    Answer::to(request).await.unwrap().expect(200);
}
