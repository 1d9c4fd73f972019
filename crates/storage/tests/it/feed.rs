//! Looks at the feed: what they bring, what they refuse, and what they say of whoever looks.
//!
//! The numbers in the names of tests are those of the rules in `docs/clustering.md`.

use std::time::Duration;

use acceptance::{Database, on_each_database};
use keystile_domain::{ChainHash, Effect, Seq, Touches};
use keystile_storage::{
    Feed, FeedEvent, FeedPlace, Look, Node, NodeDraft, Report, Seen, StoreError, Url,
};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::raw::on_raw;
use crate::samples::{at, uuid};
use crate::stage::{Stage, commit};

on_each_database! {
    async fn rule_1_events_are_seen_in_order_and_without_gaps_while_others_write(
        database: Database
    ) {
        const CHANGES: i64 = 60;
        let stage = Stage::new(database).await;
        let mut place = begin(&stage).await;
        let mut feed = stage.store.feed(None).unwrap();
        let another = stage.another(2, Duration::from_secs(30));
        let mut changes = JoinSet::new();
        for number in 0..CHANGES {
            let store = if number % 2 == 0 { stage.store.clone() } else { another.clone() };
            changes.spawn(async move { commit(store.begin().await?).await });
        }
        let mut next = place.seq.next();
        while place.seq < Seq(CHANGES + 1) {
            let seen = look(&mut feed, place).await;
            for event in &seen.events {
                assert_eq!(event.place.seq, next);
                next = next.next();
            }
            assert_eq!(seen.place.seq.next(), next);
            place = seen.place;
        }
        assert!(changes.join_all().await.into_iter().all(|change| change.is_ok()));
    }

    async fn rule_1_no_two_events_have_one_place_or_follow_the_same(database: Database) {
        let stage = Stage::new(database).await;
        begin(&stage).await;
        commit(stage.store.begin().await.unwrap()).await.unwrap();
        for column in ["seq", "previous_hash"] {
            let copy = format!(
                "UPDATE events SET {column} = (SELECT {column} FROM events WHERE seq = 1) \
                 WHERE seq = 2"
            );
            let refused = on_raw(&stage, move |raw| raw.try_execute(&copy)).await.unwrap_err();
            assert!(refused.to_string().to_lowercase().contains("unique"), "{refused}");
        }
    }

    async fn rule_5_a_look_brings_what_happened_since_and_nothing_twice(database: Database) {
        let stage = Stage::new(database).await;
        let place = begin(&stage).await;
        let mut feed = stage.store.feed(None).unwrap();
        let nothing = look(&mut feed, place).await;
        assert_eq!((nothing.events, nothing.place), (Vec::new(), place));
        commit(stage.store.begin().await.unwrap()).await.unwrap();
        commit(stage.store.begin().await.unwrap()).await.unwrap();

        let seen = look(&mut feed, place).await;

        let places: Vec<_> = seen.events.iter().map(|event| event.place.seq).collect();
        assert_eq!(places, [Seq(2), Seq(3)]);
        assert!(!seen.is_cut);
        assert_eq!(seen.place, end(&stage).await);
        assert_eq!(seen.generation, nothing.generation);
        assert!(look(&mut feed, seen.place).await.events.is_empty());
    }

    async fn rule_7_a_place_of_another_history_is_a_fork(database: Database) {
        let stage = Stage::new(database).await;
        let FeedPlace { seq, hash } = begin(&stage).await;
        let other = ChainHash::from_bytes([9; 32]);
        for wrong in [FeedPlace { seq, hash: other }, FeedPlace { seq: seq.next(), hash }] {
            let mut feed = stage.store.feed(None).unwrap();
            let forked = feed.look(&report(wrong)).await.unwrap();
            assert!(matches!(forked, Look::Forked), "{forked:?}");
        }
    }

    async fn rule_8_an_event_that_nobody_knows_touches_everything(database: Database) {
        let stage = Stage::new(database).await;
        let place = begin(&stage).await;
        commit(stage.store.begin().await.unwrap()).await.unwrap();
        let eclipse = "UPDATE events SET action = 'moon.eclipsed' WHERE seq = 2";
        on_raw(&stage, |raw| raw.execute(eclipse)).await;
        let seen = look(&mut stage.store.feed(None).unwrap(), place).await;
        let effects: Vec<_> = seen.events.iter().map(FeedEvent::effect).collect();
        assert_eq!(effects, [Effect { seq: Seq(2), touches: Touches::Everything }]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_5_a_look_says_how_far_the_node_is_and_that_it_lives() {
    let Some(database) = Database::postgres().await else { return };
    let stage = Stage::new(database).await;
    let place = begin(&stage).await;
    let mut feed = stage.store.feed(None).unwrap();
    let told = Report { settled: Seq(1), followers: 3, unproven: 2, ..report(place) };
    feed.look(&told).await.unwrap();
    let node = node(&stage).await;
    assert_eq!((node.beat, node.position, node.settled), (1, place.seq, Seq(1)));
    assert_eq!((node.followers, node.unproven), (3, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_5_a_look_that_brings_nothing_writes_nothing() {
    let Some(database) = Database::postgres().await else { return };
    let stage = Stage::new(database).await;
    let place = begin(&stage).await;
    let mut feed = stage.store.feed(None).unwrap();
    let forked = FeedPlace { hash: ChainHash::from_bytes([9; 32]), ..place };
    assert!(matches!(feed.look(&report(forked)).await.unwrap(), Look::Forked));
    let stranger = Report { incarnation: uuid(8), ..report(place) };
    assert!(matches!(feed.look(&stranger).await.unwrap(), Look::Gone));
    assert_eq!(node(&stage).await.beat, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_5_a_look_goes_by_the_direct_way() {
    let Some(database) = Database::postgres().await else { return };
    let stage = Stage::new(database).await;
    let place = begin(&stage).await;
    let nowhere = "postgres://keystile:x@127.0.0.1:1/nowhere".to_owned().into();
    let mut feed = stage.store.feed(Some(&nowhere)).unwrap();
    let refused = feed.look(&report(place)).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    assert_eq!(node(&stage).await.beat, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_21_a_file_that_another_has_taken_the_place_of_is_looked_at_no_more() {
    let stage = Stage::new(Database::Sqlite).await;
    let place = begin(&stage).await;
    let mut feed = stage.store.feed(None).unwrap();
    look(&mut feed, place).await;
    let Url::Sqlite(file) = &stage.options.url else { panic!() };
    let copy = file.with_extension("copy");
    std::fs::copy(file, &copy).unwrap();
    std::fs::rename(&copy, file).unwrap();
    for _ in 0..3 {
        let refused = feed.look(&report(place)).await.unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    }
}

/// Registers the node, and makes a first event.
async fn begin(stage: &Stage) -> FeedPlace {
    commit(stage.store.begin().await.unwrap()).await.unwrap();
    let mut books = stage.store.books().await.unwrap();
    books.insert_node(&draft(uuid(7))).await.unwrap();
    books.commit().await.unwrap();
    end(stage).await
}

async fn end(stage: &Stage) -> FeedPlace {
    let (seq, hash) = stage.store.read().await.unwrap().head().await.unwrap();
    FeedPlace { seq, hash }
}

async fn node(stage: &Stage) -> Node {
    let nodes = stage.store.read().await.unwrap().list_nodes().await.unwrap();
    nodes.into_iter().next().unwrap()
}

async fn look(feed: &mut Feed, place: FeedPlace) -> Seen {
    match feed.look(&report(place)).await.unwrap() {
        Look::Seen(seen) => seen,
        other => panic!("{other:?}"),
    }
}

fn report(place: FeedPlace) -> Report {
    Report { incarnation: uuid(7), place, settled: Seq(0), followers: 0, unproven: 0 }
}

/// A node of this name.
pub fn draft(incarnation: Uuid) -> NodeDraft {
    NodeDraft {
        incarnation,
        address: "http://127.0.0.1:8080".to_owned(),
        version: "1".to_owned(),
        started_at: at(0),
        lease_millis: 2_000,
    }
}
