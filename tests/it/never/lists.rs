//! Pages, cursors and patterns: bounded, honest, and no way into the query.

use std::{collections::BTreeSet, time::Instant};

use acceptance::{Api, Database, on_each_database};
use serde_json::{Value, json};

use super::{
    operations::{Operation, with_query},
    problem::assert_problem,
    wire::DEADLINE,
    world::{World, id},
};

on_each_database! {
    async fn a_page_or_limit_out_of_range_is_422_and_named(database: Database) {
        let world = World::on(&database).await;
        for operation in lists(&world) {
            for name in ["page", "limit"] {
                for (value, status) in RANGE {
                    let status = if name == "page" && value == "101" { 200 } else { status };
                    let answer = list(&world, operation, &format!("{name}={value}")).await;
                    assert_eq!(answer.status, status, "{name}={value}: {answer}");
                    if status != 200 {
                        assert_problem(&answer);
                        assert_eq!(answer.body["errors"][0]["pointer"], name, "{answer}");
                    }
                }
            }
        }
    }

    async fn every_item_is_on_one_page_and_the_total_is_of_what_is_asked(database: Database) {
        let world = World::on(&database).await;
        make(&world.admin, "counted", 45).await;
        for operation in lists(&world) {
            let is_of_keys = operation.path == "/api/v1/api-keys";
            let asked = if is_of_keys { "name=counted*" } else { "" };
            let first = list(&world, operation, asked).await.expect(200);
            let total = first.body["total"].as_u64().unwrap();
            let mut seen = Vec::new();
            for page in 1..=total / 10 + 2 {
                let part = list(&world, operation, &format!("limit=10&page={page}&{asked}")).await;
                let part = part.expect(200);
                assert_eq!(part.body["total"], total, "{part}");
                seen.extend(ids(&part.body));
            }
            assert_eq!(u64::try_from(seen.len()), Ok(total), "{}", operation.name);
            assert_eq!(BTreeSet::from_iter(&seen).len(), seen.len(), "{}", operation.name);
        }
    }

    async fn a_walk_by_cursor_sees_what_stays_once_while_others_come_and_go(database: Database) {
        let world = World::on(&database).await;
        let stay = BTreeSet::from_iter(make(&world.admin, "stays", 60).await);
        for sort in ["created_at", "-created_at", "name", "-name", "expires_at", "-expires_at"] {
            let mut seen = Vec::new();
            let mut cursor = Value::Null;
            loop {
                let passing = make(&world.admin, "passes", 1).await;
                let more = cursor.as_str().map(|it| format!("&cursor={it}")).unwrap_or_default();
                let part = format!("/api/v1/api-keys?limit=7&sort={sort}{more}");
                let part = world.admin.get(&part).await.expect(200);
                seen.extend(ids(&part.body).into_iter().filter(|id| stay.contains(id)));
                world.admin.delete(&format!("/api/v1/api-keys/{}", passing[0])).await.expect(204);
                cursor = part.body["next_cursor"].clone();
                if cursor.is_null() {
                    break;
                }
            }
            assert_eq!(seen.len(), stay.len(), "by {sort}");
            assert_eq!(BTreeSet::from_iter(seen), stay, "by {sort}");
        }
    }

    async fn a_cursor_that_was_not_made_for_this_list_is_400(database: Database) {
        let world = World::on(&database).await;
        make(&world.admin, "paged", 5).await;
        let elsewhere = World::on(&Database::Sqlite).await;
        for operation in lists(&world) {
            let cursor = cursor(&world, operation, "limit=1").await;
            list(&world, operation, &format!("cursor={cursor}")).await.expect(200);
            for forged in forgeries(&cursor) {
                refused(&world, operation, &forged, "").await;
            }
            refused(&elsewhere, operation, &cursor, "").await;
            let sorts = [("action", "sort=seq"), ("username", "sort=username")];
            let sorts = sorts.into_iter().find(|(filter, _)| operation.takes(filter));
            let sort = sorts.map_or("sort=name", |(_, sort)| sort);
            refused(&world, operation, &cursor, sort).await;
            for other in lists(&world).into_iter().filter(|other| other.name != operation.name) {
                refused(&world, other, &cursor, "").await;
            }
        }
    }

    async fn no_pattern_takes_long(database: Database) {
        let world = World::on(&database).await;
        let long = "a".repeat(199);
        make(&world.admin, &long, 1_000).await;
        let patterns = ["*a*a*a*a*b", "a*a*a*a*a*b", "*?*?*?*?*b", "%a%a%a%a%b", "**********b"];
        let questions = "?".repeat(200);
        let percents = "%25".repeat(60);
        for pattern in patterns.into_iter().chain([questions.as_str(), percents.as_str()]) {
            for operation in lists(&world) {
                for filter in ["name", "username"].into_iter().filter(|it| operation.takes(it)) {
                    let began = Instant::now();
                    let answer = list(&world, operation, &format!("{filter}={pattern}")).await;
                    assert!([200, 422].contains(&answer.status.as_u16()), "{pattern}: {answer}");
                    assert!(began.elapsed() < DEADLINE / 10, "{pattern}: {:?}", began.elapsed());
                }
            }
        }
        let many = "*a".repeat(100);
        let refused = world.admin.get(&format!("/api/v1/api-keys?name={many}")).await.expect(422);
        assert_eq!(refused.body["errors"][0]["pointer"], "name", "{refused}");
    }
}

