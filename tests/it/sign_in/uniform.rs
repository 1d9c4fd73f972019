//! Whoever may not sign in learns nothing but that.

use acceptance::{Answer, Database, on_each_database};
use serde_json::{Value, json};

use super::{PASSWORD, USERS, login, person, started};

on_each_database! {
    async fn every_reason_has_one_and_the_same_answer(database: Database) {
        let (_server, admin) = started(&database).await;
        let off = person(&admin, "off", &[]).await;
        admin.patch(&off, json!({ "enabled": false })).await.expect(200);
        let deleted = person(&admin, "deleted", &[]).await;
        admin.delete(&deleted).await.expect(204);
        for new in [
            json!({ "username": "robot", "is_service_account": true }),
            json!({ "username": "without" }),
        ] {
            admin.post(USERS, new).await.expect(201);
        }
        let long = "x".repeat(1_025);
        let longest = "y".repeat(1_000);
        let tries = [
            ("ann", "wrong horse battery staple"),
            ("ann", ""),
            ("ann", "a\u{0}b"),
            ("ann", &long),
            ("nobody", PASSWORD),
            ("", PASSWORD),
            (&longest, PASSWORD),
            ("off", PASSWORD),
            ("off", "wrong horse battery staple"),
            ("deleted", PASSWORD),
            ("robot", PASSWORD),
            ("without", PASSWORD),
            ("ann' OR 1=1 --", PASSWORD),
            ("ann\u{0}", PASSWORD),
        ];
        let mut first = None;
        for (username, password) in tries {
            let refusal = login(&admin, username, password).await.expect(401);
            let told = told(&refusal);
            let first = first.get_or_insert_with(|| told.clone());
            assert_eq!(told, *first, "{username} {password}");
            refusal.problem("invalid_login");
        }
    }

    async fn the_log_has_the_reason_and_neither_name_nor_password(database: Database) {
        let (server, admin) = started(&database).await;
        login(&admin, "a-name-nobody-has", "a password that was tried").await.expect(401);
        login(&admin, "ann", "a password that was tried").await.expect(401);
        let session = super::Session::of_ann(&admin).await;

        let ended = server.stop().await;

        for reason in ["nobody has the name", "is another", "session.started"] {
            assert!(ended.stderr.contains(reason), "no {reason} in {}", ended.stderr);
        }
        let secrets = ["a-name-nobody-has", "a password that was tried", PASSWORD];
        ended.assert_silent(secrets.into_iter().chain([session.refresh_token.as_str()]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_compared_whole() {
    let (_server, admin) = started(&Database::Sqlite).await;
    let long = format!("{}end", "quiet otters fold paper boats ".repeat(10));
    let new = json!({ "username": "long", "password": long });
    admin.post(USERS, new).await.expect(201);

    login(&admin, "long", &long[..72]).await.expect(401);
    login(&admin, "long", &long[..long.len() - 1]).await.expect(401);
    login(&admin, "long", &long).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_email_address_is_no_user_name() {
    let (_server, admin) = started(&Database::Sqlite).await;
    let email = json!({ "username": "eve", "email": "eve@example.com", "password": PASSWORD });
    admin.post(USERS, email).await.expect(201);
    login(&admin, "eve@example.com", PASSWORD).await.expect(401).problem("invalid_login");
    login(&admin, "EVE", PASSWORD).await.expect(200);
}

/// Everything that an answer tells, but for the name and the time of the request.
fn told(answer: &Answer) -> (Value, Vec<(String, String)>) {
    let mut body = answer.body.clone();
    body.as_object_mut().unwrap().remove("request_id");
    let headers = answer.headers.iter();
    let mut headers: Vec<_> = headers
        .filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    (body, headers)
}
