//! A node that the network has cut off from the database, but not from those who ask it.

use std::cell::Cell;
use std::time::{Duration, Instant};

use acceptance::{Database, Options, Postgres, Proxy, until};

use super::Stage;
use super::stage::me;

#[tokio::test(flavor = "multi_thread")]
async fn rule_9_a_node_that_is_cut_off_lets_nobody_in_after_the_answer() {
    let Some((stage, proxy)) = apart("1s").await else { return };
    let (stays, key) = (stage.key().await, stage.key().await);
    let far = stage.at(1, stays.caller());
    proxy.freeze();
    let revocation = stage.revoke(0, &key).await;
    assert_eq!(revocation["lease_expired"], 1, "{revocation}");
    let load = stage.watch(&key);
    // It does not know what has happened, and refuses everybody.
    until("it refuses", async || me(&far).await == 503).await;
    assert_eq!(me(&far).await, 503);
    proxy.thaw();
    stage.turned_away(&key).await;
    stage.accepted(&stays).await;
    load.let_nobody_in().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_15_who_deletes_what_is_gone_already_waits_as_well() {
    let Some((stage, proxy)) = apart("1s").await else { return };
    let key = stage.key().await;
    let far = stage.at(1, key.caller());
    proxy.freeze();
    stage.admin.delete(&key.at("")).await.expect(204);
    assert_eq!(me(&far).await, 200, "nobody has waited for it");
    stage.admin.delete(&key.at("?w%61it=cluster")).await.expect(404);
    assert_ne!(me(&far).await, 200);
    proxy.thaw();
    stage.turned_away(&key).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_connections_break_again_and_again_misses_nothing() {
    let Some((stage, proxy)) = apart("2s").await else { return };
    let url = proxy.url();
    let (_, database) = url.rsplit_once('/').unwrap();
    for round in 0..30 {
        let key = stage.key().await;
        match round % 3 {
            0 => proxy.cut(),
            1 => Postgres::shared().execute(database, END_LOOKS).await,
            _ => {}
        }
        stage.revoke(0, &key).await;
        stage.refused(&key).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_9_a_node_that_is_cut_off_refuses_within_its_lease() {
    let Some((stage, proxy)) = apart("1s").await else { return };
    let key = stage.key().await;
    let far = stage.at(1, key.caller());
    proxy.freeze();
    // What it looked at last, it looked at before.
    let frozen = Instant::now();
    let last = Cell::new(None);
    until("it refuses", async || {
        let begun = Instant::now();
        let status = me(&far).await;
        if status == 200 {
            last.set(Some(begun - frozen));
        }
        status == 503
    })
    .await;
    let last = last.get().expect("it answers from memory until then");
    assert!(last < Duration::from_secs(1), "{last:?}");
}

/// Two nodes, the second of which has a way of its own to the database.
async fn apart(lease: &str) -> Option<(Stage, Proxy)> {
    let database = Database::postgres().await?;
    let Database::Postgres(url) = &database else { unreachable!() };
    let proxy = Proxy::to(url).await;
    let near = Options::on(&database).env("KEYSTILE_LEASE", lease);
    let far = near.clone().with_own_data().env("KEYSTILE_DATABASE_URL", proxy.url());
    let stage = Stage::on([near, far]).await;
    stage.settled().await;
    Some((stage, proxy))
}

/// Ends the connections that looks go by.
const END_LOOKS: &str = "
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND datname = current_database()
        AND query LIKE '%UPDATE nodes%'";
