//! What credentials needed: remembered once, and no more of it than a person can read.

use std::collections::{BTreeMap, BTreeSet};

use acceptance::{Database, on_each_database};
use keystile_storage::{Exercised, Store};
use tokio::task::JoinSet;

use crate::books::keep;
use crate::samples::{at, uuid};
use crate::stage::Stage;

fn needed(credential: u128, exercise: impl ToString, moment: i64) -> Exercised {
    Exercised { credential: uuid(credential), exercise: exercise.to_string(), at: at(moment) }
}

async fn add(store: &Store, exercised: &[Exercised]) {
    keep(store, async |books| books.add_exercises(exercised).await).await;
}

/// What is known of two credentials.
async fn known(store: &Store) -> BTreeMap<u128, Vec<String>> {
    let mut conn = store.read().await.unwrap();
    let known = conn.list_exercises(&[uuid(1), uuid(2)]).await.unwrap();
    let texts = |texts: BTreeSet<String>| texts.into_iter().collect();
    known.into_iter().map(|(id, known)| (id.as_u128(), texts(known))).collect()
}

on_each_database! {
    async fn what_was_needed_is_remembered_once_for_each_credential(database: Database) {
        let Stage { store, .. } = &Stage::new(database).await;
        let first = needed(1, "a.read", 1);
        add(store, &[first.clone(), needed(1, "GET /a/**", 1), first.clone(), needed(3, "c", 1)])
            .await;
        add(store, &[first, needed(2, "", 2)]).await;
        let known = known(store).await;
        assert_eq!(known.len(), 2);
        assert_eq!(known[&1], ["GET /a/**", "a.read"]);
        assert_eq!(known[&2], [""]);
    }

    async fn what_was_not_needed_since_a_moment_is_forgotten(database: Database) {
        let Stage { store, .. } = &Stage::new(database).await;
        add(store, &[needed(1, "old", 1), needed(1, "again", 1), needed(1, "late", 9)]).await;
        add(store, &[needed(1, "again", 5)]).await;
        // A node that reports late takes nothing back.
        add(store, &[needed(1, "again", 3)]).await;
        keep(store, async |books| books.remove_exercises_before(at(5)).await).await;
        assert_eq!(known(store).await[&1], ["again", "late"]);
    }

    async fn of_too_much_it_is_only_remembered_that_there_was_more(database: Database) {
        let Stage { store, .. } = &Stage::new(database).await;
        let many: Vec<_> = (0..500).map(|number| needed(1, number, 1)).collect();
        add(store, &many[..499]).await;
        add(store, &many[499..]).await;
        assert_eq!(known(store).await[&1].len(), 500);
        add(store, &[needed(1, "beyond", 2), needed(1, "beyond it", 2), needed(1, 7, 2)]).await;
        let texts = &known(store).await[&1];
        assert_eq!((texts.len(), texts[0].as_str()), (501, ""));
    }

    async fn nodes_that_report_at_once_never_hold_each_other_up(database: Database) {
        let stage = Stage::new(database).await;
        let mut many: Vec<_> = (0..200).map(|number| needed(number, "a", 1)).collect();
        let mut reporting = JoinSet::new();
        for _ in 0..12 {
            many.reverse();
            let (store, many) = (stage.store.clone(), many.clone());
            reporting.spawn(async move { add(&store, &many).await });
        }
        reporting.join_all().await;
        assert_eq!(known(&stage.store).await.len(), 2);
    }
}
