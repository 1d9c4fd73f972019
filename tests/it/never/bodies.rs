//! Bodies with members of the wrong kind: what is refused is refused by name, and nothing of it is
//! done.

use acceptance::{Answer, Database, on_each_database};
use serde_json::{Value, json};

use super::{
    operations::{Operation, kind, least, with_query},
    problem::assert_problem,
    world::{World, answer},
};

on_each_database! {
    async fn a_wrong_member_is_named_and_nothing_is_done(database: Database) {
        let world = World::on(&database).await;
        let before = world.head().await;
        let mut refused = 0;
        for operation in world.operations.iter().filter(|it| it.schema.is_some()) {
            for (pointer, body) in variants(operation.schema.as_ref().unwrap()) {
                let tried = world.root.request(operation.method.clone(), &world.target(operation));
                let tried = answer(tried.json(&body)).await;
                if tried.status.is_success() || may_be_wrong(operation, &pointer, &tried) {
                    continue;
                }
                refused += 1;
                let seen = format!("{} with {pointer}: {tried}", operation.name);
                assert!([400, 413, 422].contains(&tried.status.as_u16()), "{seen}");
                assert_problem(&tried);
                if tried.status == 422 {
                    assert!(names(&tried.body["errors"], &pointer), "{seen}");
                }
                let target = world.earnest_target(operation);
                let done = world.root.request(operation.method.clone(), &target).json(&body);
                let done = answer(done).await;
                let is_too_often = done.status == 429 && proves(operation);
                assert!(done.status == tried.status || is_too_often, "{seen}, then {done}");
            }
        }
        assert!(refused > 500, "only {refused}");
        assert_eq!(world.head().await, before, "something was done");
    }

    async fn a_member_that_nobody_knows_is_named(database: Database) {
        let world = World::on(&database).await;
        let before = world.head().await;
        for operation in world.operations.iter().filter(|it| it.schema.is_some()) {
            let known = &operation.schema.as_ref().unwrap()["properties"];
            for name in UNKNOWN.into_iter().filter(|name| known.get(name).is_none()) {
                let mut body = operation.body().unwrap();
                body[name] = json!(1);
                let target = world.earnest_target(operation);
                let refusal = world.root.request(operation.method.clone(), &target).json(&body);
                let refusal = answer(refusal).await;
                assert_eq!(refusal.status, 400, "{name} in {}: {refusal}", operation.name);
                assert_problem(&refusal);
                let refusal = refusal.problem("unknown_fields");
                assert_eq!(refusal.body["errors"][0]["pointer"], format!("/{name}"), "{refusal}");
            }
        }
        assert_eq!(world.head().await, before, "something was done");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_that_nobody_knows_is_named() {
    let world = World::on(&Database::Sqlite).await;
    for operation in &world.operations {
        for name in ["unknown", "dryrun", "Limit", "%00", "a%5Bb%5D", "__proto__"] {
            let target = world.target(operation);
            let target = with_query(&target, &format!("{name}=1"));
            let request = world.root.request(operation.method.clone(), &target);
            let refusal = answer(operation.with_body(request)).await;
            assert_eq!(refusal.status, 400, "{name} on {}: {refusal}", operation.name);
            assert_problem(&refusal);
            refusal.problem("unknown_fields");
        }
    }
}

/// Whether the body is understood, and is only not right: a check that is strict is answered with
/// the status of its outcome, and a password or token is wrong, or was wrong too often.
fn may_be_wrong(operation: &Operation, pointer: &str, tried: &Answer) -> bool {
    match tried.status.as_u16() {
        401 => pointer == "/strict" || proves(operation),
        429 => proves(operation),
        _ => false,
    }
}

/// Whether the body is itself the proof of who asks.
fn proves(operation: &Operation) -> bool {
    operation.path.starts_with("/api/v1/auth/") || operation.path == "/api/v1/me/password"
}

/// Every value of the schema in which one part is replaced by one that may not stand there, with
/// the pointer to the part. Some of them are allowed after all.
fn variants(schema: &Value) -> Vec<(String, Value)> {
    let mut all: Vec<_> = bad_values().into_iter().map(|bad| (String::new(), bad)).collect();
    for choice in schema["oneOf"].as_array().into_iter().flatten() {
        all.extend(variants(choice));
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        for (pointer, value) in variants(member) {
            let mut whole = least(schema);
            whole[name] = value;
            all.push((format!("/{name}{pointer}"), whole));
        }
    }
    if kind(schema) == "array" {
        let items = variants(&schema["items"]).into_iter();
        all.extend(items.map(|(pointer, value)| (format!("/0{pointer}"), json!([value]))));
    }
    all
}

fn bad_values() -> Vec<Value> {
    let deep = |levels| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!(" a "),
        json!("a\u{0}b"),
        json!("a\r\nb\u{1b}[31m"),
        json!("a\u{2028}b"),
        json!("1999-01-01T00:00:00Z"),
        json!("9999-12-31T23:59:59Z"),
        json!("99999-01-01T00:00:00Z"),
        json!("x".repeat(1024 * 1024)),
        json!([]),
        json!([[]]),
        json!([null]),
        json!([999_999]),
        json!(["a", 1, {}]),
        json!(vec!["a"; 300]),
        json!({}),
        json!({ "a": { "b": {} } }),
        deep(6),
        deep(40),
    ]
}

/// Whether one of the errors is about the part, something in it, or what it is in.
fn names(errors: &Value, pointer: &str) -> bool {
    let told = errors.as_array().into_iter().flatten().map(|error| error["pointer"].as_str());
    told.flatten().any(|told| told.starts_with(pointer) || pointer.starts_with(told))
}

/// Columns, and members that other systems let their callers set.
const UNKNOWN: [&str; 16] = [
    "id",
    "owner",
    "owner_id",
    "user_id",
    "created_by",
    "created_at",
    "updated_at",
    "version",
    "digest",
    "secret",
    "key",
    "key_prefix",
    "is_admin",
    "roles",
    "revoked_at",
    "__proto__",
];
