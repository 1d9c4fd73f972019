//! The OpenAPI document: what is checked in is what the binary prints, and it leaves nothing unsaid.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    process::Command,
    sync::LazyLock,
};

use acceptance::{Database, Options, Server, keystile};
use serde_json::{Value, json};

use crate::tree::{each_source, root};

#[test]
fn the_document_that_is_checked_in_is_the_one_that_the_binary_prints() {
    let file = root().join("openapi/keystile.json");
    if env::var_os("UPDATE_OPENAPI").is_some() {
        fs::write(&file, PRINTED.as_str()).unwrap();
    }
    let checked_in = fs::read_to_string(file).unwrap();
    assert!(checked_in == *PRINTED, "it is out of date: cargo xtask openapi writes it anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_that_is_served_is_the_one_that_the_binary_prints() {
    let server = Server::start(&Options::on(&Database::Sqlite)).await;

    let served = server.admin().get("/openapi.json").await.expect(200);

    assert!(served.body == *DOCUMENT, "another document is served");
}

#[test]
fn no_two_operations_share_an_id() {
    let mut seen = BTreeSet::new();
    for (name, operation) in operations() {
        let id = text(&operation["operationId"]).unwrap_or_else(|| panic!("{name} has no id"));
        assert!(seen.insert(id), "{name} is not the first {id}");
    }
}

#[test]
fn every_operation_says_what_it_does_under_one_known_tag() {
    let tags: Vec<_> = list(&DOCUMENT["tags"]).iter().map(|tag| &tag["name"]).collect();
    for (name, operation) in operations() {
        assert!(text(&operation["summary"]).is_some(), "{name} has no summary");
        assert!(text(&operation["description"]).is_some(), "{name} has no description");
        let of = list(&operation["tags"]);
        assert!(of.len() == 1 && tags.contains(&&of[0]), "{name} has the tags {of:?}");
    }
}

#[test]
fn every_operation_of_the_api_takes_a_key_in_the_header_or_as_a_bearer() {
    let schemes: Vec<_> = members(&DOCUMENT["components"]["securitySchemes"]).collect();
    let either: Vec<_> = schemes.iter().map(|(scheme, _)| json!({ *scheme: [] })).collect();
    let client = json!({ "client": [] });
    let of_the_api: Vec<_> = either.iter().filter(|scheme| **scheme != client).collect();
    assert_eq!((either.len(), of_the_api.len()), (3, 2));
    for (name, operation) in operations() {
        let expected = match is_public(&name) {
            true => json!([]),
            // Clients of OAuth may show their id and secret as RFC 6749 has it.
            false if is_oauth(&name) => json!(either),
            false => json!(of_the_api),
        };
        assert_eq!(operation["security"], expected, "{name}");
    }
}

#[test]
fn every_success_has_a_body_with_an_example_or_is_a_204() {
    for (name, operation) in operations() {
        let answers = members(&operation["responses"]);
        let successes: Vec<_> = answers.filter(|(status, _)| status.starts_with('2')).collect();
        assert!(!successes.is_empty(), "{name} never succeeds");
        for (status, answer) in successes {
            assert!(text(&answer["description"]).is_some(), "{name}: {status} says nothing");
            // RFC 7009, section 2.2: 200, and nothing that a client would read. Nor would a gateway.
            if name == "post /oauth2/revoke" || name.contains("/forward-auth/") {
                continue;
            }
            if name == METRICS {
                assert!(!answer["content"]["text/plain"]["example"].is_null(), "{name}");
                continue;
            }
            let content = &answer["content"]["application/json"];
            assert_eq!(content.is_null(), status == "204", "{name}: {status}");
            if status != "204" {
                assert!(!content["schema"].is_null(), "{name}: {status} has no schema");
                assert!(content["example"].is_object(), "{name}: {status} has no example");
            }
        }
    }
}

#[test]
fn every_refusal_is_a_problem_document_with_an_example() {
    for (name, operation) in operations() {
        let answers: BTreeMap<_, _> = members(&operation["responses"]).collect();
        let of_all = ["400", "414", "431", "500", "503"];
        let of_the_api = if is_public(&name) { &[][..] } else { &["401", "403"] };
        for status in of_all.iter().chain(of_the_api) {
            assert!(answers.contains_key(status), "{name} never answers {status}");
        }
        for (status, answer) in answers.iter().filter(|(status, _)| !status.starts_with('2')) {
            let content = members(&target(answer)["content"]).collect::<Vec<_>>();
            if is_oauth(&name) && matches!(content[..], [("application/json", _)]) {
                continue;
            }
            let [("application/problem+json", problem)] = content[..] else {
                panic!("{name}: {status} is not a problem")
            };
            assert_eq!(problem["schema"], json!({ "$ref": "#/components/schemas/Problem" }));
            for (code, example) in members(&problem["examples"]) {
                assert_eq!(example["value"]["code"], code, "{name}: {status}");
                assert_eq!(example["value"]["status"].to_string(), **status, "{name}");
            }
            assert!(members(&problem["examples"]).count() > 0, "{name}: {status}");
        }
    }
}

#[test]
fn every_parameter_is_described() {
    for (name, operation) in operations() {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(text(&parameter["description"]).is_some(), "{name}: {parameter}");
            assert!(!parameter["schema"].is_null(), "{name}: {parameter}");
        }
    }
}

