//! A pooler between the servers and the database.

use acceptance::{Database, Options, Part, PgBouncer, Proxy, Server, until};

use super::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn rule_5_looks_go_around_a_pooler() {
    let Some(Database::Postgres(url)) = Database::postgres().await else { return };
    if !Part::PgBouncer.or_skip() {
        return;
    }
    let pooler = PgBouncer::to(&url);
    let direct = Proxy::to(&url).await;
    let options = Options::on(&Database::Postgres(pooler.url().to_owned()))
        .env("KEYSTILE_DATABASE_DIRECT_URL", direct.url())
        .env("KEYSTILE_LEASE", "1s");
    let stage = Stage::on((0..2).map(|_| options.clone().with_own_data())).await;
    stage.settled().await;
    for round in 0..30 {
        let key = stage.key().await;
        let revocation = stage.revoke(round % 2, &key).await;
        assert_eq!(revocation["acknowledged"], 2, "{revocation}");
        stage.refused(&key).await;
    }

    let (stays, key) = (stage.key().await, stage.key().await);
    direct.freeze();
    let revocation = stage.revoke(0, &key).await;
    assert_eq!(revocation["lease_expired"], 2, "{revocation}");
    stage.refused(&key).await;
    // Without a lease the primary is asked, and the way to it is free.
    stage.accepted(&stays).await;
    direct.thaw();
    until("they look again", async || {
        let key = stage.key().await;
        stage.revoke(1, &key).await["acknowledged"] == 2
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_that_keeps_no_prepared_statements_is_told_by_what_to_do_about_it() {
    let Some(Database::Postgres(url)) = Database::postgres().await else { return };
    if !Part::PgBouncer.or_skip() {
        return;
    }
    let pooler = PgBouncer::forgetting(&url);
    let options = Options::on(&Database::Postgres(pooler.url().to_owned()))
        .env("KEYSTILE_DATABASE_DIRECT_URL", &url);
    // The statements of the first are still there when the second has its own of the same names.
    let mut told = String::new();
    for _ in 0..2 {
        match Server::try_start(&options.clone().with_own_data()).await {
            Ok(server) => told += &server.stop().await.stderr,
            Err(ended) => told += &ended.stderr,
        }
    }
    assert!(told.contains("the pooler keeps no prepared statements"), "{told}");
    assert!(told.contains("max_prepared_statements"), "{told}");
}
