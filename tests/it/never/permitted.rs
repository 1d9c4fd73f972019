//! Who holds a permission may do what it names, wherever the credential stands in the request, and
//! who does not may not.

use acceptance::{Api, Caller, Database, on_each_database};
use serde_json::json;

use super::{
    needs::{Need, permissions},
    operations::Operation,
    problem::assert_problem,
    world::{World, answer},
};

on_each_database! {
    async fn a_key_may_do_what_its_permissions_name_and_nothing_else(database: Database) {
        let world = World::on(&database).await;
        let mut keys = Vec::new();
        for permissions in holdings() {
            keys.push((world.key_with(&permissions).await, permissions));
        }
        keys.push((world.key_with_roles(json!([])).await, vec![]));
        for (role, permissions) in BUILT_IN {
            keys.push((world.key_with_roles(json!([role])).await, permissions.to_vec()));
        }
        for operation in world.guarded() {
            for (key, held) in &keys {
                for caller in [Caller::Header(key.clone()), Caller::Bearer(key.clone())] {
                    check(&world, &world.admin.with(caller), operation, held).await;
                }
            }
        }
    }

    async fn whoever_may_do_everything_is_refused_nothing(database: Database) {
        let world = World::on(&database).await;
        for operation in world.guarded() {
            let allowed = answer(world.request(&world.root, operation)).await;
            assert_eq!(allowed.status, 200, "{}: {allowed}", operation.name);
        }
    }
}

/// Asks with a key that holds these patterns.
async fn check(world: &World, api: &Api, operation: &Operation, held: &[&str]) {
    let name = &operation.name;
    let answer = answer(world.request(api, operation)).await;
    let (code, lacking) = match Need::of(operation) {
        Need::Account => ("account_required", ""),
        Need::Session => ("session_required", ""),
        need @ Need::OneOf(permissions) if !need.is_met_by(held) => {
            ("insufficient_permissions", permissions[0])
        }
        Need::Nothing | Need::OneOf(_) => {
            assert_eq!(answer.status, 200, "{name} with {held:?}: {answer}");
            return;
        }
    };
    assert_eq!(answer.status, 403, "{name} with {held:?}: {answer}");
    assert_problem(&answer);
    assert_eq!(answer.body["code"], code, "{name} with {held:?}: {answer}");
    assert!(answer.text_of("detail").contains(lacking), "{name}: no {lacking} in {answer}");
    let scope = answer.header("www-authenticate").contains(r#"error="insufficient_scope""#);
    assert_eq!(scope, code == "insufficient_permissions", "{name}: {answer}");
}

/// Each permission alone, all but it, and what covers it with wildcards.
fn holdings() -> Vec<Vec<&'static str>> {
    let single = permissions();
    let all_but = |one: &&str| single.iter().copied().filter(|it| it != one).collect();
    let wildcards = [
        "keystile.**",
        "keystile.*.*",
        "keystile.*.write",
        "keystile.api_keys.*",
        "keystile.roles.*",
        "keystile.*",
        "*.read",
        "invoices.**",
    ];
    single
        .iter()
        .map(|one| vec![*one])
        .chain(single.iter().map(all_but))
        .chain(wildcards.map(|pattern| vec![pattern]))
        .collect()
}

const BUILT_IN: [(u8, &[&str]); 4] = [
    (1, &["**"]),
    (
        2,
        &[
            "keystile.api_keys.*",
            "keystile.service_accounts.tokens",
            "keystile.tokens.read",
            "keystile.users.read",
            "keystile.roles.read",
            "keystile.roles.assign",
            "keystile.providers.read",
            "keystile.keys.verify",
        ],
    ),
    (3, &["keystile.*.read"]),
    (4, &["keystile.keys.verify"]),
];
