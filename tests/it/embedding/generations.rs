//! Another primary behind the server, of the same history.

use acceptance::{Database, Key, Part, Postgres, Setup, until};
use serde_json::json;

use super::stage::{Stage, code};

#[tokio::test(flavor = "multi_thread")]
async fn rule_7_what_a_verifier_has_learnt_from_a_primary_goes_with_it() {
    if !Part::Postgres.or_skip() {
        return;
    }
    let mut primary = Postgres::make(Setup::Durable);
    let url = primary.fresh_database().await;
    // Longer than all of this takes.
    let stage = Stage::leasing(&Database::Postgres(url.clone()), "60s").await;
    let verifier = stage.trusting(|builder| builder).await;
    let key = Key::made(&stage.admin, json!({ "name": "k" })).await;
    stage.remembered(&verifier, &key.secret).await;
    // As it may differ on a primary that lacks what was never acknowledged: without an event.
    let (_, database) = url.rsplit_once('/').unwrap();
    primary.execute(database, "UPDATE api_keys SET enabled = false WHERE name = 'k'").await;
    assert_eq!(code(&verifier, &key.secret).await, "valid", "nobody has told it");

    primary.stop();
    primary.start();

    let asks_anew = async || code(&verifier, &key.secret).await == "enabled";
    until("it asks the primary that there is now", asks_anew).await;
    until("it has a lease again", async || verifier.is_trusting()).await;
    assert_eq!(code(&verifier, &key.secret).await, "enabled");
}
