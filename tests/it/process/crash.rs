//! SIGKILL at any moment takes back nothing that was acknowledged.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::Duration,
};

use acceptance::{Answer, Api, Caller, Database, Options, Server, on_each_database};
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tokio::{sync::Semaphore, time::timeout};

on_each_database! {
    async fn a_kill_takes_back_no_acknowledged_change(database: Database) {
        let options = Options::on(&database);
        let mut server = Server::start(&options).await;
        let mut keys = Vec::new();
        for round in 0..ROUNDS {
            let acknowledged = Arc::new(Semaphore::new(0));
            let writers: Vec<_> = (0..WRITERS)
                .map(|_| tokio::spawn(write_until_killed(server.admin(), acknowledged.clone())))
                .collect();
            let moment = 20 + u32::try_from(RandomState::new().hash_one(round) % 100).unwrap();
            let reached = timeout(DEADLINE, acknowledged.acquire_many(moment)).await;
            reached.expect("changes are acknowledged").unwrap().forget();

            server.kill();
            server.wait().await;
            for writer in writers {
                keys.extend(writer.await.unwrap());
            }
            server = Server::start(&options).await;

            for key in &keys {
                key.check(&server).await;
            }
            let chain = server.admin().get("/api/v1/audit-events/verify").await.expect(200);
            assert_eq!(chain.body["valid"], true, "{chain}");
        }
    }
}

/// What the server has promised about one key. While a change is under way, neither the state
/// before it nor the one after is promised.
#[derive(Default)]
struct Known {
    works: Option<String>,
    refused: Vec<String>,
}

impl Known {
    async fn check(&self, server: &Server) {
        let me =
            async |key: &String| server.api(Caller::Header(key.clone())).get("/api/v1/me").await;
        if let Some(key) = &self.works {
            me(key).await.expect(200);
        }
        for key in &self.refused {
            me(key).await.expect(401);
        }
    }
}

/// Makes keys and changes them, each in its own way, until the server is gone.
async fn write_until_killed(api: Api, acknowledged: Arc<Semaphore>) -> Vec<Known> {
    let mut keys = Vec::new();
    for change in [Change::None, Change::Disable, Change::Delete, Change::Rotate].iter().cycle() {
        let mut known = Known::default();
        let survived = live(&api, *change, &mut known, &acknowledged).await;
        keys.push(known);
        if survived.is_none() {
            break;
        }
    }
    keys
}

/// The life of one key; `None` if the server was killed in it.
async fn live(
    api: &Api,
    change: Change,
    known: &mut Known,
    acknowledged: &Semaphore,
) -> Option<()> {
    let create = api.request(Method::POST, "/api/v1/api-keys");
    let created = acknowledge(create.json(&json!({ "name": "crash" })), acknowledged).await?;
    let created = created.expect(201);
    let path = format!("/api/v1/api-keys/{}", created.text_of("id"));
    let secret = created.text_of("key").to_owned();
    let request = match change {
        Change::None => {
            known.works = Some(secret);
            return Some(());
        }
        Change::Disable => api.request(Method::PATCH, &path).json(&json!({ "enabled": false })),
        Change::Delete => api.request(Method::DELETE, &path),
        Change::Rotate => api.request(Method::POST, &format!("{path}/rotate")),
    };
    let changed = acknowledge(request, acknowledged).await?;
    assert!(changed.status.is_success(), "{changed}");
    known.works = changed.body["key"].as_str().map(str::to_owned);
    known.refused.push(secret);
    Some(())
}

async fn acknowledge(request: RequestBuilder, acknowledged: &Semaphore) -> Option<Answer> {
    let answer = Answer::to(request).await.ok()?;
    acknowledged.add_permits(1);
    Some(answer)
}

#[derive(Clone, Copy)]
enum Change {
    Delete,
    Disable,
    None,
    Rotate,
}

const DEADLINE: Duration = Duration::from_secs(60);
const ROUNDS: u32 = 5;
const WRITERS: u32 = 8;
