//! Commands that change the database beside servers that run.

use std::time::{Duration, Instant};

use acceptance::{Database, Ended, Options, Server, on_each_database, until};

on_each_database! {
    async fn rule_21_a_command_ends_when_no_server_goes_by_what_was_before(database: Database) {
        let server = Server::start(&Options::on(&database).env("KEYSTILE_LEASE", "1500ms")).await;
        let admin = server.admin();
        // What the cluster counts on is what counts, and not what this shell says.
        let beside = server.options().clone().env("KEYSTILE_LEASE", "0s");
        let command = async |command: &[&str]| {
            let begin = Instant::now();
            let ended = beside.run(&[&["admin"], command].concat()).await;
            let list = admin.get("/api/v1/verifiers").await.expect(200).body;
            if ended.status.success() {
                assert!(begin.elapsed() > LEASE, "{command:?}");
                assert_eq!(list["data"][0]["settled"], list["head"], "{command:?}: {list}");
            }
            ended
        };
        if matches!(database, Database::Postgres(_)) {
            // With a file these want the server stopped.
            done(&command(&["rotate-signing-key"]).await);
            done(&command(&["reset-password", "admin"]).await);
        }
        done(&command(&["rotate-pepper"]).await);
        until("the administrator's key has moved", async || {
            command(&["forget-old-peppers"]).await.status.success()
        })
        .await;
        let new_key = beside.data().join("new-master.key");
        let new_key = new_key.to_str().unwrap();
        done(&command(&["rotate-master-key", "--new-key-file", new_key]).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_on_a_file_without_a_server_waits_for_nobody() {
    let server = Server::start(&Options::on(&Database::Sqlite).env("KEYSTILE_LEASE", "60s")).await;
    let options = server.options().clone();
    server.stop().await;
    done(&options.run(&["admin", "rotate-pepper"]).await);
}

fn done(ended: &Ended) {
    assert!(ended.status.success(), "{ended:#?}");
}

const LEASE: Duration = Duration::from_millis(1_500);
