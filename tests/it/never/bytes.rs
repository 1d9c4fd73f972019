//! Bodies that are no JSON, or no body of the announced kind.

use acceptance::Database;
use reqwest::RequestBuilder;

use super::{
    operations::Operation,
    problem::{assert_oauth_shape, assert_problem},
    world::{World, answer},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_no_json_is_refused_and_nothing_is_done() {
    let world = World::on(&Database::Sqlite).await;
    let before = world.head().await;
    for operation in with_bodies(&world) {
        for bytes in broken(&operation.body().unwrap().to_string()) {
            let request = plain(&world, operation).header("content-type", "application/json");
            let refusal = answer(request.body(bytes.clone())).await;
            let seen = format!("{} with {}", operation.name, String::from_utf8_lossy(&bytes));
            assert!([400, 422].contains(&refusal.status.as_u16()), "{seen}: {refusal}");
            assert_problem(&refusal);
        }
    }
    assert_eq!(world.head().await, before, "something was done");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_body_is_refused_where_one_is_needed() {
    let world = World::on(&Database::Sqlite).await;
    for operation in with_bodies(&world) {
        // The one body that may be left out.
        if operation.name.ends_with("/rotate") {
            continue;
        }
        for content_type in [Some("application/json"), None] {
            let request = plain(&world, operation);
            let request = content_type
                .iter()
                .fold(request, |request, value| request.header("content-type", *value));
            let refusal = answer(request).await;
            assert!([400, 415].contains(&refusal.status.as_u16()), "{}: {refusal}", operation.name);
            assert_problem(&refusal);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_content_type_is_415() {
    let world = World::on(&Database::Sqlite).await;
    let before = world.head().await;
    for operation in &world.operations {
        let Some((own, body)) = operation.content() else { continue };
        for content_type in CONTENT_TYPES.into_iter().filter(|it| *it != own) {
            let request = plain(&world, operation).header("content-type", content_type);
            let refusal = answer(request.body(body.clone())).await;
            assert_eq!(refusal.status, 415, "{content_type} on {}", operation.name);
            assert_problem(&refusal);
        }
        let bare = plain(&world, operation).body(body);
        assert_problem(&answer(bare).await.expect(415));
    }
    assert_eq!(world.head().await, before, "something was done");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_says_something_twice_or_not_at_all_is_refused() {
    let world = World::on(&Database::Sqlite).await;
    let before = world.head().await;
    let mut forms = 0;
    for operation in world.operations.iter().filter(|operation| operation.form.is_some()) {
        let (kind, whole) = operation.content().unwrap();
        for body in
            ["", "x=y", &format!("{whole}&{whole}"), &whole.replace('=', "%3D"), "%00", "=&="]
        {
            let request = plain(&world, operation).header("content-type", kind);
            let refusal = answer(request.body((*body).to_owned())).await;
            assert_eq!(refusal.status, 400, "{body} on {}: {refusal}", operation.name);
            assert_oauth_shape(&refusal.body, &refusal.to_string());
            assert_eq!(refusal.body["error"], "invalid_request", "{body}: {refusal}");
        }
        forms += 1;
    }
    assert!(forms >= 3, "only {forms}");
    assert_eq!(world.head().await, before, "something was done");
}

fn with_bodies(world: &World) -> impl Iterator<Item = &Operation> {
    world.operations.iter().filter(|operation| operation.schema.is_some())
}

/// The operation in earnest, without a body.
fn plain(world: &World, operation: &Operation) -> RequestBuilder {
    world.root.request(operation.method.clone(), &world.earnest_target(operation))
}

/// What some parser takes for the valid body, and what none does.
fn broken(valid: &str) -> Vec<Vec<u8>> {
    let inner = valid.strip_prefix('{').unwrap().strip_suffix('}').unwrap();
    let name = inner.split(':').next().unwrap();
    let deep =
        |open: &str, close: &str, levels| [open.repeat(levels), close.repeat(levels)].concat();
    let texts = [
        " ".to_owned(),
        "{".to_owned(),
        "}".to_owned(),
        "nul".to_owned(),
        "undefined".to_owned(),
        "NaN".to_owned(),
        "'a'".to_owned(),
        "a=b&c=d".to_owned(),
        "<?xml version=\"1.0\"?><a/>".to_owned(),
        valid[..valid.len() - 1].to_owned(),
        format!("{valid}}}"),
        format!("{valid} x"),
        format!("{valid}{valid}"),
        format!("{valid}\0"),
        format!("{{{inner},}}"),
        format!("{{{inner},{inner}}}"),
        format!("{{{inner} /* comment */}}"),
        format!("// comment\n{valid}"),
        format!("\u{feff}{valid}"),
        format!("{{{name}: 1e999}}"),
        format!("{{{name}: 01}}"),
        format!("{{{name}: 0x1}}"),
        format!("{{{name}: +1}}"),
        format!("{{{name}: -Infinity}}"),
        format!("{{{name}: \"\t\"}}"),
        format!("{{{name}: \"\\ud800\"}}"),
        format!("{{{name}: \"\\x41\"}}"),
        format!("{{{name}: 1{}}}", "0".repeat(400)),
        deep("[", "]", 40),
        deep("{\"a\":", "}", 40),
        "[".repeat(30_000),
        format!("{{{name}: {}}}", deep("[", "]", 10_000)),
    ];
    let encoded = valid.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let bytes: [Vec<u8>; 4] = [
        vec![0xff, 0xfe],
        vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0],
        [b"{\"\xc3\x28\": 1}".as_slice(), b""].concat(),
        encoded,
    ];
    texts.into_iter().map(String::into_bytes).chain(bytes).collect()
}

const CONTENT_TYPES: [&str; 10] = [
    "application/json",
    "text/plain",
    "text/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/octet-stream",
    "application/jsonx",
    "application/xml",
    "application",
    "text/plain; application/json",
];
