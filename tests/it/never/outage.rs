//! While the database is away nobody is let in and nobody is turned away as a stranger: the answer
//! is 503, in time, and it ends with the outage.

use std::time::{Duration, Instant};

use acceptance::{Answer, Api, Caller, Database, Options, Part, Postgres, Proxy, Setup, until};
use tokio::{task::JoinSet, time::timeout};

use super::{problem::assert_problem, world::World};

#[tokio::test(flavor = "multi_thread")]
async fn without_its_database_the_server_refuses_and_recovers_by_itself() {
    if !Part::Postgres.or_skip() {
        return;
    }
    let mut postgres = Postgres::make(Setup::Durable);
    let database = Database::Postgres(postgres.fresh_database().await);
    let world = World::with(&forgetful(&database)).await;
    for _ in 0..3 {
        postgres.stop();
        assert_out_of_order(&world).await;
        postgres.start();
        assert_in_order(&world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_does_not_answer_is_as_good_as_none() {
    let Some(Database::Postgres(url)) = Database::postgres().await else { return };
    let proxy = Proxy::to(&url).await;
    let world = World::with(&forgetful(&Database::Postgres(proxy.url()))).await;
    for _ in 0..2 {
        proxy.freeze();
        assert_out_of_order(&world).await;
        proxy.thaw();
        assert_in_order(&world).await;
    }
}

/// A server that believes nothing that it remembers: others go on from memory for a while.
fn forgetful(database: &Database) -> Options {
    Options::on(database).env("KEYSTILE_LEASE", "0s")
}

/// Every operation at once, several times over so that no connection is left to any.
async fn assert_out_of_order(world: &World) {
    let unknown = world.admin.with(Caller::Header(UNKNOWN.to_owned()));
    let bearer = world.admin.with(Caller::Bearer(world.server.admin_key()));
    let mut asked = JoinSet::new();
    for api in [&world.admin, &bearer, &world.root, &unknown] {
        for operation in world.guarded() {
            let request = world.request(api, operation);
            let name = operation.name.clone();
            asked.spawn(async move { (name, Answer::to(request).await.unwrap()) });
        }
    }
    // Whether the process lives has nothing to do with it, however many are waiting.
    let began = Instant::now();
    ask(world.anonymous(), "/healthz").await.expect(200);
    ask(world.anonymous(), "/openapi.json").await.expect(200);
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    let not_ready = ask(world.anonymous(), "/readyz").await.expect(503);
    assert_unavailable("/readyz", &not_ready);
    while let Some(answered) = timeout(REQUEST, asked.join_next()).await.expect("an answer in time")
    {
        let (name, answer) = answered.unwrap();
        assert_unavailable(&name, &answer);
    }
}

/// Within five seconds everything is as it was, for those who asked in vain as for others.
async fn assert_in_order(world: &World) {
    let recovered = timeout(RECOVERY, async {
        for path in ["/readyz", "/api/v1/me", "/api/v1/audit-events/verify"] {
            until(path, async || ask(world.admin.clone(), path).await.status == 200).await;
        }
    });
    recovered.await.expect("it recovers by itself");
    world.admin.post("/api/v1/api-keys", serde_json::json!({ "name": "after" })).await.expect(201);
    let unknown = world.admin.with(Caller::Header(UNKNOWN.to_owned()));
    ask(unknown, "/api/v1/me").await.expect(401);
}

#[track_caller]
fn assert_unavailable(name: &str, answer: &Answer) {
    assert_eq!(answer.status, 503, "{name}: {answer}");
    assert_problem(answer);
    assert_eq!(answer.body["code"], "unavailable", "{name}: {answer}");
    let after: u32 = answer.header("retry-after").parse().unwrap();
    assert!(after >= 1, "{name}: {answer}");
}

async fn ask(api: Api, path: &str) -> Answer {
    timeout(REQUEST, api.get(path)).await.unwrap_or_else(|_| panic!("no answer from {path}"))
}

/// Well-formed, and never issued.
const UNKNOWN: &str = "ks_0123456789abcdefghijABCDEFGHIJ0123456789xyz3A8jxH";
const RECOVERY: Duration = Duration::from_secs(5);
const REQUEST: Duration = Duration::from_secs(15);
const SOON: Duration = Duration::from_secs(2);
