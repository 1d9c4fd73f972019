//! Who holds a permission may do what it names, wherever the credential stands in the request, and
//! who does not may not.

use acceptance::{Api, Caller, Database, on_each_database};
use serde_json::json;

use super::{
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
            let needed = needed(operation);
            for (key, held) in &keys {
                let may = needed.is_none_or(|needed| held.iter().any(|it| covers(it, needed)));
                for caller in [Caller::Header(key.clone()), Caller::Bearer(key.clone())] {
                    let api = world.admin.with(caller);
                    check(&world, &api, operation, held, needed.filter(|_| !may)).await;
                }
            }
        }
    }
}

/// Asks, and expects to be refused if a permission is `lacking`.
async fn check(
    world: &World,
    api: &Api,
    operation: &Operation,
    held: &[&str],
    lacking: Option<&str>,
) {
    let name = &operation.name;
    let answer = answer(world.request(api, operation)).await;
    let Some(lacking) = lacking else {
        assert_eq!(answer.status, 200, "{name} with {held:?}: {answer}");
        return;
    };
    assert_eq!(answer.status, 403, "{name} with {held:?}: {answer}");
    assert_problem(&answer);
    assert_eq!(answer.body["code"], "insufficient_permissions", "{name} with {held:?}: {answer}");
    assert!(answer.text_of("detail").contains(lacking), "{name}: no {lacking} in {answer}");
    let challenge = answer.header("www-authenticate");
    assert!(challenge.contains(r#"error="insufficient_scope""#), "{name}: {answer}");
}

/// What an operation needs: nothing beside a credential if `None`.
fn needed(operation: &Operation) -> Option<&'static str> {
    let known = NEEDS.iter().find(|(name, _)| *name == operation.name);
    known.unwrap_or_else(|| panic!("nobody has said what {} needs", operation.name)).1
}

/// Each permission alone, all but it, and what covers it with wildcards.
fn holdings() -> Vec<Vec<&'static str>> {
    let mut single: Vec<&str> = NEEDS.iter().filter_map(|(_, needed)| *needed).collect();
    single.sort_unstable();
    single.dedup();
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

/// Whether a held pattern covers a permission: `*` is one segment, `**` one or more at the end.
fn covers(pattern: &str, permission: &str) -> bool {
    let (mut held, mut asked) = (pattern.split('.'), permission.split('.'));
    loop {
        match (held.next(), asked.next()) {
            (None, None) => return true,
            (Some("**"), Some(_)) => return true,
            (Some("*"), Some(_)) => {}
            (Some(held), Some(asked)) if held == asked => {}
            _ => return false,
        }
    }
}

/// The policy of every operation that is not public, once more and by hand.
const NEEDS: [(&str, Option<&str>); 21] = [
    ("GET /api/v1/me", None),
    ("GET /api/v1/api-keys", Some("keystile.api_keys.read")),
    ("POST /api/v1/api-keys", Some("keystile.api_keys.write")),
    ("DELETE /api/v1/api-keys", Some("keystile.api_keys.write")),
    ("POST /api/v1/api-keys/batch", Some("keystile.api_keys.write")),
    ("GET /api/v1/api-keys/{id}", Some("keystile.api_keys.read")),
    ("PATCH /api/v1/api-keys/{id}", Some("keystile.api_keys.write")),
    ("DELETE /api/v1/api-keys/{id}", Some("keystile.api_keys.write")),
    ("POST /api/v1/api-keys/{id}/rotate", Some("keystile.api_keys.write")),
    ("GET /api/v1/api-keys/{id}/rotation", Some("keystile.api_keys.read")),
    ("POST /api/v1/api-keys/{id}/rotation/finish", Some("keystile.api_keys.write")),
    ("POST /api/v1/api-keys/{id}/rotation/extend", Some("keystile.api_keys.write")),
    ("GET /api/v1/roles", Some("keystile.roles.read")),
    ("POST /api/v1/roles", Some("keystile.roles.write")),
    ("GET /api/v1/roles/{id}", Some("keystile.roles.read")),
    ("PATCH /api/v1/roles/{id}", Some("keystile.roles.write")),
    ("DELETE /api/v1/roles/{id}", Some("keystile.roles.write")),
    ("GET /api/v1/audit-events", Some("keystile.audit.read")),
    ("GET /api/v1/audit-events/verify", Some("keystile.audit.read")),
    ("POST /api/v1/verify", Some("keystile.keys.verify")),
    ("POST /api/v1/verify/batch", Some("keystile.keys.verify")),
];

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
