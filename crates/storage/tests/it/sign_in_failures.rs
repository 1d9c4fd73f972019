//! Failed sign-ins: each is counted, also of many at once.

use acceptance::{Database, on_each_database};
use keystile_domain::Timestamp;
use keystile_storage::{Failures, Store};
use tokio::task::JoinSet;

use crate::books::keep;
use crate::samples::at;
use crate::stage::Stage;

async fn fail(store: &Store, subject: &str, now: Timestamp) {
    keep(store, async |books| books.count_failure(subject, now).await.map(drop)).await;
}

async fn found(store: &Store, subjects: &[&str]) -> Vec<Failures> {
    let subjects: Vec<String> = subjects.iter().map(ToString::to_string).collect();
    let mut conn = store.read().await.unwrap();
    conn.find_failures(&subjects).await.unwrap()
}

fn failures(subject: &str, failures: i32, last_at: Timestamp) -> Failures {
    Failures { subject: subject.to_owned(), failures, last_at }
}

on_each_database! {
    async fn failures_are_counted_for_each_subject_with_the_last_moment(database: Database) {
        let Stage { store, .. } = &Stage::new(database).await;
        fail(store, "a", at(1)).await;
        fail(store, "b", at(2)).await;
        fail(store, "a", at(3)).await;
        fail(store, "c", at(4)).await;
        assert_eq!(
            found(store, &["b", "nobody", "a"]).await,
            [failures("a", 2, at(3)), failures("b", 1, at(2))],
        );
        assert_eq!(found(store, &[]).await, []);
    }

    async fn no_failure_of_many_at_once_is_lost(database: Database) {
        let stage = Stage::new(database).await;
        let mut failing = JoinSet::new();
        for _ in 0..40 {
            let store = stage.store.clone();
            failing.spawn(async move { fail(&store, "a", at(1)).await });
        }
        failing.join_all().await;
        assert_eq!(found(&stage.store, &["a"]).await, [failures("a", 40, at(1))]);
    }

    async fn whoever_succeeds_begins_anew(database: Database) {
        let Stage { store, .. } = &Stage::new(database).await;
        fail(store, "a", at(1)).await;
        fail(store, "b", at(1)).await;
        keep(store, async |books| books.clear_failures("a").await).await;
        keep(store, async |books| books.clear_failures("nobody").await).await;
        assert_eq!(found(store, &["a", "b"]).await, [failures("b", 1, at(1))]);
        fail(store, "a", at(2)).await;
        assert_eq!(found(store, &["a"]).await, [failures("a", 1, at(2))]);
    }

    async fn a_failure_is_told_what_there_was_before(database: Database) {
        let Stage { store, .. } = &Stage::new(database).await;
        let count = async |now| keep(store, async |books| books.count_failure("a", now).await).await;
        assert_eq!(count(at(1)).await, failures("a", 0, at(1)));
        assert_eq!(count(at(2)).await, failures("a", 1, at(1)));
        assert_eq!(count(at(3)).await, failures("a", 2, at(2)));
    }

    async fn failures_can_be_taken_back_down_to_none(database: Database) {
        let Stage { store, .. } = &Stage::new(database).await;
        let forgive = async |number| {
            keep(store, async |books| books.forgive_failures("a", number).await).await;
        };
        forgive(1).await;
        for now in 1..=3 {
            fail(store, "a", at(now)).await;
        }
        forgive(2).await;
        assert_eq!(found(store, &["a"]).await, [failures("a", 1, at(3))]);
        forgive(2).await;
        assert_eq!(found(store, &["a"]).await, []);
    }

    async fn only_old_failures_are_forgotten(database: Database) {
        let Stage { store, .. } = &Stage::new(database).await;
        fail(store, "a", at(1)).await;
        fail(store, "b", at(1)).await;
        fail(store, "b", at(2)).await;
        keep(store, async |books| books.remove_old_failures(at(2)).await).await;
        assert_eq!(found(store, &["a", "b"]).await, [failures("b", 2, at(2))]);
    }
}
