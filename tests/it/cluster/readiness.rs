//! Whether the primary can keep what it has answered, as `/readyz` tells it.

use acceptance::{Api, Caller, Database, Options, Part, Postgres, Server, Setup, until};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn rule_2_a_server_says_if_its_database_may_lose_what_was_answered() {
    if !Part::Postgres.or_skip() {
        return;
    }
    let primary = Postgres::make(Setup::Durable);
    let database = Database::Postgres(primary.fresh_database().await);
    let server = Server::start(&Options::on(&database)).await;
    let anybody = server.api(Caller::Anonymous);
    assert_eq!(ready(&anybody).await, json!({ "status": "ready" }));

    let _standby = primary.standby();
    lacks(&anybody, json!(["asynchronous_standby"])).await;
    primary.wait_for_standbys().await;
    lacks(&anybody, Value::Null).await;
    primary.set("fsync", "off").await;
    lacks(&anybody, json!(["durability"])).await;
    primary.set("fsync", "on").await;
    primary.set("full_page_writes", "off").await;
    primary.set("synchronous_standby_names", "''").await;
    lacks(&anybody, json!(["asynchronous_standby", "durability"])).await;
}

/// Waits until it says that it lacks this.
async fn lacks(anybody: &Api, words: Value) {
    until(&words.to_string(), async || ready(anybody).await["degraded"] == words).await;
}

async fn ready(anybody: &Api) -> Value {
    anybody.get("/readyz").await.expect(200).body
}