/// The operations that answer a list.
fn lists(world: &World) -> Vec<&Operation> {
    // What is searched while it is listed has no pages.
    let lists: Vec<_> = world.operations.iter().filter(|it| it.takes("page")).collect();
    assert!(lists.len() >= 7, "only {}", lists.len());
    lists
}

async fn list(world: &World, operation: &Operation, query: &str) -> acceptance::Answer {
    world.root.get(&with_query(&world.earnest_target(operation), query)).await
}

async fn cursor(world: &World, operation: &Operation, query: &str) -> String {
    list(world, operation, query).await.expect(200).text_of("next_cursor").to_owned()
}

async fn refused(world: &World, operation: &Operation, cursor: &str, query: &str) {
    let refusal = list(world, operation, &format!("cursor={cursor}&{query}")).await;
    assert_eq!(refusal.status, 400, "{} with {cursor} {query}: {refusal}", operation.name);
    assert_problem(&refusal);
    refusal.problem("invalid_cursor");
}

/// Makes keys of this name, and gives their ids.
async fn make(admin: &Api, name: &str, number: usize) -> Vec<String> {
    let keys: Vec<_> = (0..number).map(|_| json!({ "name": name })).collect();
    let made = admin.post("/api/v1/api-keys/batch", json!({ "api_keys": keys })).await.expect(200);
    ids(&made.body)
}

fn ids(list: &Value) -> Vec<String> {
    list["data"].as_array().unwrap().iter().map(id).collect()
}

/// The cursor with one bit changed at every place, cut, lengthened, and what others make of it.
fn forgeries(cursor: &str) -> Vec<String> {
    let changed = (0..cursor.len()).map(|at| {
        let other = if &cursor[at..=at] == "A" { "B" } else { "A" };
        format!("{}{other}{}", &cursor[..at], &cursor[at + 1..])
    });
    let cut = (0..cursor.len()).step_by(5).map(|end| cursor[..end].to_owned());
    let others = ["1", "eyJpZCI6MX0", "%27%20OR%201=1--", "%00", "%FF", "null", "../../x"];
    let others = others.into_iter().map(str::to_owned);
    let longer =
        [format!("{cursor}A"), format!("A{cursor}"), format!("{cursor}%3D"), cursor.repeat(2)];
    changed.chain(cut).chain(others).chain(longer).filter(|forged| forged != cursor).collect()
}

const RANGE: [(&str, u16); 14] = [
    ("1", 200),
    ("100", 200),
    ("101", 422),
    ("0", 422),
    ("-1", 422),
    ("9223372036854775807", 422),
    ("9223372036854775808", 422),
    ("-9223372036854775808", 422),
    ("1e9", 422),
    ("1.5", 422),
    ("a", 422),
    ("", 422),
    ("%D9%A1", 422),
    ("1%00", 422),
];
