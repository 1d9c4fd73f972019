//! What was revoked after a backup, and must not live again.

use std::{fs, path::Path};

use acceptance::{Api, Caller, Database, Ended, Key, Options, Server, on_each_database, started};
use serde_json::json;

use super::stage::{back_up, target};

on_each_database! {
    async fn what_is_named_at_a_restore_does_not_live_again(database: Database) {
        let (server, admin) = started(&Database::Sqlite).await;
        let [unnamed, named] = [
            Key::holding(&admin, "unnamed", &[]).await,
            Key::holding(&admin, "named", &[]).await,
        ];
        let [(token, token_id, _), (of_user, _, user)] =
            [robot(&admin, "one").await, robot(&admin, "other").await];
        let file = back_up(&server).await;
        for key in [&unnamed, &named] {
            admin.delete(&key.at("")).await.expect(204);
        }
        let late = Key::holding(&admin, "late", &[]).await;

        let ended = file.with_extension("ended");
        let lines = format!("# gone\n{} named\n{token_id}\n\n{user}\n{}\n", named.id, late.id);
        fs::write(&ended, lines).unwrap();
        let target = target(&server, &database);
        let told = restore(&target, &file, &["--ended", ended.to_str().unwrap()]).await;
        assert!(told.status.success(), "{told:#?}");
        assert!(told.stderr.contains("ended once more: 3"), "{told:#?}");
        assert!(told.stderr.contains(&format!("{} is not in the backup", late.id)), "{told:#?}");

        let restored = Server::start(&target).await;
        let me = async |secret: &str| {
            restored.api(Caller::Header(secret.to_owned())).get("/api/v1/me").await
        };
        me(&unnamed.secret).await.expect(200);
        for secret in [&named.secret, &late.secret, &token, &of_user] {
            me(secret).await.refused();
        }
        let admin = restored.api(admin.caller().clone());
        let chain = admin.get("/api/v1/audit-events/verify").await.expect(200);
        assert_eq!(chain.body["valid"], true, "{chain}");
        let events = admin.get("/api/v1/audit-events?limit=4&sort=-seq").await.expect(200);
        let events = events.body["data"].as_array().unwrap();
        let mut actions: Vec<_> = events.iter().map(|event| event["action"].clone()).collect();
        actions.sort_by_key(ToString::to_string);
        let expected = ["api_key.disabled", "system.restored", "token.deleted", "user.disabled"];
        assert_eq!(actions, expected);
    }

    async fn what_was_changed_since_a_moment_does_not_live_again(database: Database) {
        let (server, admin) = started(&Database::Sqlite).await;
        let before = Key::holding(&admin, "before", &[]).await;
        let made = async |key: &Key| {
            admin.get(&key.at("")).await.expect(200).text_of("created_at").to_owned()
        };
        let moment = made(&before).await;
        let mut after = Key::holding(&admin, "after", &[]).await;
        while made(&after).await <= moment {
            after = Key::holding(&admin, "after", &[]).await;
        }
        let (token, ..) = robot(&admin, "late").await;
        let file = back_up(&server).await;

        let target = target(&server, &database);
        let since = ["--disable-changed-since", &made(&after).await];
        let told = restore(&target, &file, &since).await;
        assert!(told.status.success(), "{told:#?}");
        let restored = Server::start(&target).await;
        for secret in [&after.secret, &token] {
            restored.api(Caller::Header(secret.clone())).get("/api/v1/me").await.refused();
        }
        restored.api(before.caller()).get("/api/v1/me").await.expect(200);
    }

    async fn people_stay_when_keys_and_tokens_are_ended(database: Database) {
        let (server, _) = started(&Database::Sqlite).await;
        let file = back_up(&server).await;
        let target = target(&server, &database);
        let since = ["--disable-changed-since", "2000-01-01T00:00:00Z"];
        let told = restore(&target, &file, &since).await;
        assert!(told.status.success(), "{told:#?}");
        let restored = Server::start(&target).await;
        restored.api(Caller::Header(server.admin_key())).get("/api/v1/me").await.refused();
        restored.api(Caller::Anonymous).sign_in("admin", &server.admin_password()).await;
    }
}

/// A service account's token, with its id and that of its owner.
async fn robot(admin: &Api, name: &str) -> (String, String, String) {
    let user = json!({"username": name, "is_service_account": true});
    let user = admin.post("/api/v1/users", user).await.expect(201).text_of("id").to_owned();
    let tokens = format!("/api/v1/users/{user}/tokens");
    let token = admin.post(&tokens, json!({"name": name})).await.expect(201);
    (token.text_of("token").to_owned(), token.text_of("id").to_owned(), user)
}

async fn restore(target: &Options, file: &Path, how: &[&str]) -> Ended {
    target.run(&[&["restore", file.to_str().unwrap()], how].concat()).await
}
