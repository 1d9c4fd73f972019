//! A node that stands still, and one that has died: who waits, waits for no longer than a lease.

use acceptance::until;

use super::Stage;
use super::stage::me;

#[tokio::test(flavor = "multi_thread")]
async fn rule_13_a_node_that_stands_still_is_not_waited_for_and_believes_nothing_afterwards() {
    let Some(stage) = Stage::with(3, "1s").await else { return };
    stage.settled().await;
    let (key, stays) = (stage.key().await, stage.key().await);
    stage.nodes[2].freeze();
    let revocation = stage.revoke(0, &key).await;
    assert_eq!(revocation["acknowledged"], 2, "{revocation}");
    assert_eq!(revocation["lease_expired"], 1, "{revocation}");
    // These wait for it: they are decided when it goes on, which is after the answer.
    let waiting = (0..20).map(|_| {
        let api = stage.at(2, key.caller());
        tokio::spawn(async move { me(&api).await })
    });
    let waiting: Vec<_> = waiting.collect();
    stage.nodes[2].thaw();
    for check in waiting {
        assert_ne!(check.await.unwrap(), 200);
    }
    stage.turned_away(&key).await;
    stage.accepted(&stays).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_15_a_node_that_died_is_removed_when_its_lease_is_over() {
    let Some(mut stage) = Stage::with(2, "300ms").await else { return };
    assert_eq!(stage.verifiers(0).await.len(), 2);
    let died = stage.nodes.pop().unwrap();
    died.kill();
    died.wait().await;
    until("it is removed", async || stage.verifiers(0).await.len() == 1).await;
    stage.nodes[0].says("has not looked for a whole lease").await;
    let key = stage.key().await;
    let revocation = stage.revoke(0, &key).await;
    assert_eq!(revocation["acknowledged"], 1, "{revocation}");
    assert_eq!(revocation["lease_expired"], 0, "{revocation}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_7_a_node_that_was_taken_for_dead_registers_under_another_name() {
    let Some(stage) = Stage::with(2, "300ms").await else { return };
    let key = stage.key().await;
    stage.nodes[1].freeze();
    until("it is removed", async || stage.verifiers(0).await.len() == 1).await;
    stage.revoke(0, &key).await;
    stage.nodes[1].thaw();
    stage.refused(&key).await;
    until("it is back", async || stage.verifiers(0).await.len() == 2).await;
    stage.nodes[1].says("taken for dead").await;
    stage.turned_away(&key).await;
}
