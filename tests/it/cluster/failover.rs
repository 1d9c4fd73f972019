//! Another primary: with a synchronous standby it has everything that was answered.

use std::sync::{Arc, Mutex};

use acceptance::{Answer, Database, Key, Options, Part, Postgres, Proxy, Setup, until};
use reqwest::Method;
use serde_json::json;

use super::Stage;
use super::stage::me;

#[tokio::test(flavor = "multi_thread")]
async fn rule_2_what_was_answered_outlives_the_primary() {
    if !Part::Postgres.or_skip() {
        return;
    }
    let mut primary = Postgres::make(Setup::Durable);
    let url = primary.fresh_database().await;
    let proxy = Proxy::to(&url).await;
    let options = Options::on(&Database::Postgres(proxy.url())).env("KEYSTILE_LEASE", "1s");
    let stage = Stage::on((0..3).map(|_| options.clone().with_own_data())).await;
    let standby = primary.standby();
    primary.wait_for_standbys().await;
    stage.settled().await;
    let (stays, revoked) = (stage.key().await, stage.key().await);

    let made = Arc::<Mutex<Vec<Key>>>::default();
    let writing = tokio::spawn({
        let (made, admin) = (Arc::clone(&made), stage.admin.clone());
        async move {
            loop {
                let new = admin.request(Method::POST, "/api/v1/api-keys");
                let new = new.json(&json!({ "name": "k" }));
                if let Ok(answer) = Answer::to(new).await
                    && answer.status == 201
                {
                    made.lock().unwrap().push(Key::of(&answer));
                }
            }
        }
    });
    let count = || made.lock().unwrap().len();
    until("some were made", async || count() > 20).await;
    stage.revoke(1, &revoked).await;
    let load = stage.watch(&revoked);

    // Fenced first: it never answers again.
    primary.kill();
    let before = count();
    standby.promote().await;
    proxy.lead_to(&standby.same_database(&url));
    until("changes are made again", async || count() > before + 5).await;
    writing.abort();

    stage.accepted(&stays).await;
    let made = made.lock().unwrap().clone();
    for key in made {
        stage.accepted(&key).await;
    }
    stage.turned_away(&revoked).await;
    load.let_nobody_in().await;
    let late = stage.key().await;
    stage.revoke(2, &late).await;
    stage.refused(&late).await;
    let chain = stage.admin.get("/api/v1/audit-events/verify").await.expect(200);
    assert_eq!(chain.body["valid"], true, "{chain}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_5_a_standby_renews_no_lease() {
    if !Part::Postgres.or_skip() {
        return;
    }
    let primary = Postgres::make(Setup::Durable);
    let url = primary.fresh_database().await;
    let proxy = Proxy::to(&url).await;
    let near = Options::on(&Database::Postgres(url.clone())).env("KEYSTILE_LEASE", "1s");
    let far = near.clone().with_own_data().env("KEYSTILE_DATABASE_URL", proxy.url());
    let stage = Stage::on([near, far]).await;
    let (stays, key) = (stage.key().await, stage.key().await);
    let standby = primary.standby();
    // It stops at what it has now, as one that has fallen behind.
    standby.execute("postgres", "SELECT pg_wal_replay_pause()").await;
    proxy.lead_to(&standby.same_database(&url));
    stage.revoke(0, &key).await;
    let load = stage.watch(&key);
    let far = stage.at(1, stays.caller());
    until("it refuses", async || me(&far).await == 503).await;
    proxy.lead_to(&url);
    stage.accepted(&stays).await;
    load.let_nobody_in().await;
}
