//! What of the counts can be lost: nothing when the server is asked to end, nothing in an outage of
//! the database, and what was not yet written when the server is killed.

use std::time::Duration;

use acceptance::{Database, Key, Options, Part, Postgres, Server, Setup, on_each_database, until};
use serde_json::json;
use tokio::time::timeout;

use super::{allowed, until_used, use_it};

on_each_database! {
    async fn at_sigterm_everything_is_written(database: Database) {
        let server = Server::start(&Options::on(&database)).await;
        let key = Key::made(&server.admin(), json!({ "name": "k" })).await;
        use_it(&server, &key, 5).await;

        let server = server.restart().await;

        let usage = server.admin().get(&key.at("/usage")).await.expect(200).body;
        assert_eq!(allowed(&usage), 5, "{usage}");
    }

    async fn a_kill_loses_no_more_than_was_not_yet_written(database: Database) {
        let options = Options::on(&database);
        let server = Server::start(&options).await;
        let key = Key::made(&server.admin(), json!({ "name": "k" })).await;
        use_it(&server, &key, 5).await;
        until_used(&server.admin(), &key.at(""), |usage| allowed(usage) == 5).await;
        use_it(&server, &key, 5).await;

        server.kill();
        server.wait().await;
        let server = Server::start(&options).await;
        let admin = server.admin();

        let usage = admin.get(&key.at("/usage")).await.expect(200).body;
        let kept = allowed(&usage);
        assert!((5..=10).contains(&kept), "{usage}");
        use_it(&server, &key, 5).await;
        until_used(&admin, &key.at(""), |usage| allowed(usage) == kept + 5).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_counted_before_an_outage_is_written_after_it() {
    if !Part::Postgres.or_skip() {
        return;
    }
    let mut postgres = Postgres::make(Setup::Durable);
    let database = Database::Postgres(postgres.fresh_database().await);
    let server = Server::start(&Options::on(&database)).await;
    let admin = server.admin();
    let key = Key::made(&admin, json!({ "name": "k" })).await;

    let mut used = 0;
    loop {
        use_it(&server, &key, 5).await;
        used += 5;
        postgres.stop();
        let noticed = timeout(TWO_FLUSHES, server.says("counts of checks could not be")).await;
        postgres.start();
        until("it recovers by itself", async || admin.get("/readyz").await.status == 200).await;
        // Not, if all was written in the moment before the end of the database.
        if noticed.is_ok() {
            break;
        }
    }

    until_used(&admin, &key.at(""), |usage| allowed(usage) == used).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_gone_does_not_hold_up_the_end() {
    if !Part::Postgres.or_skip() {
        return;
    }
    let mut postgres = Postgres::make(Setup::Durable);
    let database = Database::Postgres(postgres.fresh_database().await);
    let server = Server::start(&Options::on(&database)).await;
    let key = Key::made(&server.admin(), json!({ "name": "k" })).await;
    use_it(&server, &key, 5).await;

    postgres.stop();
    server.stop().await;
}

/// Twice the time between two flushes.
const TWO_FLUSHES: Duration = Duration::from_secs(10);
