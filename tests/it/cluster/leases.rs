//! What a lease is worth: all of it, some of it, none.

use acceptance::{Database, Options, Proxy, Server, until};
use serde_json::json;

use super::Stage;
use super::stage::me;

#[tokio::test(flavor = "multi_thread")]
async fn rule_9_with_a_lease_of_nothing_every_check_asks_the_database() {
    let Some(stage) = Stage::with(2, "0s").await else { return };
    for round in 0..20 {
        let key = stage.key().await;
        // Nobody waits for anybody.
        let admin = stage.admin_at(round % 2);
        admin.patch(&key.at(""), json!({ "enabled": false })).await.expect(200);
        for node in 0..2 {
            assert_eq!(me(&stage.at(node, key.caller())).await, 401, "at {node}");
        }
    }
    let key = stage.key().await;
    let revocation = stage.revoke(0, &key).await;
    assert_eq!(revocation["unproven"], 0, "{revocation}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_9_without_the_database_what_is_remembered_ends_with_the_lease() {
    let Some(Database::Postgres(url)) = Database::postgres().await else { return };
    let proxy = Proxy::to(&url).await;
    let options = Options::on(&Database::Postgres(proxy.url())).env("KEYSTILE_LEASE", "60s");
    let short = options.clone().env("KEYSTILE_LEASE", "500ms");
    // With the longest lease it goes on out of memory: what follows is not the database's doing.
    let server = Server::start(&options).await;
    let key = acceptance::Key::made(&server.admin(), json!({ "name": "k" })).await;
    let api = server.api(key.caller());
    until("the server has seen what it made", async || {
        let seen = server.admin().get("/api/v1/verifiers").await.expect(200);
        seen.body["data"][0]["position"] == seen.body["head"]
    })
    .await;
    assert_eq!(me(&api).await, 200);
    proxy.freeze();
    for _ in 0..50 {
        assert_eq!(me(&api).await, 200);
    }
    proxy.thaw();
    server.stop().await;

    let server = Server::start(&short).await;
    let api = server.api(key.caller());
    until("it is let in", async || me(&api).await == 200).await;
    proxy.freeze();
    until("the lease is over", async || me(&api).await == 503).await;
    for _ in 0..2 {
        assert_eq!(me(&api).await, 503);
    }
    proxy.thaw();
    until("it is let in again", async || me(&api).await == 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_21_one_server_alone_has_a_file_and_waits_for_nobody() {
    let (server, admin) = acceptance::started(&Database::Sqlite).await;
    let refused = Server::try_start(server.options()).await.expect_err("another has the file");
    assert!(refused.stderr.contains("one SQLite file has one server"), "{refused:#?}");
    for _ in 0..10 {
        let key = acceptance::Key::made(&admin, json!({ "name": "k" })).await;
        let api = server.api(key.caller());
        assert_eq!(me(&api).await, 200);
        let revoked = admin.delete(&key.at("?wait=cluster")).await.expect(200);
        let revocation = &revoked.body["revocation"];
        assert_eq!(revocation["acknowledged"], 1, "{revoked}");
        assert_eq!(revocation["lease_expired"], 0, "{revoked}");
        assert_eq!(me(&api).await, 401);
    }
}
