//! What is not there, and what never was, look alike; and whoever may not look is not told either.

use acceptance::{Answer, Api, Caller, Database, on_each_database};
use serde_json::json;

use super::{
    operations::Operation,
    problem::assert_problem,
    world::{World, answer, without_request_id},
};

on_each_database! {
    async fn every_id_of_nothing_gets_one_and_the_same_404(database: Database) {
        let world = World::on(&database).await;
        let ids = ids_of_nothing(&world).await;
        for operation in world.guarded().into_iter().filter(|it| it.is_about_one()) {
            let mut first = None;
            for id in &ids {
                let missing = ask(&world.admin, operation, id).await;
                assert_eq!(missing.status, 404, "{} of {id}: {missing}", operation.name);
                assert_problem(&missing);
                assert_eq!(missing.body["code"], "not_found", "{missing}");
                let told = without_request_id(&missing);
                let first = first.get_or_insert_with(|| told.clone());
                assert_eq!(told, *first, "{} of {id}", operation.name);
            }
        }
    }

    async fn whoever_may_not_ask_is_not_told_what_there_is(database: Database) {
        let world = World::on(&database).await;
        let powerless = world.admin.with(Caller::Header(world.key_with_roles(json!([])).await));
        for operation in world.guarded().into_iter().filter(|it| it.is_about_one()) {
            let there = ask(&powerless, operation, world.id(operation)).await.expect(403);
            for id in ids_of_nothing(&world).await {
                let missing = ask(&powerless, operation, &id).await;
                assert_eq!(missing.status, 403, "{} of {id}", operation.name);
                assert_eq!(without_request_id(&missing), without_request_id(&there));
            }
        }
    }
}

async fn ask(api: &Api, operation: &Operation, id: &str) -> Answer {
    let request = api.request(operation.method.clone(), &operation.dry_target(id));
    answer(match operation.body() {
        Some(body) => request.json(&body),
        None => request,
    })
    .await
}

/// Ids of a deleted key and a deleted role, ids that were never given, and what is no id at all.
async fn ids_of_nothing(world: &World) -> Vec<String> {
    let admin = &world.admin;
    let key = admin.post("/api/v1/api-keys", json!({ "name": "gone" })).await.expect(201);
    admin.delete(&format!("/api/v1/api-keys/{}", key.text_of("id"))).await.expect(204);
    let role = admin.post("/api/v1/roles", json!({ "name": "gone" })).await.expect(201);
    let role = role.body["id"].to_string();
    admin.delete(&format!("/api/v1/roles/{role}")).await.expect(204);
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
    garbage.chain([key.text_of("id").to_owned(), role]).collect()
}
