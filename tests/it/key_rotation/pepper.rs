//! A new pepper: nobody notices it, everything that is used comes under it, and what never was is
//! named before it stops.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

use acceptance::{Api, Caller, Database, Ended, Key, Options, Server, on_each_database, until};
use reqwest::Method;
use serde_json::json;

on_each_database! {
    async fn no_check_fails_while_the_pepper_is_rotated(database: Database) {
        let servers = servers(&database).await;
        let admin = servers[0].admin();
        let mut keys = Vec::new();
        for number in 0..20 {
            keys.push(Key::holding(&admin, &format!("key {number}"), &[]).await);
        }
        let (stop, checks) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let askers: Vec<_> = servers
            .iter()
            .map(|server| {
                let (apis, stop) = (apis(server, &keys), Arc::clone(&stop));
                let checks = Arc::clone(&checks);
                tokio::spawn(async move {
                    while !stop.load(Relaxed) {
                        for api in &apis {
                            api.get("/api/v1/me").await.expect(200);
                            checks.fetch_add(1, Relaxed);
                        }
                    }
                })
            })
            .collect();
        let some_more = async || {
            let enough = checks.load(Relaxed) + 100;
            until("checks", async || checks.load(Relaxed) >= enough).await;
        };
        some_more().await;
        done(&admin_command(&servers[0], &["rotate-pepper"]).await);
        // What one server makes from now on works at the other at once.
        for number in 0..10 {
            let maker = &servers[number % servers.len()];
            let key = Key::holding(&maker.admin(), "new", &[]).await;
            for server in &servers {
                server.api(key.caller()).get("/api/v1/me").await.expect(200);
            }
        }
        some_more().await;
        until("everything has moved", async || {
            let told = admin_command(&servers[0], &["forget-old-peppers"]).await;
            told.status.success()
        })
        .await;
        some_more().await;
        stop.store(true, Relaxed);
        for asker in askers {
            asker.await.unwrap();
        }
        let chain = admin.get("/api/v1/audit-events/verify").await.expect(200);
        assert_eq!(chain.body["valid"], true, "{chain}");
        let [rotated, forgotten] = ["pepper.rotated", "peppers.forgotten"];
        for action in [rotated, forgotten] {
            let told = admin.get(&format!("/api/v1/audit-events?action={action}")).await;
            assert_eq!(told.expect(200).body["total"], 1, "{action}");
        }
    }

    async fn what_was_made_with_a_secret_outlives_its_move(database: Database) {
        let servers = servers(&database).await;
        let (first, last) = (&servers[0], servers.last().unwrap());
        let admin = first.admin();
        let key = Key::holding(&admin, "key", &[2]).await;
        let [before, after] = [access_token(first, &key).await, {
            done(&admin_command(first, &["rotate-pepper"]).await);
            access_token(first, &key).await
        }];
        let session = json!({"username": "admin", "password": first.admin_password()});
        let session = admin.post("/api/v1/auth/login", session).await.expect(200);
        moved(first, &[&key.api(&last.admin())]).await;
        for token in [before, after, access_token(last, &key).await] {
            for server in &servers {
                server.api(Caller::Bearer(token.clone())).get("/api/v1/me").await.expect(200);
            }
        }
        let refresh = json!({"refresh_token": session.text_of("refresh_token")});
        last.admin().post("/api/v1/auth/refresh", refresh).await.expect(200);
    }

    async fn keys_that_were_never_used_are_named_before_they_stop(database: Database) {
        let servers = servers(&database).await;
        let (first, last) = (&servers[0], servers.last().unwrap());
        let admin = first.admin();
        let [used, unused] = [
            Key::holding(&admin, "used", &[]).await,
            Key::holding(&admin, "never used", &[]).await,
        ];
        done(&admin_command(first, &["rotate-pepper"]).await);
        let fresh = admin_command(first, &["rotate-pepper"]).await;
        assert!(fresh.stderr.contains("too fresh"), "{fresh:#?}");
        let told = moved(first, &[&used.api(&admin), &admin]).await;
        assert_eq!(told.status.code(), Some(1), "{told:#?}");
        assert_eq!(told.stdout, format!("{} api_key never used\n", unused.id));
        done(&admin_command(first, &["forget-old-peppers", "--force"]).await);
        for server in [first, last] {
            until("it stops", async || {
                let answer = server.api(unused.caller()).get("/api/v1/me").await;
                answer.status == 401
            })
            .await;
            server.api(used.caller()).get("/api/v1/me").await.expect(200);
        }
        let told = admin_command(first, &["forget-old-peppers"]).await;
        assert!(told.stderr.contains("there is no old pepper"), "{told:#?}");
        // Its holder gets a new secret under the same id.
        let new = Key::of(&admin.post(&unused.at("/rotate"), json!({})).await.expect(200));
        last.api(new.caller()).get("/api/v1/me").await.expect(200);
    }

    async fn the_last_administrator_is_not_stopped_by_force(database: Database) {
        let server = Server::start(&Options::on(&database)).await;
        let admin = server.admin();
        let people = admin.get("/api/v1/users?username=admin").await.expect(200);
        let person = format!("/api/v1/users/{}", people.body["data"][0]["id"].as_str().unwrap());
        admin.patch(&person, json!({"enabled": false})).await.expect(200);
        done(&admin_command(&server, &["rotate-pepper"]).await);
        let told = admin_command(&server, &["forget-old-peppers", "--force"]).await;
        assert_eq!(told.status.code(), Some(1), "{told:#?}");
        assert!(told.stderr.contains("nobody could manage Keystile"), "{told:#?}");
        admin.get("/api/v1/me").await.expect(200);
    }
}

/// Two servers of one PostgreSQL database; a file has one server.
async fn servers(database: &Database) -> Vec<Server> {
    let options = Options::on(database);
    let first = Server::start(&options).await;
    match database {
        Database::Sqlite => vec![first],
        Database::Postgres(_) => vec![first, Server::start(&options).await],
    }
}

fn apis(server: &Server, keys: &[Key]) -> Vec<Api> {
    keys.iter().map(|key| server.api(key.caller())).collect()
}

async fn admin_command(server: &Server, command: &[&str]) -> Ended {
    server.options().run(&[&["admin"], command].concat()).await
}

fn done(ended: &Ended) {
    assert!(ended.status.success(), "{ended:#?}");
}

/// Uses these keys until none of them would stop, and tells what is said then.
async fn moved(server: &Server, users: &[&Api]) -> Ended {
    let mut ids = Vec::new();
    for user in users {
        let me = user.get("/api/v1/me").await.expect(200);
        ids.push(me.body["credential"]["id"].as_str().unwrap().to_owned());
    }
    let last = std::cell::RefCell::new(None);
    until("they have moved", async || {
        for user in users {
            user.get("/api/v1/me").await.expect(200);
        }
        let told = admin_command(server, &["forget-old-peppers"]).await;
        let is_so = ids.iter().all(|id| !told.stdout.contains(id));
        last.replace(Some(told));
        is_so
    })
    .await;
    last.into_inner().unwrap()
}

async fn access_token(server: &Server, key: &Key) -> String {
    let form = [("grant_type", "client_credentials")];
    let request = server.api(Caller::Anonymous).request(Method::POST, "/oauth2/token");
    let request = request.basic_auth(&key.id, Some(&key.secret)).form(&form);
    let answer = acceptance::Answer::to(request).await.unwrap().expect(200);
    answer.text_of("access_token").to_owned()
}
