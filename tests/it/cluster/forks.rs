//! The database comes back with another history: after a failover that lost changes, or a restore.

use acceptance::{Api, Database, Options, Part, Postgres, Proxy, Server, Setup, scratch, until};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::Stage;
use super::stage::me;

#[tokio::test(flavor = "multi_thread")]
async fn rule_7_of_a_history_that_did_not_happen_nothing_is_believed() {
    if !Part::Postgres.or_skip() {
        return;
    }
    let mut primary = Postgres::make(Setup::Durable);
    let url = primary.fresh_database().await;
    let proxy = Proxy::to(&url).await;
    let options = Options::on(&Database::Postgres(proxy.url())).env("KEYSTILE_LEASE", "60s");
    let stage = Stage::on((0..2).map(|_| options.clone().with_own_data())).await;
    let key = stage.key().await;
    // A standby for which no commit waits, and which is behind when the primary dies.
    let mut standby = primary.standby();
    standby.stop();

    let lost = stage.key().await;
    stage.admin.patch(&key.at(""), json!({ "enabled": false })).await.expect(200);
    stage.turned_away(&key).await;
    let heard = stage.admin_at(1).get(CHANGES).await.expect(200).body["position"].clone();
    let mut stream = stream(&stage.admin_at(1)).await;
    primary.kill();
    standby.start();
    standby.promote().await;
    proxy.lead_to(&standby.same_database(&url));

    // Whoever has heard of it is not left with it.
    while let Ok(Some(_)) = stream.chunk().await {}
    until("the place is none", async || {
        let answer = stage.admin_at(1).get(&format!("{CHANGES}?after={heard}")).await;
        answer.status == 422
    })
    .await;
    // What the nodes remember of the other history would last for a minute.
    for node in 0..2 {
        let (lost, lives) = (stage.at(node, lost.caller()), stage.at(node, key.caller()));
        until("a lost key is unknown", async || me(&lost).await == 401).await;
        until("a lost revocation is, too", async || me(&lives).await == 200).await;
        stage.nodes[node].says("the database has another history").await;
    }
    // It has answered that, whether or not it had seen it in the feed.
    stage.nodes[0].says(&format!("missing: api_key.disabled {}", key.id)).await;
    assert_eq!(ended(&stage.nodes[0]), [key.id.as_str()]);
    stage.admin.patch(&key.at(""), json!({ "enabled": false })).await.expect(200);
    stage.turned_away(&key).await;
}

async fn stream(api: &Api) -> Response {
    let request = api.request(Method::GET, CHANGES).header("Accept", "text/event-stream");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    response
}

const CHANGES: &str = "/api/v1/changes";

#[tokio::test(flavor = "multi_thread")]
async fn rule_22_a_restore_is_another_history_for_nodes_that_run() {
    if !Part::Postgres.or_skip() {
        return;
    }
    let postgres = Postgres::make(Setup::Durable);
    let (url, empty) = (postgres.fresh_database().await, postgres.fresh_database().await);
    let proxy = Proxy::to(&url).await;
    let options = Options::on(&Database::Postgres(proxy.url())).env("KEYSTILE_LEASE", "60s");
    let stage = Stage::on([options]).await;
    let revoked = stage.key().await;
    let file = scratch::directory("backup").join("keystile.backup");
    let file = file.to_str().unwrap();
    let backup = stage.nodes[0].options().run(&["backup", file]).await;
    assert!(backup.status.success(), "{backup:#?}");
    let lost = stage.key().await;
    stage.admin.patch(&revoked.at(""), json!({ "enabled": false })).await.expect(200);
    stage.turned_away(&revoked).await;

    let into = Options::on(&Database::Postgres(empty.clone()));
    let restored = into.run(&["restore", file]).await;
    assert!(restored.status.success(), "{restored:#?}");
    assert!(restored.stderr.contains("lives again"), "{restored:#?}");
    exchange(&postgres, &proxy, &url, &empty).await;

    stage.nodes[0].says(&format!("missing: api_key.disabled {}", revoked.id)).await;
    let (lost, lives) = (stage.at(0, lost.caller()), stage.at(0, revoked.caller()));
    until("a lost key is unknown", async || me(&lost).await == 401).await;
    until("a lost revocation is, too", async || me(&lives).await == 200).await;

    // What the node has named is what to end.
    let list = scratch::directory("ended").join("ended.txt");
    std::fs::write(&list, ended(&stage.nodes[0]).join("\n")).unwrap();
    let into = Options::on(&Database::Postgres(postgres.fresh_database().await));
    let restored = into.run(&["restore", file, "--ended", list.to_str().unwrap()]).await;
    assert!(restored.stderr.contains("ended once more: 1;"), "{restored:#?}");
    stage.nodes.into_iter().next().unwrap().stop().await;
}

/// What a node says that ended and lives again.
fn ended(node: &Server) -> Vec<String> {
    let log = node.stderr.text();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter_map(|line| line["ended"].as_str().map(str::to_owned)).collect()
}

/// Puts the restored database in the place of the other, under the feet of the nodes.
async fn exchange(postgres: &Postgres, proxy: &Proxy, url: &str, restored: &str) {
    let name = |url: &str| url.rsplit_once('/').unwrap().1.to_owned();
    let (old, new) = (name(url), name(restored));
    proxy.freeze();
    let lines = [
        format!("ALTER DATABASE {old} ALLOW_CONNECTIONS false"),
        format!(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity \
             WHERE datname IN ('{old}', '{new}')"
        ),
        format!("ALTER DATABASE {old} RENAME TO gone"),
        format!("ALTER DATABASE {new} RENAME TO {old}"),
    ];
    for line in lines {
        postgres.execute("postgres", &line).await;
    }
    proxy.cut();
    proxy.thaw();
}
