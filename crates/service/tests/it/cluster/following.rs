//! What a node tells those who follow it.

use std::time::Duration;

use keystile_service::followers::{Applied, LeaseAsk, LeaseGiven};

use super::stage::{LEASE, Node, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn rule_18_a_node_that_is_behind_a_follower_gives_it_no_lease() {
    let Some(stage) = Stage::new().await else { return };
    let (ahead, behind) = (stage.node().await, stage.node().await);
    let (mut following, mut late) = (ahead.follow(), behind.follow());
    following.look().await.unwrap();
    late.look().await.unwrap();
    stage.key(&ahead).await;
    following.look().await.unwrap();
    let first = ask(&stage, &ahead, None).await;
    assert!(first.forgets, "it has learnt nothing of this server yet");
    let applied = || Some(applied(&first));
    assert_eq!(ask(&stage, &ahead, applied()).await.left, Some(LEASE));

    let refused = ask(&stage, &behind, applied()).await;

    assert!(refused.head.place.seq < first.head.place.seq);
    assert_eq!((refused.left, refused.forgets), (None, false));
    late.look().await.unwrap();
    assert_eq!(ask(&stage, &behind, applied()).await.left, Some(LEASE));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_a_lease_is_known_to_every_node() {
    let Some(stage) = Stage::new().await else { return };
    let (node, other) = (stage.node().await, stage.node().await);
    let (mut following, mut others) = (node.follow(), other.follow());
    let left = async || {
        let verifiers = node.keystile.list_verifiers(&stage.admin(&node).await).await.unwrap();
        let mut left: Vec<_> = verifiers.nodes.iter().map(|(_, left)| *left).collect();
        left.sort();
        left
    };
    following.look().await.unwrap();
    assert_eq!(left().await, [Duration::ZERO, LEASE], "one has not looked yet");
    others.look().await.unwrap();
    assert_eq!(left().await, [LEASE, LEASE]);
    node.clock.advance(LEASE / 2);
    following.look().await.unwrap();
    assert_eq!(left().await, [LEASE / 2, LEASE]);
    node.clock.advance(LEASE / 2);
    assert_eq!(left().await, [Duration::ZERO, LEASE / 2]);
    others.look().await.unwrap();
    assert_eq!(left().await, [LEASE / 2, LEASE]);
}

/// What a follower is answered that has applied this.
async fn ask(stage: &Stage, node: &Node, applied: Option<Applied>) -> LeaseGiven {
    let ask = LeaseAsk { lease: None, counter: 1, applied, staleness: Duration::ZERO };
    node.keystile.extend_lease(&stage.admin(node).await, ask).await.unwrap()
}

fn applied(given: &LeaseGiven) -> Applied {
    let place = given.head.place;
    Applied {
        seq: place.seq,
        mark: place.hash.to_string(),
        generation: given.head.generation.to_string(),
        settled: place.seq,
    }
}
