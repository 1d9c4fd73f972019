//! What is not there, and what never was, look alike; and whoever may not look is not told either.

use acceptance::{Answer, Api, Caller, Database, on_each_database};
use serde_json::json;

use super::{
    operations::Operation,
    problem::assert_problem,
    world::{World, answer, id, without_request_id},
};

on_each_database! {
    async fn every_id_of_nothing_gets_one_and_the_same_404(database: Database) {
        let world = World::on(&database).await;
        let gone = gone(&world).await;
        for operation in world.operations.iter().filter(|it| !it.places().is_empty()) {
            let mut first = None;
            for target in targets_of_nothing(&world, operation, &gone) {
                let missing = ask(&world.root, operation, &target).await;
                assert_eq!(missing.status, 404, "{} at {target}: {missing}", operation.name);
                assert_problem(&missing);
                assert_eq!(missing.body["code"], "not_found", "{missing}");
                let told = without_request_id(&missing);
                let first = first.get_or_insert_with(|| told.clone());
                assert_eq!(told, *first, "{} at {target}", operation.name);
            }
        }
    }

    async fn whoever_may_not_ask_is_not_told_what_there_is(database: Database) {
        let world = World::on(&database).await;
        let gone = gone(&world).await;
        let powerless = world.admin.with(Caller::Header(world.key_with_roles(json!([])).await));
        for operation in world.operations.iter().filter(|it| !it.places().is_empty()) {
            let there = ask(&powerless, operation, &world.target(operation)).await.expect(403);
            for target in targets_of_nothing(&world, operation, &gone) {
                let missing = ask(&powerless, operation, &target).await;
                assert_eq!(missing.status, 403, "{} at {target}", operation.name);
                assert_eq!(without_request_id(&missing), without_request_id(&there));
            }
        }
    }
}

async fn ask(api: &Api, operation: &Operation, target: &str) -> Answer {
    answer(operation.with_body(api.request(operation.method.clone(), target))).await
}

/// What an operation is asked about if, at one of its places, there is no such thing: because there
/// never was, because it is gone, or because it is at another place.
fn targets_of_nothing(world: &World, operation: &Operation, gone: &[String]) -> Vec<String> {
    let mut targets = Vec::new();
    for (number, place) in operation.places().iter().enumerate() {
        let elsewhere = world.things.iter().filter(|(other, _)| other != place);
        let elsewhere = elsewhere.map(|(_, id)| id);
        for nothing in gone.iter().chain(elsewhere) {
            let mut ids = world.ids(operation);
            ids[number] = nothing;
            targets.push(operation.dry_target(&ids));
        }
    }
    targets
}

/// Ids of a deleted key, role and user, ids that were never given, and what is no id at all.
async fn gone(world: &World) -> Vec<String> {
    let mut gone = Vec::new();
    for (path, new) in [
        ("/api/v1/api-keys", json!({ "name": "gone" })),
        ("/api/v1/me/tokens", json!({ "name": "gone" })),
        ("/api/v1/providers", json!({ "name": "gone", "kind": "api_key" })),
        ("/api/v1/roles", json!({ "name": "gone" })),
        ("/api/v1/users", json!({ "username": "gone" })),
    ] {
        let id = id(&world.root.post(path, new).await.expect(201).body);
        world.root.delete(&format!("{path}/{id}")).await.expect(204);
        gone.push(id);
    }
    let garbage = [
        "00000000-0000-0000-0000-000000000000",
        "0199e7c4-5a34-7c80-8c1f-6a2b7f3d9e10",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "0",
        "-1",
        "99999",
        "9223372036854775807",
        "9223372036854775808",
        "999999999999999999999999999999",
        "+1",
        "1.0",
        "1e0",
        "0x1",
        "x",
        "null",
        "%20",
        "%00",
        "*",
        "%25",
        "%27%20OR%20%271%27=%271",
        "1%20OR%201=1",
        "%D9%A1",
        "%FF",
    ];
    let long = "a".repeat(4_000);
    let garbage = garbage.into_iter().chain([long.as_str()]).map(str::to_owned);
    garbage.chain(gone).collect()
}
