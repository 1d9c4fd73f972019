//! Bookkeeping: whole or not at all, as a change is, but without events and without a queue.

use std::time::Duration;

use acceptance::{Database, on_each_database};
use keystile_domain::Seq;
use keystile_storage::{Books, Store, StoreError};
use tokio::task::JoinSet;

use crate::samples::at;
use crate::stage::{Stage, commit};

/// Runs one piece of bookkeeping, and commits it.
pub async fn keep<T>(
    store: &Store,
    write: impl AsyncFnOnce(&mut Books) -> Result<T, StoreError>,
) -> T {
    let mut books = store.books().await.unwrap();
    let written = write(&mut books).await.unwrap();
    books.commit().await.unwrap();
    written
}

async fn failures(store: &Store) -> i32 {
    let mut conn = store.read().await.unwrap();
    let found = conn.find_failures(&["x".to_owned()]).await.unwrap();
    found.iter().map(|found| found.failures).sum()
}

on_each_database! {
    async fn bookkeeping_lasts_and_no_event_tells_of_it(database: Database) {
        let stage = Stage::new(database).await;
        keep(&stage.store, async |books| books.count_failure("x", at(0)).await).await;
        assert_eq!(failures(&stage.store).await, 1);
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.head().await.unwrap().0, Seq(0));
    }

    async fn bookkeeping_is_seen_by_others_only_when_it_is_committed(database: Database) {
        let stage = Stage::new(database).await;
        let mut books = stage.store.books().await.unwrap();
        books.count_failure("x", at(0)).await.unwrap();
        assert_eq!(books.find_failures(&["x".to_owned()]).await.unwrap().len(), 1);
        assert_eq!(failures(&stage.store).await, 0);
        books.commit().await.unwrap();
        assert_eq!(failures(&stage.store).await, 1);
    }

    async fn bookkeeping_that_is_rolled_back_changes_nothing(database: Database) {
        let stage = Stage::new(database).await;
        let mut books = stage.store.books().await.unwrap();
        books.count_failure("x", at(0)).await.unwrap();
        books.rollback().await.unwrap();
        assert_eq!(failures(&stage.store).await, 0);
    }

    async fn bookkeeping_that_is_dropped_changes_nothing_and_holds_nobody_up(database: Database) {
        let stage = Stage::new(database).await;
        for _ in 0..8 {
            let mut books = stage.store.books().await.unwrap();
            books.count_failure("x", at(0)).await.unwrap();
            drop(books);
            // Another server has no part in this one's pool: only the database can hold it up.
            let another = stage.another(1, Duration::from_secs(30));
            keep(&another, async |books| books.count_failure("x", at(0)).await).await;
        }
        assert_eq!(failures(&stage.store).await, 8);
    }

    async fn bookkeeping_and_changes_at_once_all_last(database: Database) {
        let stage = Stage::new(database).await;
        let mut writes = JoinSet::new();
        for number in 0..40 {
            let store = stage.store.clone();
            writes.spawn(async move {
                if number % 2 == 0 {
                    keep(&store, async |books| books.count_failure("x", at(0)).await).await;
                } else {
                    commit(store.begin().await.unwrap()).await.unwrap();
                }
            });
        }
        writes.join_all().await;
        assert_eq!(failures(&stage.store).await, 20);
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.head().await.unwrap().0, Seq(20));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_bookkeeping_does_not_wait_for_a_change() {
    let Some(database) = Database::postgres().await else { return };
    let stage = Stage::new(database).await;
    let tx = stage.store.begin().await.unwrap();
    keep(&stage.store, async |books| books.count_failure("x", at(0)).await).await;
    assert_eq!(failures(&stage.store).await, 1);
    commit(tx).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite_bookkeeping_and_changes_take_turns() {
    let stage = Stage::new(Database::Sqlite).await;
    let hasty = stage.another(2, Duration::from_millis(20));
    let tx = hasty.begin().await.unwrap();
    assert!(matches!(hasty.books().await, Err(StoreError::Busy)));
    tx.rollback().await.unwrap();
    let books = hasty.books().await.unwrap();
    assert!(matches!(hasty.begin().await, Err(StoreError::Busy)));
    books.rollback().await.unwrap();
    hasty.begin().await.unwrap().rollback().await.unwrap();
}
