//! Verifiers inside the services of others: they judge by themselves, by what the server tells them,
//! and no longer than it lets them.

mod cable;
mod examples;
mod generations;
mod remote;
mod stage;
mod tokens;
mod wire;

use acceptance::{Api, Database, Key, Options, Server};
use serde_json::json;

/// A server whose verifiers may answer from memory for a second after they have heard of it.
async fn started(database: &Database) -> (Server, Api) {
    let options = Options::on(database).env("KEYSTILE_LEASE", "1s");
    let server = Server::start(&options).await;
    let admin = server.admin();
    (server, admin)
}

/// The key that a verifier asks the server with.
async fn verifier_key(admin: &Api) -> Key {
    Key::holding(admin, "verifier", &[VERIFIER]).await
}

/// A role that allows to read invoices.
async fn reader_role(admin: &Api) -> i64 {
    let role = json!({
        "name": "billing reader",
        "permissions": ["invoices.read"],
        "endpoints": [{ "methods": ["GET"], "path": "/invoices/**" }],
    });
    admin.post("/api/v1/roles", role).await.expect(201).body["id"].as_i64().unwrap()
}

const VERIFIER: i64 = 4;
