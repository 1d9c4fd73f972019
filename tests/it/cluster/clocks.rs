//! Machines that do not agree what time it is.

use acceptance::{Database, Options, Part};

use super::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn rule_13_clocks_that_are_minutes_apart_do_no_harm() {
    let Some(database) = Database::postgres().await else { return };
    if !Part::FakeTime.or_skip() {
        return;
    }
    let options = || Options::on(&database).env("KEYSTILE_LEASE", "1s");
    let stage = Stage::on([options(), options().off_by(-300), options().off_by(300)]).await;
    stage.settled().await;
    for round in 0..30 {
        let key = stage.key().await;
        let revocation = stage.revoke(round % 3, &key).await;
        assert_eq!(revocation["lease_expired"], 0, "{revocation}");
        stage.refused(&key).await;
    }
    let listed = stage.verifiers(0).await;
    let mut started: Vec<_> = listed.iter().map(|it| it["started_at"].as_str().unwrap()).collect();
    started.sort_unstable();
    started.dedup_by_key(|moment| moment.get(..16).unwrap());
    assert_eq!(started.len(), 3, "their clocks are not apart: {listed:?}");

    let (key, stays) = (stage.key().await, stage.key().await);
    stage.nodes[1].freeze();
    let revocation = stage.revoke(2, &key).await;
    assert_eq!(revocation["lease_expired"], 1, "{revocation}");
    stage.nodes[1].thaw();
    stage.refused(&key).await;
    stage.accepted(&stays).await;
}
