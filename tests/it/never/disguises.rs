//! A path or method that is written otherwise never gets past the policy of the one it means.

use acceptance::Database;
use serde_json::json;

use super::{
    needs::Need,
    operations::Operation,
    wire::{exchange, request},
    world::World,
};

#[tokio::test(flavor = "multi_thread")]
async fn no_other_way_to_write_a_path_gets_past_its_policy() {
    let world = World::on(&Database::Sqlite).await;
    let powerless = world.key_with_roles(json!([])).await;
    for operation in world.guarded() {
        let (kind, body) = operation.content().unwrap_or(("application/json", String::new()));
        let kind = ("content-type", kind);
        let method = operation.method.as_str();
        for target in disguises(&world.target(operation)) {
            let seen = format!("{method} {target}");
            let bare = exchange(&world.server, request(method, &target, &[kind], &body)).await;
            assert!(REFUSED.contains(&bare.status), "{seen}: {bare}");
            bare.assert_whole();

            let key = [kind, ("x-api-key", powerless.as_str())];
            let reply = exchange(&world.server, request(method, &target, &key, &body)).await;
            assert!(is_harmless(operation, reply.status), "{seen}: {reply}");

            let admin = world.server.admin_key();
            let key = [kind, ("x-api-key", admin.as_str())];
            let reply = exchange(&world.server, request(method, &target, &key, &body)).await;
            assert!(reply.status < 500, "{seen}: {reply}");
            reply.assert_whole();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_method_gets_past_the_policy_of_a_path() {
    let world = World::on(&Database::Sqlite).await;
    let powerless = world.key_with_roles(json!([])).await;
    for operation in world.guarded() {
        let target = world.target(operation);
        let (kind, body) = operation.content().unwrap_or(("application/json", String::new()));
        for method in METHODS {
            let override_headers = [
                ("content-type", kind),
                ("x-http-method-override", operation.method.as_str()),
                ("x-http-method", operation.method.as_str()),
                ("x-original-url", "/healthz"),
                ("x-rewrite-url", "/healthz"),
            ];
            let bare = request(method, &target, &override_headers, &body);
            let bare = exchange(&world.server, bare).await;
            assert!(REFUSED.contains(&bare.status), "{method} {target}: {bare}");

            let key = [("content-type", kind), ("x-api-key", powerless.as_str())];
            let reply = exchange(&world.server, request(method, &target, &key, &body)).await;
            assert!(is_harmless(operation, reply.status), "{method} {target}: {reply}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn head_is_get_without_a_body() {
    let world = World::on(&Database::Sqlite).await;
    let admin = world.server.admin_key();
    let powerless = world.key_with_roles(json!([])).await;
    let gets = world.operations.iter().filter(|operation| operation.method == "GET");
    for operation in gets {
        let target = world.target(operation);
        for key in [Some(&admin), Some(&powerless), None] {
            let headers: Vec<_> = key.map(|key| ("x-api-key", key.as_str())).into_iter().collect();
            let get = exchange(&world.server, request("GET", &target, &headers, "")).await;
            let head = exchange(&world.server, request("HEAD", &target, &headers, "")).await;
            assert_eq!(head.status, get.status, "{target}: {head}");
            assert_eq!(head.body, "", "{target}: {head}");
            for header in ["content-type", "www-authenticate", "etag"] {
                assert_eq!(head.header(header), get.header(header), "{target}: {head}");
            }
        }
    }
}

/// What a caller without a permission may be answered.
fn is_harmless(operation: &Operation, status: u16) -> bool {
    // Some are for everybody.
    REFUSED.contains(&status) || (matches!(Need::of(operation), Need::Nothing) && status == 200)
}

/// Other ways to write a path that some router or proxy takes for the same.
fn disguises(target: &str) -> Vec<String> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let last = path.rsplit('/').next().unwrap();
    let parent = path.strip_suffix(last).unwrap();
    let first = format!("%{:02x}{}", last.as_bytes()[0], &last[1..]);
    let paths = [
        format!("{path}/"),
        format!("{path}//"),
        format!("/{path}"),
        format!("{parent}/{last}"),
        format!("{parent}./{last}"),
        format!("{parent}x/../{last}"),
        format!("{parent}%2e/{last}"),
        format!("{parent}x/%2e%2e/{last}"),
        format!("{parent}%2f{last}"),
        format!("{parent}{first}"),
        format!("{parent}%25{}", &first[1..]),
        format!("{parent}\\{last}"),
        format!("{path}."),
        format!("{path}/."),
        format!("{path}/.."),
        format!("{path};x"),
        format!("{path};x=y/z"),
        format!("{path}%00"),
        format!("{path}%20"),
        format!("{path}%09"),
        format!("{path}%0d%0ax-api-key:%20a"),
        format!("{path}.json"),
        format!("{path}%c0%af"),
        format!("{path}%zz"),
        format!("http://localhost{path}"),
        format!("http://elsewhere.example{path}"),
        path.replacen("/api/", "/healthz/../api/", 1),
        path.replacen("/api/v1/", "/api/v1/healthz/../", 1),
        path.replacen("/api/v1/", "/swagger-ui/../api/v1/", 1),
        path.replacen("/api/v1/", "/API/V1/", 1),
        path.replacen("/api/v1/", "/api/v2/", 1),
        path.replacen("/api/v1/", "/api/v1/v1/", 1),
        path.replacen("/api/v1/", "/v1/", 1),
        path.to_uppercase(),
    ];
    let paths = paths.into_iter().map(|path| format!("{path}?{query}"));
    paths.chain([format!("{path}?{query}#x")]).collect()
}

const REFUSED: [u16; 6] = [400, 401, 403, 404, 405, 501];

const METHODS: [&str; 12] = [
    "HEAD", "OPTIONS", "TRACE", "CONNECT", "get", "Get", "POST", "PUT", "PATCH", "DELETE", "QUERY",
    "PROPFIND",
];
