//! What is taken away is gone for whoever asks after the answer, however many ask at once.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use acceptance::{Api, Database, Key, on_each_database, started};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{sync::Semaphore, time::timeout};

use crate::lifecycle::{
    ADMINISTRATOR, DEADLINE, EVENTS, KEY_MANAGER, KEYS, ME, ROLES, each, head, role,
    without_the_person,
};

on_each_database! {
    async fn no_key_is_made_after_the_role_was_taken(database: Database) {
        let (_server, admin) = started(&database).await;
        let creator = Key::holding(&admin, "creator", &[KEY_MANAGER]).await;
        let take = json!({ "role_ids": [] });

        race(&admin, &creator, (Method::PATCH, creator.at(""), take), 403).await;
    }

    async fn no_key_is_made_after_the_role_lost_its_right(database: Database) {
        let (_server, admin) = started(&database).await;
        let writer = role(&admin, "writer", &["keystile.api_keys.write"]).await;
        let creator = Key::holding(&admin, "creator", &[writer]).await;
        let lose = json!({ "permissions": ["keystile.api_keys.read"] });

        race(&admin, &creator, (Method::PATCH, format!("{ROLES}/{writer}"), lose), 403).await;
    }

    async fn no_key_is_made_after_the_creator_was_deleted(database: Database) {
        let (_server, admin) = started(&database).await;
        let creator = Key::holding(&admin, "creator", &[KEY_MANAGER]).await;

        race(&admin, &creator, (Method::DELETE, creator.at(""), Value::Null), 401).await;
    }

    async fn no_key_is_made_after_the_creator_was_rotated(database: Database) {
        let (_server, admin) = started(&database).await;
        let creator = Key::holding(&admin, "creator", &[KEY_MANAGER]).await;

        race(&admin, &creator, (Method::POST, creator.at("/rotate"), json!({})), 401).await;
    }

    async fn administrators_that_end_each_other_leave_one(database: Database) {
        let (_server, admin) = started(&database).await;
        without_the_person(&admin).await;
        let me = admin.get(ME).await.expect(200).body["credential"]["id"].clone();
        let first = format!("{KEYS}/{}", me.as_str().unwrap());
        let mut keys = Vec::new();
        for _ in 0..8 {
            keys.push(Key::holding(&admin, "administrator", &[ADMINISTRATOR]).await);
        }
        keys[0].api(&admin).delete(&first).await.expect(204);

        let ends: Vec<_> = (0..keys.len())
            .map(|at| {
                let (ender, ended) = (keys[at].api(&admin), keys[(at + 1) % keys.len()].clone());
                tokio::spawn(async move {
                    match at % 3 {
                        0 => ender.delete(&ended.at("")).await,
                        1 => ender.patch(&ended.at(""), json!({ "enabled": false })).await,
                        _ => ender.patch(&ended.at(""), json!({ "role_ids": [] })).await,
                    }
                })
            })
            .collect();
        for end in ends {
            let answer = end.await.unwrap();
            let fair = [200, 204, 401, 403, 409].contains(&answer.status.as_u16());
            assert!(fair, "{answer}");
        }

        let mut left = 0;
        for key in &keys {
            let log = key.api(&admin).get(&format!("{EVENTS}/verify")).await;
            left += usize::from(log.status == 200 && log.body["valid"] == true);
        }
        assert!(left > 0, "nobody is left who may do everything");
    }
}

/// Has 60 tasks create keys without pause while `change` takes the creator's right. A request that
/// began after the change was answered must be refused with `status`, every key that was
/// acknowledged must be there, and the log must show the last of them before the change.
async fn race(admin: &Api, creator: &Key, change: (Method, String, Value), status: u16) {
    let taken = Arc::new(AtomicBool::new(false));
    let made = Arc::new(Semaphore::new(0));
    let tasks: Vec<_> = (0..60)
        .map(|_| tokio::spawn(create(creator.api(admin), taken.clone(), made.clone(), status)))
        .collect();
    let some = timeout(DEADLINE, made.acquire_many(60)).await.expect("keys are made");
    some.unwrap().forget();

    let (method, path, body) = change;
    let request = admin.request(method, &path).header("X-Request-Id", "taken");
    let request = if body.is_null() { request } else { request.json(&body) };
    let answer = acceptance::Answer::to(request).await.unwrap();
    taken.store(true, Ordering::SeqCst);

    assert!(answer.status.is_success(), "{answer}");
    let mut count = 0;
    for task in tasks {
        count += task.await.unwrap();
    }
    let list = admin.get(&format!("{KEYS}?name=raced&limit=1")).await.expect(200);
    assert_eq!(list.body["total"], count, "each acknowledged key, and no other");
    let of_creator = format!("credential={}", creator.id);
    assert!(last(admin, &of_creator).await < last(admin, "request_id=taken").await);
    head(admin).await;
}

/// The place of the newest event that the filter keeps.
async fn last(admin: &Api, filter: &str) -> i64 {
    let log = admin.get(&format!("{EVENTS}?limit=1&{filter}")).await.expect(200);
    each(&log, "seq")[0].as_i64().unwrap()
}

/// Creates keys until it is refused, and counts them.
async fn create(api: Api, taken: Arc<AtomicBool>, made: Arc<Semaphore>, status: u16) -> usize {
    let mut count = 0;
    loop {
        let began_after = taken.load(Ordering::SeqCst);
        let answer = api.post(KEYS, json!({ "name": "raced" })).await;
        if answer.status.as_u16() == status {
            return count;
        }
        let answer = answer.expect(201);
        assert!(!began_after, "made after the right was taken: {answer}");
        count += 1;
        made.add_permits(1);
    }
}
