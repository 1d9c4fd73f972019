//! Changes: one after the other, whole or not at all, and never without the events that tell of
//! them.

use std::future::poll_fn;
use std::time::Duration;

use acceptance::{Database, on_each_database};
use keystile_domain::{ChainHash, Seq};
use keystile_storage::{StoreError, Url};
use secrecy::ExposeSecret;
use tokio::task::JoinSet;
use tokio_postgres::AsyncMessage;

use crate::samples::draft;
use crate::stage::{Stage, chain, commit, sealed};

on_each_database! {
    async fn concurrent_changes_get_places_without_gaps_and_an_unbroken_chain(database: Database) {
        let stage = Stage::new(database).await;
        let another = stage.another(2, Duration::from_secs(30));
        let mut changes = JoinSet::new();
        for number in 0..40 {
            let store = if number % 2 == 0 { stage.store.clone() } else { another.clone() };
            changes.spawn(async move {
                let mut tx = store.begin().await?;
                tx.set_meta("last", &tx.seq().to_string()).await?;
                commit(tx).await
            });
        }
        let mut places: Vec<Seq> =
            changes.join_all().await.into_iter().map(Result::unwrap).collect();
        places.sort();
        assert_eq!(places, (1..=40).map(Seq).collect::<Vec<_>>());

        let mut conn = stage.store.read().await.unwrap();
        let mut previous = ChainHash::START;
        for sealed in conn.list_events_after(Seq(0), 100).await.unwrap() {
            chain().check(&sealed, previous).unwrap();
            previous = sealed.hash;
        }
        assert_eq!(conn.head().await.unwrap(), (Seq(40), previous));
        assert_eq!(conn.find_meta("last").await.unwrap().as_deref(), Some("40"));
    }

    async fn one_change_may_tell_several_events(database: Database) {
        let stage = Stage::new(database).await;
        let tx = stage.store.begin().await.unwrap();
        let events = sealed(tx.seq(), tx.previous(), [draft(), draft(), draft()]);
        assert_eq!(tx.commit(events).await.unwrap(), Seq(3));
        let tx = stage.store.begin().await.unwrap();
        assert_eq!(tx.seq(), Seq(4));
    }

    async fn a_change_without_events_cannot_be_committed(database: Database) {
        let stage = Stage::new(database).await;
        let mut tx = stage.store.begin().await.unwrap();
        tx.set_meta("name", "value").await.unwrap();
        assert!(matches!(tx.commit(Vec::new()).await, Err(StoreError::Unaudited)));
        nothing_changed(&stage).await;
    }

    async fn events_that_do_not_continue_the_log_cannot_be_committed(database: Database) {
        let stage = Stage::new(database).await;
        let (seq, previous, wrong) = (Seq(1), ChainHash::START, ChainHash::from_bytes([1; 32]));
        let mut torn = sealed(seq, previous, [draft(), draft()]);
        torn[1].previous = wrong;
        for events in [sealed(Seq(2), previous, [draft()]), sealed(seq, wrong, [draft()]), torn] {
            let mut tx = stage.store.begin().await.unwrap();
            tx.set_meta("name", "value").await.unwrap();
            assert!(matches!(tx.commit(events).await, Err(StoreError::Unaudited)));
            nothing_changed(&stage).await;
        }
    }

    async fn a_change_that_is_rolled_back_changes_nothing(database: Database) {
        let stage = Stage::new(database).await;
        let mut tx = stage.store.begin().await.unwrap();
        tx.set_meta("name", "value").await.unwrap();
        tx.rollback().await.unwrap();
        nothing_changed(&stage).await;
    }

    async fn a_change_that_is_dropped_changes_nothing_and_holds_nobody_up(database: Database) {
        let stage = Stage::new(database).await;
        for _ in 0..8 {
            let mut tx = stage.store.begin().await.unwrap();
            tx.set_meta("name", "value").await.unwrap();
            drop(tx);
            // Another server has no part in this one's pool: only the database can hold it up.
            let another = stage.another(1, Duration::from_secs(30));
            commit(another.begin().await.unwrap()).await.unwrap();
        }
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.find_meta("name").await.unwrap(), None);
        assert_eq!(conn.head().await.unwrap().0, Seq(8));
    }

    async fn a_change_that_failed_half_way_leaves_the_pool_alive(database: Database) {
        let stage = Stage::furnished(database).await;
        for _ in 0..8 {
            let role = crate::samples::role("administrator", &[]);
            stage.refused(async |tx| tx.insert_role(&role).await).await;
        }
        stage.change(async |tx| tx.set_meta("name", "value").await).await;
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.find_meta("name").await.unwrap().as_deref(), Some("value"));
    }

    async fn a_change_is_seen_by_others_only_when_it_is_committed(database: Database) {
        let stage = Stage::new(database).await;
        let mut tx = stage.store.begin().await.unwrap();
        tx.set_meta("name", "value").await.unwrap();
        assert_eq!(tx.find_meta("name").await.unwrap().as_deref(), Some("value"));
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.find_meta("name").await.unwrap(), None);
        commit(tx).await.unwrap();
        assert_eq!(conn.find_meta("name").await.unwrap().as_deref(), Some("value"));
    }

    async fn a_change_waits_for_its_turn_without_a_connection(database: Database) {
        let stage = Stage::new(database).await;
        let narrow = stage.another(2, Duration::from_secs(30));
        let tx = narrow.begin().await.unwrap();
        let waiting: Vec<_> = (0..10)
            .map(|_| {
                tokio::spawn({
                    let narrow = narrow.clone();
                    async move { commit(narrow.begin().await?).await }
                })
            })
            .collect();
        tokio::task::yield_now().await;
        narrow.ping().await.unwrap();
        commit(tx).await.unwrap();
        for change in waiting {
            change.await.unwrap().unwrap();
        }
    }

    async fn a_turn_that_does_not_come_is_busy(database: Database) {
        let stage = Stage::new(database).await;
        let hasty = stage.another(2, Duration::from_millis(200));
        let _tx = hasty.begin().await.unwrap();
        assert!(matches!(hasty.begin().await, Err(StoreError::Busy)));
    }

    async fn a_server_that_lets_the_others_wait_for_too_long_makes_them_busy(database: Database) {
        let stage = Stage::new(database).await;
        let mut tx = stage.store.begin().await.unwrap();
        let another = stage.another(1, Duration::from_secs(30));
        let at_work = async {
            loop {
                tx.find_meta("name").await.unwrap();
            }
        };
        let refused = tokio::select! {
            refused = another.begin() => refused,
            never = at_work => never,
        };
        assert!(matches!(refused, Err(StoreError::Busy)), "{:?}", refused.err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stalls_in_a_change_loses_it_to_the_others() {
    let Some(database) = Database::postgres().await else { return };
    let stage = Stage::new(database).await;
    let stalled = stage.store.begin().await.unwrap();
    let another = stage.another(1, Duration::from_secs(30));
    commit(another.begin().await.unwrap()).await.unwrap();
    assert!(matches!(commit(stalled).await, Err(StoreError::Unavailable(_))));
    assert_eq!(stage.store.read().await.unwrap().head().await.unwrap().0, Seq(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_listens_is_told_of_a_commit_by_its_place() {
    let Some(database) = Database::postgres().await else { return };
    let stage = Stage::new(database).await;
    let Url::Postgres(address) = &stage.options.url else { panic!() };
    let connect = tokio_postgres::connect(address.expose_secret(), tokio_postgres::NoTls);
    let (client, mut connection) = connect.await.unwrap();
    let told = tokio::spawn(async move {
        loop {
            match poll_fn(|cx| connection.poll_message(cx)).await {
                Some(Ok(AsyncMessage::Notification(told))) => break told,
                message => assert!(matches!(message, Some(Ok(_))), "the connection ended"),
            }
        }
    });
    client.batch_execute("LISTEN keystile_feed").await.unwrap();
    stage.store.begin().await.unwrap().rollback().await.unwrap();
    commit(stage.store.begin().await.unwrap()).await.unwrap();
    let told = told.await.unwrap();
    assert_eq!((told.channel(), told.payload()), ("keystile_feed", "1"));
}

async fn nothing_changed(stage: &Stage) {
    let mut conn = stage.store.read().await.unwrap();
    assert_eq!(conn.find_meta("name").await.unwrap(), None);
    assert_eq!(conn.head().await.unwrap(), (Seq(0), ChainHash::START));
    drop(conn);
    let tx = stage.store.begin().await.unwrap();
    assert_eq!((tx.seq(), tx.previous()), (Seq(1), ChainHash::START));
    tx.rollback().await.unwrap();
}
