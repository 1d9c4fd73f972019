//! Texts that broke other systems: each is kept to the letter or refused, and none is ever a part
//! of a statement.

use acceptance::{Answer, Database, on_each_database};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    operations::with_query,
    problem::assert_problem,
    world::{World, id},
};

on_each_database! {
    async fn a_naughty_text_is_kept_to_the_letter_or_refused(database: Database) {
        let world = World::on(&database).await;
        for text in NAUGHTY {
            let nested = json!({ *text: [{ "a": text }] });
            for (path, member, value) in [
                ("/api/v1/api-keys", "name", json!(text)),
                ("/api/v1/api-keys", "description", json!(text)),
                ("/api/v1/api-keys", "external_id", json!(text)),
                ("/api/v1/api-keys", "metadata", nested),
                ("/api/v1/me/tokens", "name", json!(text)),
                ("/api/v1/me/tokens", "description", json!(text)),
                ("/api/v1/providers", "name", json!(text)),
                ("/api/v1/roles", "name", json!(text)),
                ("/api/v1/roles", "description", json!(text)),
                ("/api/v1/users", "username", json!(text)),
                ("/api/v1/users", "display_name", json!(text)),
                ("/api/v1/users", "external_id", json!(text)),
                ("/api/v1/users", "email", json!(text)),
                ("/api/v1/users", "metadata", json!({ *text: [{ "a": text }] })),
            ] {
                let mut body = match path {
                    "/api/v1/users" => json!({ "username": "somebody" }),
                    "/api/v1/providers" => json!({ "name": "some keys", "kind": "api_key" }),
                    _ => json!({ "name": format!("role {}", text.len()) }),
                };
                body[member] = value.clone();
                let made = world.root.post(path, body).await;
                if made.status == 201 {
                    let id = id(&made.body);
                    let shown = world.root.get(&format!("{path}/{id}")).await.expect(200);
                    assert_eq!(shown.body[member], value, "{text:?} as {member}");
                    world.root.delete(&format!("{path}/{id}")).await.expect(204);
                } else if made.status == 409 {
                    // The user that every server has.
                    assert!(is_taken(path, text), "{text:?} as {member}: {made}");
                } else {
                    assert_eq!(made.status, 422, "{text:?} as {member}: {made}");
                    assert_problem(&made);
                }
            }
        }
        world.head().await;
    }

    async fn a_naughty_text_in_a_query_finds_nothing_and_breaks_nothing(database: Database) {
        let world = World::on(&database).await;
        let before = (count(&world).await, world.head().await);
        for operation in world.operations.iter().filter(|it| it.method == Method::GET) {
            for name in FILTERS.into_iter().filter(|name| operation.takes(name)) {
                for text in NAUGHTY {
                    let escaped: String = text.bytes().map(|it| format!("%{it:02X}")).collect();
                    let target = world.earnest_target(operation);
                    let target = with_query(&target, &format!("{name}={escaped}"));
                    let answer = world.root.get(&target).await;
                    harmless(&answer, &format!("{name}={text:?} on {}", operation.name));
                    let found = answer.body["data"].as_array().map_or(0, Vec::len);
                    let is_there = name == "username" && is_taken("/api/v1/users", text);
                    let may_match = text.contains(['*', '?']) || text.is_empty() || is_there;
                    assert!(found == 0 || may_match, "{name}={text:?}: {answer}");
                }
            }
        }
        assert_eq!((count(&world).await, world.head().await), before, "something was done");
    }

    async fn a_naughty_text_is_no_permission_and_no_path(database: Database) {
        let world = World::on(&database).await;
        for text in NAUGHTY {
            for body in [
                json!({ "name": "naughty", "permissions": [text] }),
                json!({ "name": "naughty", "endpoints": [{ "methods": [text], "path": "/a" }] }),
                json!({ "name": "naughty", "endpoints": [{ "methods": ["GET"], "path": text }] }),
            ] {
                let made = world.admin.post("/api/v1/roles?dry_run=true", body).await;
                harmless(&made, text);
            }
            for question in [
                json!({ "credential": text }),
                json!({ "credential": "x", "permissions": text }),
                json!({ "credential": "x", "permissions": [text] }),
                json!({ "credential": "x", "ip": text }),
                json!({ "credential": "x", "endpoint": { "method": text, "path": text } }),
            ] {
                let answer = world.admin.post("/api/v1/verify", question).await;
                harmless(&answer, text);
                assert_ne!(answer.body["valid"], true, "{text:?}: {answer}");
            }
        }
    }
}

