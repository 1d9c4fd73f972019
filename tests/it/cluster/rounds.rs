//! A revocation under load, a thousand times.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use acceptance::{Answer, Api, Key};
use serde_json::json;
use tokio::task::JoinSet;

use super::Stage;
use super::stage::me;

#[tokio::test(flavor = "multi_thread")]
async fn rule_14_no_node_lets_in_what_had_ended_before_it_was_asked_in_a_thousand_rounds() {
    let Some(stage) = Stage::with(3, "2s").await else { return };
    stage.settled().await;
    let stays = stage.key().await;
    let load = stage.watch(&stays);
    let (next, early) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let lane = async || {
        loop {
            let round = next.fetch_add(1, Ordering::SeqCst);
            if round >= ROUNDS {
                break;
            }
            let revoked = end(&stage, round).await;
            let revocation = &revoked.body["revocation"];
            early.fetch_add(usize::from(revocation["lease_expired"] == 0), Ordering::SeqCst);
        }
    };
    tokio::join!(lane(), lane(), lane(), lane());
    let statuses = load.stop().await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    // By the time that passes alone, it would have been none.
    assert!(early.into_inner() > ROUNDS / 2);
}

/// Makes a key, has it checked all the time everywhere, ends it at one node in one of four ways,
/// and lets no check pass that began after the answer.
async fn end(stage: &Stage, round: usize) -> Answer {
    let key = Key::made(&stage.admin, json!({ "name": "k" })).await;
    let ended = Arc::new(AtomicBool::new(false));
    let mut checks = JoinSet::new();
    for node in 0..stage.nodes.len() {
        let (api, ended) = (stage.at(node, key.caller()), Arc::clone(&ended));
        checks.spawn(async move {
            loop {
                let was_ended = ended.load(Ordering::SeqCst);
                let status = me(&api).await;
                assert!(status != 200 || !was_ended, "round {round}: let in at node {node}");
                if was_ended {
                    assert!(matches!(status, 401 | 403), "round {round}, node {node}: {status}");
                    break;
                }
            }
        });
    }
    stage.accepted(&key).await;
    let answer = revoke_somehow(&stage.admin_at(round % 3), &key, round).await.expect(200);
    ended.store(true, Ordering::SeqCst);
    checks.join_all().await;
    answer
}

async fn revoke_somehow(admin: &Api, key: &Key, round: usize) -> Answer {
    match round % 4 {
        0 => admin.patch(&key.at("?wait=cluster"), json!({ "enabled": false })).await,
        1 => admin.delete(&key.at("?wait=cluster")).await,
        2 => {
            let path = key.at("/rotate?wait=cluster");
            admin.post(&path, json!({ "overlap_seconds": 0 })).await
        }
        _ => {
            let elsewhere = json!({ "allowed_ips": ["192.0.2.1"] });
            admin.patch(&key.at("?wait=cluster"), elsewhere).await
        }
    }
}

const ROUNDS: usize = 1_000;
