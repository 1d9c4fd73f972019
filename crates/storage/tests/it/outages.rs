//! Outages: never mistaken for an answer, and over when they are over.

use std::error::Error;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::mpsc;
use std::task::Poll;
use std::time::Duration;

use acceptance::{Database, Part, Postgres, Setup, on_each_database};
use keystile_domain::Seq;
use keystile_storage::{Store, StoreError, StoreOptions, Url};
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::samples::digest;
use crate::stage::{Stage, commit};

on_each_database! {
    async fn an_empty_pool_is_an_outage(database: Database) {
        let stage = Stage::new(database).await;
        let narrow = stage.another(1, Duration::from_millis(20));
        // On a busy machine the first connection may take longer than its caller has.
        let _conn = loop {
            if let Ok(conn) = narrow.read().await {
                break conn;
            }
        };
        assert!(matches!(narrow.read().await, Err(StoreError::Unavailable(_))));
        assert!(matches!(narrow.ping().await, Err(StoreError::Unavailable(_))));
        assert!(matches!(narrow.begin().await, Err(StoreError::Unavailable(_))));
    }

    async fn a_connection_does_not_need_the_runtime_that_asked_for_it(database: Database) {
        let stage = Stage::new(database).await;
        let narrow = stage.another(1, Duration::from_secs(30));
        let worker = narrow.clone();
        let (made, connected) = oneshot::channel();
        let (used, done) = mpsc::channel::<()>();
        let worker = std::thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            made.send(runtime.block_on(worker.ping())).unwrap();
            // The runtime is there, and busy with something else while the connection is used.
            done.recv().unwrap();
        });
        connected.await.unwrap().unwrap();
        let pinged = timeout(Duration::from_secs(20), narrow.ping()).await;
        used.send(()).unwrap();
        pinged.expect("the connection waited for the runtime").unwrap();
        worker.join().unwrap();
        narrow.ping().await.unwrap();
    }

    async fn a_read_that_is_given_up_does_no_harm_on_a_web_worker(database: Database) {
        let stage = Stage::new(database).await;
        let narrow = stage.another(1, Duration::from_secs(30));
        let worker = std::thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut waited = 0;
                for _ in 0..50 {
                    let mut conn = narrow.read().await?;
                    let digest = digest(1);
                    let given_up = pin!(conn.find_credential(&digest));
                    waited += i32::from(waits(given_up).await);
                }
                assert!(waited > 0, "every read was done before it could be given up");
                narrow.read().await?.head().await
            })
        });
        assert_eq!(worker.join().unwrap().unwrap().0, Seq(0));
    }
}

/// Polls a future once, and tells whether it would have had to wait.
async fn waits<F: Future>(mut future: Pin<&mut F>) -> bool {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_reached_is_an_outage_that_keeps_the_password() {
    let address = "postgres://somebody:Pa55word@127.0.0.1:1/nowhere".to_owned();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("missing").join("keystile.db");
    for url in [Url::Postgres(address.into()), Url::Sqlite(file)] {
        let options = StoreOptions { url, pool_size: 1, acquire_timeout: Duration::from_secs(30) };
        assert!(!format!("{options:?}").contains("Pa55word"));
        let store = Store::open(options, &Handle::current()).unwrap();
        let refused = store.ping().await.unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable(_)));
        let mut told = format!("{refused:?}");
        let mut cause: Option<&dyn Error> = Some(&refused);
        while let Some(error) = cause {
            told.push_str(&error.to_string());
            cause = error.source();
        }
        assert!(!told.contains("Pa55word"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_is_an_outage_until_it_is_back() {
    if !Part::Postgres.or_skip() {
        return;
    }
    let mut postgres = Postgres::make(Setup::Fast);
    let stage = Stage::new(Database::Postgres(postgres.fresh_database().await)).await;
    let mut conn = stage.store.read().await.unwrap();
    let tx = stage.store.begin().await.unwrap();
    postgres.stop();
    let found = conn.find_credential(&digest(1)).await;
    assert!(matches!(found, Err(StoreError::Unavailable(_))), "{found:?}");
    let committed = commit(tx).await;
    assert!(matches!(committed, Err(StoreError::Unavailable(_))), "{committed:?}");
    drop(conn);
    assert!(matches!(stage.store.begin().await, Err(StoreError::Unavailable(_))));
    postgres.start();
    assert_eq!(commit(stage.store.begin().await.unwrap()).await.unwrap(), Seq(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_2_a_commit_that_no_standby_confirmed_is_not_reported_as_done() {
    if !Part::Postgres.or_skip() {
        return;
    }
    let postgres = Postgres::make(Setup::Fast);
    let stage = Stage::new(Database::Postgres(postgres.fresh_database().await)).await;
    postgres.execute("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'nobody'").await;
    postgres.execute("postgres", "SELECT pg_reload_conf()").await;
    // Sessions take new settings between two statements: those that were there before may not yet.
    let fresh = stage.another(1, Duration::from_secs(30));
    let committing = tokio::spawn(async move { commit(fresh.begin().await?).await });
    let cancel = "
        DO $$ BEGIN
            WHILE NOT coalesce((
                SELECT bool_or(pg_cancel_backend(pid)) FROM pg_stat_activity
                WHERE wait_event = 'SyncRep'
            ), false) LOOP
                PERFORM pg_stat_clear_snapshot();
            END LOOP;
        END $$";
    postgres.execute("postgres", cancel).await;
    let committed = committing.await.unwrap();
    assert!(matches!(committed, Err(StoreError::Unavailable(_))), "{committed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_2_a_change_that_stands_still_holds_up_nobody_for_long() {
    if !Part::Postgres.or_skip() {
        return;
    }
    let postgres = Postgres::make(Setup::Fast);
    let stage = Stage::new(Database::Postgres(postgres.fresh_database().await)).await;
    let other = stage.another(1, Duration::from_secs(30));
    let silent = stage.store.begin().await.unwrap();
    assert_eq!(commit(other.begin().await.unwrap()).await.unwrap(), Seq(1));
    let committed = commit(silent).await;
    assert!(matches!(committed, Err(StoreError::Unavailable(_))), "{committed:?}");
}
