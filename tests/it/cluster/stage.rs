//! Several servers on one database, and keys that they check.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use acceptance::{Answer, Api, Caller, Database, Key, Options, Server, until};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// The servers; the first one has made the administrator.
pub struct Stage {
    pub nodes: Vec<Server>,
    pub admin: Api,
}

impl Stage {
    /// So many servers on a database of their own in the shared cluster.
    pub async fn with(nodes: usize, lease: &str) -> Option<Self> {
        let database = Database::postgres().await?;
        let options = Options::on(&database).env("KEYSTILE_LEASE", lease);
        Some(Self::on((0..nodes).map(|_| options.clone().with_own_data())).await)
    }

    /// Servers that are started like this, one after the other.
    pub async fn on(options: impl IntoIterator<Item = Options>) -> Self {
        let mut nodes = Vec::new();
        for options in options {
            nodes.push(Server::start(&options).await);
        }
        let admin = nodes[0].admin();
        Self { nodes, admin }
    }

    /// The API of a node for this caller.
    pub fn at(&self, node: usize, caller: Caller) -> Api {
        self.nodes[node].api(caller)
    }

    /// The API of a node for the administrator.
    pub fn admin_at(&self, node: usize) -> Api {
        self.at(node, self.admin.caller().clone())
    }

    /// A new key that every node has checked, and so remembers.
    pub async fn key(&self) -> Key {
        let key = Key::made(&self.admin, json!({ "name": "k" })).await;
        self.accepted(&key).await;
        key
    }

    /// Waits until every node lets the key in.
    pub async fn accepted(&self, key: &Key) {
        for node in self.all() {
            let api = self.at(node, key.caller());
            until("it is let in", async || me(&api).await == 200).await;
        }
    }

    /// Ends a key at a node, and waits until it has ended everywhere; who has said so.
    pub async fn revoke(&self, node: usize, key: &Key) -> Value {
        let disabled = json!({ "enabled": false });
        let answer = self.admin_at(node).patch(&key.at("?wait=cluster"), disabled).await;
        answer.expect(200).body["revocation"].clone()
    }

    /// No node lets it in, now or when it can be asked again.
    pub async fn refused(&self, key: &Key) {
        for node in self.all() {
            let api = self.at(node, key.caller());
            assert_ne!(me(&api).await, 200, "at {node}");
        }
    }

    /// Waits until every node says no to it.
    pub async fn turned_away(&self, key: &Key) {
        for node in self.all() {
            let api = self.at(node, key.caller());
            until("it is turned away", async || me(&api).await == 401).await;
        }
    }

    /// Waits until changes are acknowledged by all nodes and not by the time that passes: since
    /// their start, as long as a lease lasts must have gone by.
    pub async fn settled(&self) {
        for node in self.all() {
            let key = self.key().await;
            let wait = format!("{}?wait=cluster", key.at(""));
            let api = self.admin_at(node);
            let all = self.nodes.len();
            until("all acknowledge", async || {
                let patch = json!({ "description": "settled" });
                let answer = api.patch(&wait, patch).await;
                answer.body["revocation"]["acknowledged"] == all
            })
            .await;
        }
    }

    /// The nodes that are registered, as one of them sees it.
    pub async fn verifiers(&self, node: usize) -> Vec<Value> {
        let list = self.admin_at(node).get("/api/v1/verifiers").await.expect(200);
        list.body["data"].as_array().unwrap().clone()
    }

    /// Checks a key at every node again and again, until this is dropped or stopped.
    pub fn watch(&self, key: &Key) -> Watch {
        let stopped = Arc::new(AtomicBool::new(false));
        let mut checks = JoinSet::new();
        for node in self.all() {
            let (api, stopped) = (self.at(node, key.caller()), Arc::clone(&stopped));
            checks.spawn(async move {
                let mut statuses = Vec::new();
                while !stopped.load(Ordering::SeqCst) {
                    statuses.push(me(&api).await);
                }
                statuses
            });
        }
        Watch { stopped, checks }
    }

    fn all(&self) -> Range<usize> {
        0..self.nodes.len()
    }
}

/// Checks without an end.
pub struct Watch {
    stopped: Arc<AtomicBool>,
    checks: JoinSet<Vec<u16>>,
}

impl Watch {
    /// The statuses of all checks.
    pub async fn stop(self) -> Vec<u16> {
        self.stopped.store(true, Ordering::SeqCst);
        self.checks.join_all().await.concat()
    }

    /// That nobody was let in, though many asked.
    pub async fn let_nobody_in(self) {
        let statuses = self.stop().await;
        assert!(!statuses.is_empty());
        assert!(!statuses.contains(&200), "a key that had ended was let in");
    }
}

/// What a check ends with; 0 if there is no answer, as from a server that is being stopped.
pub async fn me(api: &Api) -> u16 {
    let request = api.request(reqwest::Method::GET, "/api/v1/me");
    match timeout(PATIENCE, Answer::to(request)).await.expect("an answer in time") {
        Ok(answer) => answer.status.as_u16(),
        Err(_lost) => 0,
    }
}

/// Longer than a server waits for a database that has stopped.
const PATIENCE: Duration = Duration::from_secs(30);