#[track_caller]
fn harmless(answer: &Answer, seen: &str) {
    assert!([200, 400, 422].contains(&answer.status.as_u16()), "{seen}: {answer}");
    if answer.status != 200 {
        assert_problem(answer);
    }
}

/// Whether every server has one of this name, however wide its letters.
fn is_taken(path: &str, text: &str) -> bool {
    path == "/api/v1/users" && ["admin", "ＡＤＭＩＮ"].contains(&text)
}

async fn count(world: &World) -> Value {
    world.admin.get("/api/v1/api-keys").await.expect(200).body["total"].clone()
}

const FILTERS: [&str; 18] = [
    "actor",
    "by",
    "credential",
    "kind",
    "until",
    "username",
    "name",
    "external_id",
    "provider",
    "expires_before",
    "action",
    "target_kind",
    "target_id",
    "request_id",
    "since",
    "sort",
    "cursor",
    "role_id",
];

/// After the big list of naughty strings, and the lists that injection scanners send.
const NAUGHTY: &[&str] = &[
    "",
    " ",
    "undefined",
    "null",
    "NaN",
    "true",
    "0",
    "-1",
    "1e400",
    "0x0",
    "\\",
    "\\\\",
    "\"",
    "'",
    "''",
    "`",
    "%",
    "%%%",
    "_",
    "%s%s%s%n",
    "%x%p",
    "{0}",
    "{{7*7}}",
    "${7*7}",
    "#{7*7}",
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "' OR '1'='1",
    "' OR 1=1 --",
    "1; DROP TABLE api_keys; --",
    "'; DROP TABLE api_keys; SELECT pg_sleep(10); --",
    "') UNION SELECT * FROM api_keys --",
    "\\'; DELETE FROM events; --",
    "$1",
    "$$;$$",
    "?1",
    ":name",
    "E'\\x27'",
    "1) OR (1=1",
    "name; SELECT 1",
    "id,(select 1)",
    "-id; --",
    "*)(uid=*))(|(uid=*",
    "../../../../etc/passwd",
    "..\\..\\windows",
    "/dev/null",
    "; touch /tmp/x",
    "$(touch /tmp/x)",
    "`id`",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "a\u{0}b",
    "a\nb",
    "a\r\nSet-Cookie: a=b",
    "a\tb",
    "\u{1b}[31mred",
    "\u{7f}",
    "\u{85}",
    "\u{2028}\u{2029}",
    "\u{feff}bom",
    "\u{200b}",
    "\u{202e}desrever",
    "\u{fffe}",
    "\u{ffff}",
    "\u{e000}",
    "Ω≈ç√∫˜µ≤≥÷",
    "田中さんにあげて下さい",
    "الاختبار",
    "Z̮̞̠͙͔ͅḀ̗̞͈̻̗Ḷ͙͎̯̹̞͓G̻O̭̗̮",
    "👩‍👩‍👧‍👦🇺🇸",
    "ﬃ ŉ ǅ",
    "İıſK",
    "e\u{301} é",
    "ＡＤＭＩＮ",
    "ß ẞ",
    "𝕳𝖊𝖑𝖑𝖔",
    "a%00b",
    "%C0%AE",
    "file:///etc/passwd",
    "*",
    "?",
    "**?*",
    "[a-z]*",
    "(a+)+$",
    "keystile.**",
    "a and b or",
    "((((((((((",
    "1..2",
    "CON",
    "admin",
    "constructor",
    "__proto__",
];
