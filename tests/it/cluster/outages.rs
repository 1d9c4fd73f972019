//! The database stands still, dies, and comes back: nobody is let in who was revoked before.

use acceptance::{Database, Options, Part, Postgres, Setup, until};

use super::Stage;
use super::stage::me;

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_pauses_dies_and_comes_back_takes_no_revocation_back() {
    if !Part::Postgres.or_skip() {
        return;
    }
    let mut postgres = Postgres::make(Setup::Durable);
    let database = Database::Postgres(postgres.fresh_database().await);
    let options = Options::on(&database).env("KEYSTILE_LEASE", "500ms");
    let stage = Stage::on((0..3).map(|_| options.clone().with_own_data())).await;
    let stays = stage.key().await;
    for outage in [Outage::Stops, Outage::Dies, Outage::StandsStill] {
        let key = stage.key().await;
        stage.revoke(0, &key).await;
        let load = stage.watch(&key);
        match outage {
            Outage::Dies => postgres.kill(),
            Outage::StandsStill => postgres.freeze(),
            Outage::Stops => postgres.stop(),
        }
        for node in 0..3 {
            let api = stage.at(node, stays.caller());
            until("it refuses", async || me(&api).await == 503).await;
        }
        match outage {
            Outage::Dies | Outage::Stops => postgres.start(),
            Outage::StandsStill => postgres.thaw(),
        }
        stage.accepted(&stays).await;
        stage.turned_away(&key).await;
        load.let_nobody_in().await;
    }
    let chain = stage.admin.get("/api/v1/audit-events/verify").await.expect(200);
    assert_eq!(chain.body["valid"], true, "{chain}");
}

#[derive(Clone, Copy)]
enum Outage {
    Dies,
    StandsStill,
    Stops,
}
