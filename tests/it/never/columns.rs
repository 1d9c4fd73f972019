//! No column of a table is a member that a caller may set: not by its name, and not by chance.

use std::{collections::BTreeSet, fs};

use acceptance::{Database, on_each_database};
use serde_json::{Value, json};

use super::{
    operations::Operation,
    problem::assert_problem,
    world::{World, answer},
};

on_each_database! {
    async fn a_patch_of_a_column_changes_nothing(database: Database) {
        let world = World::on(&database).await;
        let columns = columns();
        let patches = world.operations.iter().filter(|it| it.method == "PATCH");
        let mut resources = 0;
        for operation in patches {
            resources += 1;
            let path = world.earnest_target(operation);
            let before = shown(&world, &path).await;
            let known = &operation.schema.as_ref().unwrap()["properties"];
            for column in columns.iter().filter(|column| known.get(column).is_none()) {
                for value in [json!(1), json!(true), json!(world.id("/api/v1/users/")), Value::Null] {
                    refused(&world, operation, &path, column, &value).await;
                }
            }
            assert_eq!(shown(&world, &path).await, before, "{}", operation.name);
        }
        assert!(resources >= 5, "only {resources}");
    }

    async fn nobody_makes_anything_for_another_by_naming_them(database: Database) {
        let world = World::on(&database).await;
        let owners = ["owner", "owner_id", "user", "user_id", "created_by", "service_account_id"];
        let creates = world.operations.iter().filter(|it| {
            it.method == "POST" && it.takes("dry_run") && it.places().len() < 2
        });
        let mut creating = 0;
        for operation in creates.filter(|operation| operation.schema.is_some()) {
            creating += 1;
            let path = world.earnest_target(operation);
            for owner in owners {
                let mut body = operation.body().unwrap();
                body[owner] = json!(world.id("/api/v1/users/"));
                let request = world.root.request(operation.method.clone(), &path);
                let refusal = answer(request.json(&body)).await;
                assert_eq!(refusal.status, 400, "{owner} in {}: {refusal}", operation.name);
                refusal.problem("unknown_fields");
            }
        }
        assert!(creating >= 6, "only {creating}");
    }
}

async fn refused(world: &World, operation: &Operation, path: &str, column: &str, value: &Value) {
    let request = world.root.request(operation.method.clone(), path);
    let refusal = answer(request.json(&json!({ column: value }))).await;
    assert_eq!(refusal.status, 400, "{column} in {}: {refusal}", operation.name);
    assert_problem(&refusal);
    let refusal = refusal.problem("unknown_fields");
    assert_eq!(refusal.body["errors"][0]["pointer"], format!("/{column}"), "{refusal}");
}

/// A thing as it is shown, and the end of the audit log.
async fn shown(world: &World, path: &str) -> (Value, Value) {
    let mut shown = world.root.get(path).await.expect(200).body;
    shown["last_used_at"].take();
    (shown, world.head().await)
}

/// The columns of all tables, as the migrations name them, and what other systems call them.
fn columns() -> BTreeSet<String> {
    let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations/sqlite");
    let mut columns = BTreeSet::new();
    for migration in fs::read_dir(migrations).unwrap() {
        let up = fs::read_to_string(migration.unwrap().path().join("up.sql")).unwrap();
        let words = up.lines().filter_map(|line| line.split_whitespace().next());
        columns.extend(words.filter(|word| is_column(word)).map(str::to_owned));
    }
    assert!(columns.contains("digest") && columns.contains("created_by_id"), "{columns:?}");
    columns.extend(["is_admin", "revoked_at", "tenant", "__proto__"].map(str::to_owned));
    columns
}

/// Whether the first word of a line can only be the name of a column: keywords are written in capitals.
fn is_column(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}
