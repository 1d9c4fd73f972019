//! Somebody else's token is as unknown as one that never was.

use acceptance::{Answer, Api, Database, on_each_database, started};
use reqwest::Method;
use serde_json::{Value, json};

use super::{ME, NO_ID, TOKENS, Token, head, program};

on_each_database! {
    async fn a_token_under_another_owner_is_not_there(database: Database) {
        let (_server, admin) = started(&database).await;
        let (a, as_a) = program(&admin, "a", &[]).await;
        let (b, as_b) = program(&admin, "b", &[]).await;
        let of_b = Token::own(&as_b, json!({ "name": "of b" })).await;
        let before = head(&admin).await;

        for (api, below) in [(&as_a, TOKENS.to_owned()), (&admin, a.at("/tokens"))] {
            for (method, rest, body) in [
                (Method::GET, "", Value::Null),
                (Method::PATCH, "", json!({ "name": "mine" })),
                (Method::DELETE, "", Value::Null),
                (Method::DELETE, "?dry_run=true", Value::Null),
                (Method::POST, "/rotate", json!({})),
                (Method::GET, "/rotation", Value::Null),
                (Method::POST, "/rotation/extend", json!({ "overlap_seconds": 60 })),
                (Method::POST, "/rotation/finish", Value::Null),
            ] {
                if method == Method::PATCH && below != TOKENS {
                    continue;
                }
                let ask = async |id: &str| {
                    send(api, method.clone(), &format!("{below}/{id}{rest}"), &body).await
                };
                let (theirs, nothing) = (ask(&of_b.id).await, ask(NO_ID).await);
                assert_eq!(theirs.status, 404, "{method} {below}{rest}: {theirs}");
                assert_eq!(document(&theirs), document(&nothing), "{method} {below}{rest}");
            }
        }

        assert_eq!(head(&admin).await, before);
        of_b.api(&admin).get(ME).await.expect(200);
        admin.get(&b.at(&format!("/tokens/{}", of_b.id))).await.expect(200);
        let own = as_a.get(TOKENS).await.expect(200);
        assert!(!own.text.contains(&of_b.id));
    }

    async fn a_user_who_is_not_there_has_no_tokens(database: Database) {
        let (_server, admin) = started(&database).await;
        for rest in ["", &format!("/{NO_ID}")] {
            for user in [NO_ID, "x", "%00"] {
                let path = format!("/api/v1/users/{user}/tokens{rest}");
                admin.get(&path).await.expect(404).problem("not_found");
            }
        }
        let path = format!("/api/v1/users/{NO_ID}/tokens");
        admin.post(&path, json!({})).await.expect(404).problem("not_found");
    }

    async fn a_key_is_no_token_and_a_token_no_key(database: Database) {
        let (_server, admin) = started(&database).await;
        let (account, bot) = program(&admin, "bot", &[super::ADMINISTRATOR]).await;
        let token = Token::own(&bot, json!({})).await;
        let key = bot.post(super::KEYS, json!({ "name": "k" })).await.expect(201);
        let key = key.text_of("id");

        bot.get(&format!("{TOKENS}/{key}")).await.expect(404);
        bot.delete(&format!("{TOKENS}/{key}")).await.expect(404);
        admin.get(&account.at(&format!("/tokens/{key}"))).await.expect(404);
        bot.get(&format!("{}/{}", super::KEYS, token.id)).await.expect(404);
        bot.delete(&format!("{}/{}", super::KEYS, token.id)).await.expect(404);
    }
}

async fn send(api: &Api, method: Method, path: &str, body: &Value) -> Answer {
    let request = api.request(method, path);
    Answer::to(if body.is_null() { request } else { request.json(body) }).await.unwrap()
}

/// A problem document, but for the name of its request.
fn document(answer: &Answer) -> Value {
    let mut body = answer.body.clone();
    body.as_object_mut().unwrap().remove("request_id");
    body
}
