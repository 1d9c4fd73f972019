//! A server and a service with a gateway before it, and the keys that come to it.

use acceptance::{Addresses, Database, Gateway, GatewayKind, Key, Options, Server, Upstream};
use serde_json::{Value, json};

use super::client::{Client, Reply};

/// What all sentences about a gateway share: starting it takes time.
pub struct Stage {
    pub kind: GatewayKind,
    pub keystile: Server,
    pub service: Upstream,
    pub gateway: Gateway,
    /// May read `/open`.
    pub reader: Key,
    /// May do everything.
    pub all: Key,
    /// May do everything, once a day.
    pub limited: Key,
    /// May do everything, from addresses that are not here.
    pub elsewhere: Key,
}

impl Stage {
    pub async fn start(kind: GatewayKind) -> Self {
        let options = Options::on(&Database::Sqlite).env("KEYSTILE_TRUSTED_PROXIES", "127.0.0.1");
        let keystile = Server::start(&options).await;
        let service = Upstream::start().await;
        let addresses = Addresses::new(keystile.address(), service.address());
        let gateway = Gateway::start(kind, addresses, |text| text).await;
        let admin = keystile.admin();
        let role = async |name: &str, methods: Value, path: &str| {
            let endpoints = json!([{ "methods": methods, "path": path }]);
            let permissions = json!(["invoices.read"]);
            let role = json!({ "name": name, "endpoints": endpoints, "permissions": permissions });
            admin.post("/api/v1/roles", role).await.expect(201).body["id"].clone()
        };
        let reading = role("reader, of the open", json!(["GET"]), "/open/**").await;
        let everything = role("everything", json!(["*"]), "/**").await;
        let key = async |mut new: Value| {
            new["name"] = json!("a réader");
            Key::made(&admin, new).await
        };
        let once = json!([{ "limit": 1, "window_seconds": 86_400 }]);
        let reader = key(json!({ "role_ids": [reading] })).await;
        let all = key(json!({ "role_ids": [everything] })).await;
        let limited = key(json!({ "role_ids": [everything], "rate_limits": once })).await;
        let from = json!(["203.0.113.0/24"]);
        let elsewhere = key(json!({ "role_ids": [everything], "allowed_ips": from })).await;
        Self { kind, keystile, service, gateway, reader, all, limited, elsewhere }
    }

    pub async fn client(&self) -> Client {
        Client::to(&self.gateway).await
    }

    /// The answer to a request on a connection of its own, once nothing of it came through.
    pub async fn refused(&self, target: &str, headers: &[(&str, &str)], status: u16) -> Reply {
        let before = self.service.requests();
        let reply = self.client().await.get(target, headers).await.expect(status);
        assert_eq!(self.service.requests(), before, "it came through: {reply}");
        reply
    }
}
