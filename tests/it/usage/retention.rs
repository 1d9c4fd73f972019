//! How long counts are kept.

use acceptance::{Database, Key, Options, Postgres, Server, until};
use serde_json::json;

use super::{sum, until_used, use_it};

#[tokio::test(flavor = "multi_thread")]
async fn counts_are_kept_for_as_many_days_as_the_setting_says() {
    let Some(database) = Database::postgres().await else { return };
    let Database::Postgres(url) = &database else { unreachable!() };
    let (_, name) = url.rsplit_once('/').unwrap();
    let server = Server::start(&Options::on(&database)).await;
    let admin = server.admin();
    let key = Key::made(&admin, json!({ "name": "k" })).await;
    use_it(&server, &key, 5).await;
    until_used(&admin, &key.at(""), |usage| sum(usage) == 5).await;
    let options = server.options().clone().env("KEYSTILE_USAGE_RETENTION_DAYS", "3");
    server.stop().await;
    // As if the same had been used at these many days before.
    Postgres::shared().execute(name, COPY).await;
    let server = Server::start(&options).await;
    let admin = server.admin();
    let usage = async || admin.get(&key.at("/usage")).await.expect(200).body;
    until("what is older is forgotten", async || sum(&usage().await) == 10).await;
}

const COPY: &str = "INSERT INTO usage_hours
    SELECT credential_id, hour - days::bigint * 86400000, outcome, checks
    FROM usage_hours CROSS JOIN (VALUES (2), (4)) AS before (days)";
