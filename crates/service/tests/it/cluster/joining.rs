//! Who is a node: one lease for all, a new name each time, and an end for those who have died.

use std::time::Duration;

use keystile_service::cluster::JoinError;

use super::stage::{LEASE, OVER, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn rule_4_a_node_with_another_lease_is_refused_while_one_lives() {
    let Some(stage) = Stage::new().await else { return };
    let short = Duration::from_millis(100);
    let node = stage.stranger(short).await;
    node.keystile.join().await.unwrap();
    let other = stage.stranger(LEASE).await;
    let mut following = node.follow();
    let looking = async {
        loop {
            following.look().await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let joined = tokio::select! {
        joined = other.keystile.join() => joined,
        () = looking => unreachable!(),
    };
    let Err(JoinError::Lease { mine, theirs }) = joined else { panic!("{joined:?}") };
    assert_eq!((mine, theirs), (LEASE, short));
    assert_eq!(node.nodes().await, 1);

    // Now it lives no more, and nobody else has said so.
    other.keystile.join().await.unwrap();
    assert_eq!(node.nodes().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_4_nodes_without_leases_are_not_taken_for_dead_between_two_looks() {
    let Some(stage) = Stage::new().await else { return };
    let node = stage.stranger(Duration::ZERO).await;
    node.keystile.join().await.unwrap();
    let other = stage.stranger(LEASE).await;
    let mut following = node.follow();
    let looking = async {
        loop {
            following.look().await.unwrap();
            following.wait().await;
        }
    };
    let joined = tokio::select! {
        joined = other.keystile.join() => joined,
        () = looking => unreachable!(),
    };
    assert!(matches!(joined, Err(JoinError::Lease { .. })), "{joined:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_4_a_node_that_was_removed_for_another_lease_is_not_ready() {
    let Some(stage) = Stage::new().await else { return };
    let node = stage.node().await;
    let mut following = node.follow();
    following.look().await.unwrap();
    node.keystile.ready().await.unwrap();
    stage.tamper("DELETE FROM nodes").await;
    let other = stage.stranger(LEASE * 2).await;
    other.keystile.join().await.unwrap();
    let lost = following.look().await;
    assert!(matches!(lost, Err(JoinError::Lease { .. })), "{lost:?}");
    assert!(node.keystile.ready().await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_4_registering_gives_no_lease_and_touches_nobody() {
    let Some(stage) = Stage::new().await else { return };
    let node = stage.node().await;
    node.keystile.join().await.unwrap();
    assert_eq!(node.nodes().await, 2, "its name before is for the reaper");
    assert_eq!(node.keystile.lease_left(), Duration::ZERO);
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_15_a_node_is_taken_for_dead_after_a_lease_without_a_look() {
    let Some(stage) = Stage::new().await else { return };
    let (node, other) = (stage.node().await, stage.node().await);
    let mut following = node.follow();
    let mut others = other.follow();
    let mut at = async |after: Duration| {
        node.clock.advance(after);
        following.look().await.unwrap();
        node.keystile.reap_dead_nodes().await.unwrap();
        node.nodes().await
    };
    others.look().await.unwrap();
    assert_eq!(at(Duration::ZERO).await, 2);
    assert_eq!(at(OVER - Duration::from_millis(1)).await, 2);
    others.look().await.unwrap();
    // It has looked, and so it lives.
    assert_eq!(at(Duration::from_millis(1)).await, 2);
    assert_eq!(at(OVER - Duration::from_millis(1)).await, 2);
    assert_eq!(at(Duration::from_millis(1)).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_7_a_node_whose_row_is_gone_believes_nothing_until_it_has_looked_anew() {
    let Some(stage) = Stage::new().await else { return };
    let (node, other) = (stage.node().await, stage.node().await);
    let mut following = node.follow();
    let key = stage.key(&node).await;
    following.look().await.unwrap();
    assert!(node.lets_in(&key).await);
    stage.tamper("DELETE FROM nodes").await;
    stage.revoke(&other, &key).await;
    assert!(node.lets_in(&key).await, "as long as its lease lasts");

    following.look().await.unwrap();

    assert_eq!(node.keystile.lease_left(), Duration::ZERO);
    assert!(!node.lets_in(&key).await);
    following.look().await.unwrap();
    assert_eq!(node.keystile.lease_left(), LEASE);
    assert!(!node.lets_in(&key).await);
    assert_eq!(node.nodes().await, 1);
}
