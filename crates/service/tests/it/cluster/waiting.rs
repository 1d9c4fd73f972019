//! When a waiter may say that a change is in force everywhere.

use std::pin::pin;
use std::time::Duration;

use super::stage::{OVER, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn rule_13_a_node_that_does_not_answer_is_waited_for_as_long_as_a_lease_lasts() {
    let Some(stage) = Stage::new().await else { return };
    let (node, silent) = (stage.node().await, stage.node().await);
    let mut following = node.follow();
    following.look().await.unwrap();
    node.clock.advance(OVER);
    stage.key(&node).await;
    let mut waiting = pin!(node.wait());
    node.clock.advance(OVER - Duration::from_millis(1));
    for _ in 0..20 {
        tokio::select! {
            biased;
            early = &mut waiting => panic!("{early:?}"),
            looked = following.look() => looked.unwrap(),
        }
    }
    node.clock.advance(OVER);
    let revocation = waiting.await;
    assert_eq!((revocation.acknowledged, revocation.lease_expired), (1, 1));
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_14_nobody_is_waited_for_who_has_settled_the_change() {
    let Some(stage) = Stage::new().await else { return };
    let (node, other) = (stage.node().await, stage.node().await);
    let (mut following, mut others) = (node.follow(), other.follow());
    following.look().await.unwrap();
    others.look().await.unwrap();
    node.clock.advance(OVER);
    stage.key(&node).await;
    // One look to see the change, and one to tell of it.
    for _ in 0..2 {
        following.look().await.unwrap();
        others.look().await.unwrap();
    }
    let revocation = node.wait().await;
    assert_eq!((revocation.acknowledged, revocation.lease_expired), (2, 0));
    assert_eq!(revocation.unproven, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_14_a_primary_that_is_new_is_not_believed_before_a_lease_has_passed() {
    let Some(stage) = Stage::new().await else { return };
    let node = stage.node().await;
    let mut following = node.follow();
    following.look().await.unwrap();
    stage.key(&node).await;
    following.look().await.unwrap();
    following.look().await.unwrap();
    // It was seen first half a lease ago: what is left of that is waited for, and no more.
    node.clock.advance(OVER / 2);
    let mut waiting = pin!(node.wait());
    for _ in 0..20 {
        tokio::select! {
            biased;
            early = &mut waiting => panic!("{early:?}"),
            looked = following.look() => looked.unwrap(),
        }
    }
    node.clock.advance(OVER / 2);
    let revocation = waiting.await;
    assert_eq!((revocation.acknowledged, revocation.lease_expired), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_15_who_asks_once_more_waits_for_what_is_there() {
    let Some(stage) = Stage::new().await else { return };
    let node = stage.node().await;
    let mut following = node.follow();
    following.look().await.unwrap();
    node.clock.advance(OVER);
    let key = stage.key(&node).await;
    stage.revoke(&node, &key).await;
    for _ in 0..2 {
        following.look().await.unwrap();
    }
    assert_eq!(node.wait().await.acknowledged, 1);
    // A change that changes nothing has no place of its own.
    assert_eq!(node.wait().await.acknowledged, 1);
}
