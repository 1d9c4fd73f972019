//! Nodes: who is registered, on which lease they count, and who may remove them.
//!
//! The numbers in the names of tests are those of the rules in `docs/clustering.md`.

use std::time::Duration;

use acceptance::{Database, on_each_database};
use keystile_domain::Seq;
use keystile_storage::Store;

use crate::books::keep;
use crate::feed::draft;
use crate::samples::uuid;
use crate::stage::Stage;

on_each_database! {
    async fn rule_4_a_node_that_registers_has_seen_nothing(database: Database) {
        let stage = Stage::new(database).await;
        keep(&stage.store, async |books| books.insert_node(&draft(uuid(1))).await).await;
        keep(&stage.store, async |books| books.insert_node(&draft(uuid(2))).await).await;
        let nodes = stage.store.read().await.unwrap().list_nodes().await.unwrap();
        let names: Vec<_> = nodes.iter().map(|node| node.incarnation).collect();
        assert_eq!(names, [uuid(1), uuid(2)], "a new one does not touch those before it");
        for node in nodes {
            assert_eq!((node.beat, node.position, node.settled), (0, Seq(0), Seq(0)));
        }
    }

    async fn rule_4_the_lease_is_that_of_the_nodes_that_are_registered(database: Database) {
        let stage = Stage::new(database).await;
        assert_eq!(settle(&stage.store, 2_000).await, 2_000, "the first one says");
        assert_eq!(settle(&stage.store, 500).await, 500, "nobody counts on the other");
        keep(&stage.store, async |books| books.insert_node(&draft(uuid(1))).await).await;
        assert_eq!(settle(&stage.store, 2_000).await, 500, "somebody does");
        keep(&stage.store, async |books| books.remove_node(uuid(1)).await).await;
        assert_eq!(settle(&stage.store, 2_000).await, 2_000);
    }

    async fn rule_15_a_node_is_removed_only_with_the_beat_that_was_seen(database: Database) {
        let stage = Stage::new(database).await;
        keep(&stage.store, async |books| books.insert_node(&draft(uuid(1))).await).await;
        let reap = async |beat| {
            keep(&stage.store, async |books| books.reap_node(uuid(1), beat).await).await
        };
        assert!(!reap(1).await);
        assert!(reap(0).await);
        assert!(!reap(0).await, "it is gone");
        assert!(stage.store.read().await.unwrap().list_nodes().await.unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_4_of_two_nodes_that_start_at_once_one_says_what_the_lease_is() {
    let Some(database) = Database::postgres().await else { return };
    let stage = Stage::new(database).await;
    let another = stage.another(2, Duration::from_secs(30));
    let join = async |store: &Store, name, millis| {
        let mut books = store.books().await.unwrap();
        let lease = books.settle_lease(millis).await.unwrap();
        books.insert_node(&draft(uuid(name))).await.unwrap();
        books.commit().await.unwrap();
        lease
    };
    let (one, other) = tokio::join!(join(&stage.store, 1, 500), join(&another, 2, 2_000));
    assert_eq!(one, other);
}

async fn settle(store: &Store, millis: i64) -> i64 {
    keep(store, async |books| books.settle_lease(millis).await).await
}
