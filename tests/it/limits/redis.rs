//! Limits in time, counted by several servers together in a Redis that comes and goes.

use std::time::Duration;

use acceptance::{Api, Caller, Database, Key, Options, Part, Redis, Server, until};
use serde_json::json;
use tokio::{task::JoinSet, time::timeout};

use super::{ME, a_day, check, left};

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_share_a_limit_to_the_last_use() {
    const LIMIT: usize = 50;
    let Some(stage) = Stage::new().await else { return };
    let [one, two] = &stage.servers;
    let limit = i64::try_from(LIMIT).unwrap();
    let key = Key::made(&stage.admin, json!({ "name": "k", "rate_limits": a_day(limit) })).await;

    let mut requests = JoinSet::new();
    for number in 0..4 * LIMIT {
        let api = if number % 2 == 0 { one } else { two }.api(key.caller());
        requests.spawn(async move { api.get(ME).await.status.as_u16() });
    }
    let statuses = requests.join_all().await;
    let of = |status| statuses.iter().filter(|it| **it == status).count();
    assert_eq!((of(200), of(429)), (LIMIT, 3 * LIMIT));

    let limits = json!([
        { "name": "narrow", "limit": 3, "window_seconds": 86_400 },
        { "name": "wide", "limit": 20, "window_seconds": 86_400 },
    ]);
    let key = Key::made(&stage.admin, json!({ "name": "k", "rate_limits": limits })).await;
    for (cost, code, narrow, wide) in [
        (2, "valid", 1, 18),
        (2, "rate_limited", 1, 18),
        (0, "valid", 1, 18),
        (1, "valid", 0, 17),
        (1, "rate_limited", 0, 17),
    ] {
        let verdict = check(&stage.admin, &key, cost).await;
        assert_eq!(verdict["code"], code, "{cost}: {verdict}");
        let left = [&verdict["rate_limits"][0], &verdict["rate_limits"][1]];
        assert_eq!(left.map(|it| it["remaining"].as_i64().unwrap()), [narrow, wide], "{verdict}");
        assert!((0..=86_400).contains(&left[0]["reset_seconds"].as_i64().unwrap()), "{verdict}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_each_server_counts_for_itself_and_no_request_is_lost() {
    let Some(mut stage) = Stage::new().await else { return };
    let key = json!({ "name": "k", "rate_limits": a_day(100_000) });
    let key = Key::made(&stage.admin, key).await;
    let apis: Vec<_> = stage.servers.iter().map(|server| server.api(key.caller())).collect();
    let load = Load::on(&apis);

    stage.redis.freeze();
    stage.readies(|ready| ready == json!({ "status": "ready", "degraded": ["redis"] })).await;
    stage.redis.thaw();
    stage.readies(|ready| ready == json!({ "status": "ready" })).await;
    stage.redis.kill();
    stage.readies(|ready| ready["degraded"] == json!(["redis"])).await;
    // Apart, each of them has a limit of its own.
    let alone = json!({ "name": "k", "rate_limits": a_day(1) });
    let alone = Key::made(&stage.admin, alone).await;
    for server in &stage.servers {
        server.api(alone.caller()).get(ME).await.expect(200);
        server.api(alone.caller()).get(ME).await.expect(429);
    }
    stage.redis.start();
    stage.readies(|ready| ready == json!({ "status": "ready" })).await;
    load.was_answered().await;

    let shared = json!({ "name": "k", "rate_limits": a_day(2) });
    let shared = Key::made(&stage.admin, shared).await;
    let [one, two] = &stage.servers;
    assert_eq!(left(&one.api(shared.caller()).get(ME).await.expect(200)), 1);
    assert_eq!(left(&two.api(shared.caller()).get(ME).await.expect(200)), 0);
    for server in &stage.servers {
        server.says("Redis does not answer").await;
        server.says("Redis answers again").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_starts_without_its_redis() {
    let directory = acceptance::scratch::directory("no-redis");
    let url = format!("redis+unix://{}/none", directory.display());
    let options = Options::on(&Database::Sqlite).env("KEYSTILE_REDIS_URL", url);
    let server = Server::start(&options).await;
    let ready = server.api(Caller::Anonymous).get("/readyz").await.expect(200);
    assert_eq!(ready.body["degraded"], json!(["redis"]));
    let key = json!({ "name": "k", "rate_limits": a_day(1) });
    let key = Key::made(&server.admin(), key).await;
    server.api(key.caller()).get(ME).await.expect(200);
    server.api(key.caller()).get(ME).await.expect(429);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_of_all_limits_of_a_key_is_one_call_of_redis() {
    if !Part::Redis.or_skip() {
        return;
    }
    let redis = Redis::make();
    let options = Options::on(&Database::Sqlite).env("KEYSTILE_REDIS_URL", redis.url());
    let server = Server::start(&options).await;
    let admin = server.admin();
    let names = ["narrow", "wide", "wider", "widest"];
    let limit = |name: &&str| json!({ "name": name, "limit": 3, "window_seconds": 86_400 });
    let limits: Vec<_> = names.iter().map(limit).collect();
    let key = Key::made(&admin, json!({ "name": "k", "rate_limits": limits })).await;
    let api = server.api(key.caller());
    // The first of all shows it the script as well.
    api.get(ME).await.expect(200);

    for (asked, status) in [("a request", 200), ("a question", 200), ("one too many", 429)] {
        let watch = redis.watch();
        match asked {
            "a question" => assert_eq!(check(&admin, &key, 1).await["code"], "valid"),
            _ => drop(api.get(ME).await.expect(status)),
        }
        let commands = watch.commands();
        let [command] = &commands[..] else { panic!("{asked}: {commands:#?}") };
        assert!(command.to_lowercase().starts_with("\"evalsha\" "), "{asked}: {command}");
        for name in names {
            assert!(command.contains(&format!(":{name}:")), "{asked}: {command}");
        }
    }
}

/// Two servers that share a database and a Redis.
struct Stage {
    redis: Redis,
    servers: [Server; 2],
    admin: Api,
}

impl Stage {
    async fn new() -> Option<Self> {
        let database = Database::postgres().await?;
        if !Part::Redis.or_skip() {
            return None;
        }
        let redis = Redis::make();
        let options = || Options::on(&database).env("KEYSTILE_REDIS_URL", redis.url());
        let one = Server::start(&options()).await;
        let two = Server::start(&options()).await;
        let admin = one.admin();
        let stage = Self { redis, servers: [one, two], admin };
        stage.readies(|ready| ready == json!({ "status": "ready" })).await;
        Some(stage)
    }

    /// Waits until both servers say this of themselves.
    async fn readies(&self, so: impl Fn(serde_json::Value) -> bool) {
        for server in &self.servers {
            let anybody = server.api(Caller::Anonymous);
            let ready = async || anybody.get("/readyz").await.expect(200).body;
            until("both notice", async || so(ready().await)).await;
        }
    }
}

/// Checks without an end, two at a time at each server.
struct Load(JoinSet<()>);

impl Load {
    fn on(apis: &[Api]) -> Self {
        let mut load = JoinSet::new();
        for api in apis.iter().flat_map(|api| [api.clone(), api.clone()]) {
            load.spawn(async move {
                loop {
                    let asked = timeout(PATIENCE, api.get(ME)).await.expect("an answer in time");
                    asked.expect(200);
                }
            });
        }
        Self(load)
    }

    /// Every request was answered, and with yes.
    async fn was_answered(mut self) {
        assert!(self.0.try_join_next().is_none(), "a request was refused, or took too long");
        self.0.shutdown().await;
    }
}

/// Far more than a request takes, and far less than one that waits for a dead Redis would.
const PATIENCE: Duration = Duration::from_secs(5);
