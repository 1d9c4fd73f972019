//! Backups: whole, of one moment, and good for either database.

mod refusals;
mod revoked;
mod stage;

use std::{fs, os::unix::fs::PermissionsExt};

use acceptance::{Api, Caller, Database, Key, on_each_database, started};
use serde_json::{Value, json};

use stage::restored;
pub use stage::{back_up, master_key};

on_each_database! {
    async fn a_backup_restores_into_either_database(database: Database) {
        let (server, admin) = started(&database).await;
        let before = furnish(&admin).await;
        let role = last_role(&admin).await;
        let file = back_up(&server).await;

        let targets = [Some(Database::Sqlite), Database::postgres().await];
        for target in targets.into_iter().flatten() {
            let restored = restored(&server, &target, &file).await;
            let admin = restored.api(admin.caller().clone());
            before.check(&admin).await;
            let chain = admin.get("/api/v1/audit-events/verify").await.expect(200);
            assert_eq!(chain.body["valid"], true, "{chain}");
            let newest = admin.get("/api/v1/audit-events?limit=1&sort=-seq").await.expect(200);
            assert_eq!(newest.body["data"][0]["action"], "system.restored", "{newest}");
            assert_eq!(newest.body["data"][0]["actor"], Value::Null, "{newest}");
            // The highest id was that of a role that is deleted: nobody gets it again.
            assert!(last_role(&admin).await > role);
            restored.restart().await.stop().await;
        }
    }

    async fn every_change_that_was_acknowledged_before_a_backup_is_in_it(database: Database) {
        let (server, admin) = started(&database).await;
        let (acknowledged, mut known) = tokio::sync::watch::channel(Vec::new());
        let writing = tokio::spawn(async move {
            for number in 0.. {
                let key = Key::holding(&admin, &format!("key {number}"), &[]).await;
                acknowledged.send_modify(|keys: &mut Vec<Key>| keys.push(key));
            }
        });
        known.wait_for(|keys| keys.len() > 20).await.unwrap();
        let promised = known.borrow().clone();
        let file = back_up(&server).await;
        // The writer was not held up: what it makes after the backup's moment is acknowledged too.
        let meanwhile = known.borrow().len();
        known.wait_for(|keys| keys.len() > meanwhile).await.unwrap();
        writing.abort();

        let restored = restored(&server, &Database::Sqlite, &file).await;
        for key in &promised {
            restored.api(key.caller()).get("/api/v1/me").await.expect(200);
        }
        let chain = restored.api(Caller::Header(server.admin_key()));
        let chain = chain.get("/api/v1/audit-events/verify").await.expect(200);
        assert_eq!(chain.body["valid"], true, "{chain}");
    }

    async fn a_backup_is_its_owners_alone_and_has_no_secret(database: Database) {
        let (server, admin) = started(&database).await;
        let key = Key::holding(&admin, "key", &[1]).await;
        let file = back_up(&server).await;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let text = stage::unpacked(&file);
        assert!(text.contains(&key.id));
        let master = master_key(&server);
        for secret in [&key.secret, &server.admin_key(), &server.admin_password(), &master] {
            assert!(!text.contains(secret.as_str()), "{secret}");
        }
    }
}

/// What a restored server must know.
struct Before {
    works: Vec<Key>,
    token: String,
    disabled: Key,
    deleted: Key,
    rotated: Key,
}

async fn furnish(admin: &Api) -> Before {
    let role = json!({"name": "Gone", "permissions": ["a.b"]});
    let role = admin.post("/api/v1/roles", role).await.expect(201);
    admin.delete(&format!("/api/v1/roles/{}", role.body["id"])).await.expect(204);
    let user = json!({"username": "robot", "is_service_account": true, "role_ids": [2]});
    let user = admin.post("/api/v1/users", user).await.expect(201);
    let tokens = format!("/api/v1/users/{}/tokens", user.text_of("id"));
    let token = admin.post(&tokens, json!({"name": "of the robot"})).await.expect(201);
    let odd = json!({"name": "\"odd\" 'key' é", "metadata": {"a": [1, 2.5, null], "b": "\\ \n"},
                     "allowed_ips": ["127.0.0.0/8"], "external_id": "x"});
    let (odd, rotated) = (Key::made(admin, odd).await, Key::holding(admin, "rotated", &[]).await);
    let overlap = json!({"overlap_seconds": 3600});
    let new = Key::of(&admin.post(&rotated.at("/rotate"), overlap).await.expect(200));
    let [disabled, deleted] =
        [Key::holding(admin, "disabled", &[]).await, Key::holding(admin, "deleted", &[]).await];
    admin.patch(&disabled.at(""), json!({"enabled": false})).await.expect(200);
    admin.delete(&deleted.at("?reason=gone")).await.expect(204);
    let works = vec![Key::holding(admin, "manager", &[2]).await, odd, new];
    let token = token.text_of("token").to_owned();
    Before { works, token, disabled, deleted, rotated }
}

impl Before {
    async fn check(&self, admin: &Api) {
        for key in self.works.iter().chain([&self.rotated]) {
            key.api(admin).get("/api/v1/me").await.expect(200);
        }
        admin.with(Caller::Header(self.token.clone())).get("/api/v1/me").await.expect(200);
        for (key, code) in [(&self.disabled, "disabled"), (&self.deleted, "deleted")] {
            let asked = json!({"credential": key.secret});
            let verdict = admin.post("/api/v1/verify", asked).await.expect(200);
            assert_eq!(verdict.body["code"], code, "{verdict}");
        }
        let odd = admin.get(&self.works[1].at("")).await.expect(200);
        assert_eq!(odd.text_of("name"), "\"odd\" 'key' é");
        assert_eq!(odd.body["metadata"], json!({"a": [1, 2.5, null], "b": "\\ \n"}));
        assert_eq!(odd.body["expires_at"], Value::Null);
    }
}

/// The id of a role that is made for the question.
async fn last_role(admin: &Api) -> i64 {
    let role = json!({"name": "Next", "permissions": ["a.b"]});
    let role = admin.post("/api/v1/roles", role).await.expect(201);
    let id = role.body["id"].as_i64().unwrap();
    admin.delete(&format!("/api/v1/roles/{id}")).await.expect(204);
    id
}
