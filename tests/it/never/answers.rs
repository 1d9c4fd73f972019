//! What every answer has, whoever asked for whatever.

use acceptance::{Caller, Database};
use reqwest::Method;
use serde_json::json;

use super::{
    problem::{assert_problem, assert_refused},
    wire::ALWAYS,
    world::{World, answer},
};

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_named_never_kept_and_never_guessed_at() {
    let world = World::on(&Database::Sqlite).await;
    let callers = [
        world.admin.clone(),
        world.root.clone(),
        world.anonymous(),
        world.admin.with(Caller::Bearer("nonsense".to_owned())),
        world.admin.with(Caller::Header(world.key_with_roles(json!([])).await)),
    ];
    for api in &callers {
        let operations = world.operations.iter();
        let operations = operations.map(|it| (Some(it), world.request(api, it)));
        let elsewhere = ELSEWHERE
            .into_iter()
            .map(|(method, path)| (None, api.request(method.parse::<Method>().unwrap(), path)));
        for (number, (operation, request)) in operations.chain(elsewhere).enumerate() {
            let name = format!("the-request.{number}:+/=~-A");
            let named = answer(request.try_clone().unwrap().header("x-request-id", &name)).await;
            assert_eq!(named.header("x-request-id"), name, "{named}");
            let unnamed = answer(request).await;
            assert!(unnamed.header("x-request-id").len() >= 16, "{unnamed}");
            for answer in [named, unnamed] {
                let keep = operation.is_some_and(|it| it.may_be_kept && answer.status == 200);
                for (header, value) in ALWAYS {
                    let value = if keep && header == "cache-control" { KEPT } else { value };
                    assert_eq!(answer.header(header), value, "{header} in {answer}");
                }
                for header in ["server", "x-powered-by", "via", "set-cookie"] {
                    assert!(!answer.headers.contains_key(header), "{header} in {answer}");
                }
                match operation {
                    _ if answer.status.as_u16() < 400 => {}
                    Some(operation) => assert_refused(operation, &answer),
                    None => assert_problem(&answer),
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_may_be_kept_that_is_not_for_everybody() {
    let world = World::on(&Database::Sqlite).await;
    let kept: Vec<_> = world.operations.iter().filter(|it| it.may_be_kept).collect();
    assert!(!kept.is_empty());
    for operation in kept {
        assert!(operation.is_public && operation.places().is_empty(), "{}", operation.name);
        let told = answer(world.request(&world.anonymous(), operation)).await.expect(200);
        for api in [&world.admin, &world.root] {
            let same = answer(world.request(api, operation)).await.expect(200);
            assert_eq!(same.text, told.text, "{}", operation.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_that_is_none_is_refused_and_not_echoed() {
    let world = World::on(&Database::Sqlite).await;
    let long = "a".repeat(129);
    for operation in world.guarded() {
        for id in ["", "a b", "<a>", "a,b", "a\"b", "a{b", long.as_str()] {
            let request = world.request(&world.admin, operation).header("x-request-id", id);
            let refusal = answer(request).await;
            assert_eq!(refusal.status, 400, "{id} on {}", operation.name);
            assert_problem(&refusal);
            assert_ne!(refusal.header("x-request-id"), id, "{refusal}");
            assert_eq!(refusal.body["errors"][0]["pointer"], "X-Request-Id", "{refusal}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_path_with_another_method_is_405_with_the_methods_it_knows() {
    let world = World::on(&Database::Sqlite).await;
    for operation in &world.operations {
        let path = world.earnest_target(operation);
        let path = path.split('?').next().unwrap();
        let methods = ["PUT", "OPTIONS", "TRACE", "PROPFIND"].into_iter();
        for method in methods.filter(|method| operation.method != *method) {
            let refusal = world.admin.request(method.parse().unwrap(), path);
            let refusal = answer(refusal).await;
            assert_eq!(refusal.status, 405, "{method} {path}: {refusal}");
            assert_problem(&refusal);
            let allow = refusal.header("allow");
            assert!(allow.split(", ").any(|it| it == operation.method.as_str()), "{refusal}");
        }
    }
}

/// What anybody may know of the server, and a cache may keep.
const KEPT: &str = "public, max-age=300";

const ELSEWHERE: [(&str, &str); 12] = [
    ("GET", "/"),
    ("GET", "/favicon.ico"),
    ("GET", "/robots.txt"),
    ("GET", "/.env"),
    ("GET", "/nowhere"),
    ("POST", "/nowhere"),
    ("GET", "/api"),
    ("GET", "/api/v1"),
    ("GET", "/api/v1/nowhere"),
    ("GET", "/openapi.json"),
    ("GET", "/swagger-ui/"),
    ("GET", "/swagger-ui/nowhere"),
];
