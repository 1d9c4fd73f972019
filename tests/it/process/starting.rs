//! Several servers, one database.

use acceptance::{Caller, Database, Ended, Options, Server, on_each_database};

#[tokio::test(flavor = "multi_thread")]
async fn of_four_servers_at_once_on_postgres_one_makes_the_administrator() {
    let Some(database) = Database::postgres().await else { return };
    let starting: Vec<_> = (0..4)
        .map(|_| {
            let options = Options::on(&database);
            tokio::spawn(async move { Server::start(&options).await })
        })
        .collect();
    let mut servers = Vec::new();
    for server in starting {
        servers.push(server.await.unwrap());
    }

    let wrote = |server: &&Server| server.options().data().join("first-admin").exists();
    let makers: Vec<_> = servers.iter().filter(wrote).collect();
    assert_eq!(makers.len(), 1, "exactly one makes the administrator");
    let key = makers[0].admin_key();
    for server in &servers {
        server.api(Caller::Header(key.clone())).get("/api/v1/me").await.expect(200);
    }
    for server in servers {
        server.stop().await.assert_silent([key.as_str()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_on_one_sqlite_file_stops_and_says_why() {
    let first = Server::start(&Options::on(&Database::Sqlite)).await;

    let ended = refused(first.options()).await;

    assert!(ended.stderr.contains("keystile.db"), "{ended:#?}");
    assert!(ended.stderr.contains("another server"), "{ended:#?}");
    first.admin().get("/api/v1/me").await.expect(200);
}

on_each_database! {
    async fn another_master_key_stops_the_start(database: Database) {
        let first = Server::start(&Options::on(&database)).await;
        let options = first.options().clone();
        first.stop().await;

        let ended = refused(&options.clone().env("KEYSTILE_MASTER_KEY", OTHER_KEY)).await;

        assert!(ended.stderr.contains("master key"), "{ended:#?}");
        ended.assert_silent([OTHER_KEY]);
        Server::start(&options).await;
    }
}

async fn refused(options: &Options) -> Ended {
    let ended = Server::try_start(options).await.expect_err("it started");
    assert!(!ended.status.success(), "{ended:#?}");
    ended
}

const OTHER_KEY: &str = "YW5vdGhlci1rZXktb2YtMzItYnl0ZXMtZm9yLXRlc3Q=";