#[test]
fn every_request_body_has_an_example() {
    for (name, operation) in operations() {
        for (kind, content) in members(&operation["requestBody"]["content"]) {
            let schema = &content["schema"];
            let choices = schema["oneOf"].as_array().map_or(&[][..], Vec::as_slice);
            let mut schemas = choices.iter().chain([schema]);
            let has_example = schemas.any(|schema| !target(schema)["example"].is_null());
            assert!(has_example, "{name}: {kind} has no example");
        }
    }
}

#[test]
fn every_change_that_can_wait_says_what_it_is_answered_then() {
    let waits = |operation: &Value| {
        let parameters = operation["parameters"].as_array();
        parameters.into_iter().flatten().any(|parameter| parameter["name"] == "wait")
    };
    let mut waiting = 0;
    for (name, operation) in operations().filter(|(_, operation)| waits(operation)) {
        let answers = members(&operation["responses"]);
        for (status, answer) in answers.filter(|(status, _)| matches!(*status, "200" | "201")) {
            let schema = &answer["content"]["application/json"]["schema"];
            let choices = schema["anyOf"].as_array().map_or(std::slice::from_ref(schema), |of| of);
            for choice in choices {
                let revocation = member_of(choice, "revocation");
                assert_eq!(revocation["$ref"], REVOCATION, "{name}: {status}: {choice}");
            }
            // A change without an answer has one then, of nothing but that.
            let has_none = !operation["responses"]["204"].is_null();
            let in_force = json!({ "$ref": "#/components/schemas/InForce" });
            assert_eq!(choices.contains(&in_force), has_none, "{name}");
            waiting += 1;
        }
    }
    assert!(waiting > 30, "{waiting}");
}

#[test]
fn every_reference_leads_somewhere_and_everything_is_referred_to() {
    let mut referred = BTreeSet::new();
    references(&DOCUMENT, &mut referred);
    for kind in ["schemas", "responses"] {
        for (name, _) in members(&DOCUMENT["components"][kind]) {
            let reference = format!("#/components/{kind}/{name}");
            assert!(referred.remove(&reference), "nothing refers to {reference}");
        }
    }
    assert!(referred.is_empty(), "they lead nowhere: {referred:?}");
}

#[test]
fn no_two_types_of_the_document_share_a_name() {
    // Of two with one name, the document would have the last, without a word.
    let mut seen = BTreeSet::new();
    each_source(&["rs"], |file, source| {
        for after in source.split("derive(utoipa::ToSchema)").skip(1) {
            let declared = after.lines().find_map(|line| {
                ["pub struct ", "pub enum "].iter().find_map(|word| line.strip_prefix(word))
            });
            let Some(declared) = declared else { continue };
            let name = declared.split(|c: char| !c.is_alphanumeric()).next().unwrap();
            assert!(seen.insert(name.to_owned()), "{name} in {} is not alone", file.display());
        }
    });
    for (name, _) in members(&DOCUMENT["components"]["schemas"]) {
        let generic = name.split('_').next().unwrap();
        assert!(seen.contains(generic), "where is {name} declared?");
    }
}

/// Each operation, named by method and path.
fn operations() -> impl Iterator<Item = (String, &'static Value)> {
    members(&DOCUMENT["paths"]).flat_map(|(path, item)| {
        members(item).map(move |(method, operation)| (format!("{method} {path}"), operation))
    })
}

/// Whether nobody needs to show who they are.
fn is_public(operation: &str) -> bool {
    let needs_a_credential =
        operation.contains(" /api/") || is_oauth(operation) || operation == METRICS;
    !needs_a_credential || PUBLIC.contains(&operation)
}

fn is_oauth(operation: &str) -> bool {
    operation.contains(" /oauth2/")
}

fn members(object: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let members = object.as_object().into_iter().flatten();
    members.map(|(name, member)| (name.as_str(), member))
}

fn list(array: &Value) -> &[Value] {
    array.as_array().unwrap()
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

/// What a reference leads to; anything else is itself.
fn target(part: &'static Value) -> &'static Value {
    match part["$ref"].as_str() {
        Some(reference) => DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap(),
        None => part,
    }
}

/// A member of what a schema describes, whatever it is composed of.
fn member_of(schema: &'static Value, name: &str) -> &'static Value {
    let schema = target(schema);
    let parts = schema["allOf"].as_array().into_iter().flatten();
    let of_parts = parts.map(|part| member_of(part, name)).find(|member| !member.is_null());
    of_parts.unwrap_or(&schema["properties"][name])
}

fn references(part: &Value, found: &mut BTreeSet<String>) {
    found.extend(part["$ref"].as_str().map(str::to_owned));
    let items = part.as_array().into_iter().flatten();
    items.chain(members(part).map(|(_, member)| member)).for_each(|part| references(part, found));
}

/// Read by what reads the formats of Prometheus, which is no JSON.
const METRICS: &str = "get /metrics";

const REVOCATION: &str = "#/components/schemas/Revocation";

/// How one begins to be somebody.
const PUBLIC: [&str; 5] = [
    "get /api/v1/auth/providers",
    "post /api/v1/auth/login",
    "post /api/v1/auth/logout",
    "post /api/v1/auth/refresh",
    "post /oauth2/token",
];

/// What `keystile openapi` prints.
static PRINTED: LazyLock<String> = LazyLock::new(|| {
    let output = Command::new(keystile()).arg("openapi").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
});

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(&PRINTED).unwrap());
