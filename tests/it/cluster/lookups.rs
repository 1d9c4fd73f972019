//! What a check asks of the database, and what it never does.

use acceptance::{Caller, Database, Key, Options, Postgres, Proxy, Server};
use serde_json::json;

use super::Stage;
use super::stage::me;

#[tokio::test(flavor = "multi_thread")]
async fn no_check_writes_anything_on_its_way() {
    let Some(database) = Database::postgres().await else { return };
    let Database::Postgres(url) = &database else { unreachable!() };
    let server = Server::start(&Options::on(&database)).await;
    let key = Key::made(&server.admin(), json!({ "name": "k" })).await;
    let restarted = server.restart().await;
    // Whoever wants to write waits from here on.
    let (_, name) = url.rsplit_once('/').unwrap();
    let held = Postgres::shared().hold(name, LOCK).await;
    let verdict = json!({ "credential": key.secret });
    let verdict = restarted.admin().post("/api/v1/verify", verdict).await.expect(200);
    assert_eq!(verdict.text_of("code"), "valid");
    assert_eq!(me(&restarted.api(key.caller())).await, 200);
    assert_eq!(me(&restarted.api(Caller::Bearer(UNKNOWN.to_owned()))).await, 401);
    drop(held);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_checksum_never_reaches_the_database() {
    let Some(Database::Postgres(url)) = Database::postgres().await else { return };
    let proxy = Proxy::to(&url).await;
    let options = Options::on(&Database::Postgres(proxy.url())).env("KEYSTILE_LEASE", "60s");
    let server = Server::start(&options).await;
    let key = Key::made(&server.admin(), json!({ "name": "k" })).await;
    let server = server.restart().await;
    let status = async |secret: &str| me(&server.api(Caller::Bearer(secret.to_owned()))).await;
    proxy.freeze();
    assert_eq!(status(&key.secret).await, 503, "nobody remembers it");
    assert_eq!(status(&swap_last(&key.secret)).await, 401, "nobody need be asked");
    proxy.thaw();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_never_hidden_by_what_was_remembered_of_nobody() {
    let Some(stage) = Stage::with(2, "2s").await else { return };
    stage.settled().await;
    for round in 0..20 {
        let secret = format!("a-key-from-elsewhere-{round}");
        let status = async |node: usize| me(&stage.at(node, Caller::Bearer(secret.clone()))).await;
        for node in [0, 1, 0, 1] {
            assert_eq!(status(node).await, 401, "nobody has it yet");
        }
        let new = json!({ "name": "k", "key": secret });
        let (maker, other) = (round % 2, 1 - round % 2);
        let made = stage.admin_at(maker).post("/api/v1/api-keys?wait=cluster", new).await;
        assert_eq!(made.expect(201).body["revocation"]["acknowledged"], 2);
        assert_eq!((status(maker).await, status(other).await), (200, 200));
    }
}

/// Another last letter: the checksum is at the end.
fn swap_last(secret: &str) -> String {
    let (begin, last) = secret.split_at(secret.len() - 1);
    format!("{begin}{}", if last == "0" { "1" } else { "0" })
}

/// No checksum says that it is none.
const UNKNOWN: &str = "a-secret-of-nobody";

/// Takes a lock on every table that readers do not notice.
const LOCK: &str = "DO $$ DECLARE name text; BEGIN
        FOR name IN SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' LOOP
            EXECUTE 'LOCK TABLE ' || name || ' IN EXCLUSIVE MODE';
        END LOOP;
    END $$";
