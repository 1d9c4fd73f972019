//! Who belongs to a cluster: all count on one lease, and whoever leaves is not waited for.

use acceptance::{Server, until};
use serde_json::json;

use super::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn rule_4_a_node_with_another_lease_does_not_start() {
    let Some(stage) = Stage::with(1, "500ms").await else { return };
    let running = stage.nodes[0].options();
    let other = running.clone().with_own_data().env("KEYSTILE_LEASE", "3s");
    let ended = Server::try_start(&other).await.expect_err("it would count on another lease");
    assert!(!ended.status.success());
    for word in ["KEYSTILE_LEASE is 3000ms here and 500ms", "stop all nodes first"] {
        assert!(ended.stderr.contains(word), "{ended:#?}");
    }
    assert_eq!(stage.verifiers(0).await.len(), 1);

    // When none of the others runs, it is the one that says.
    stage.nodes.into_iter().next().unwrap().stop().await;
    Server::start(&other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_leaves_in_order_is_gone_at_once() {
    let Some(mut stage) = Stage::with(2, "60s").await else { return };
    let list = stage.admin.get("/api/v1/verifiers").await.expect(200).body;
    assert_eq!(list["lease_millis"], 60_000, "{list}");
    assert_eq!(list["data"].as_array().unwrap().len(), 2, "{list}");
    stage.nodes.pop().unwrap().stop().await;
    assert_eq!(stage.verifiers(0).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_node_comes_to_the_end_of_the_log() {
    let Some(stage) = Stage::with(3, "2s").await else { return };
    stage.key().await;
    let is_settled = async || {
        let list = stage.admin_at(1).get("/api/v1/verifiers").await.expect(200).body;
        let mut nodes = list["data"].as_array().unwrap().iter();
        nodes.all(|node| node["position"] == list["head"] && node["settled"] == list["head"])
    };
    until("all have seen all", is_settled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_come_and_go_under_load_let_nobody_in() {
    let Some(mut stage) = Stage::with(2, "500ms").await else { return };
    for round in 0..6 {
        let key = stage.key().await;
        stage.revoke(round % 2, &key).await;
        let load = stage.watch(&key);
        let one = stage.nodes.remove(1);
        if round % 2 == 0 {
            stage.nodes.push(one.restart().await);
        } else {
            let options = one.options().clone();
            one.kill();
            one.wait().await;
            stage.nodes.push(Server::start(&options).await);
        }
        load.let_nobody_in().await;
        stage.refused(&key).await;
        let described = json!({ "description": "after" });
        stage.admin.patch(&key.at(""), described).await.expect(200);
    }
}
