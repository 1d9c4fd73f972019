//! Tickets: when they end, and what they count for.

use std::collections::BTreeSet;

use acceptance::{Database, on_each_database};
use actix_web::test::TestRequest;
use keystile_domain::QueryName;
use serde_json::json;

use crate::{
    client::Answer,
    stage::{Stage, text_at},
};

on_each_database! {
    async fn a_ticket_works_until_the_last_millisecond_before_its_end(database: Database) {
        let stage = Stage::new(database).await;
        for (new, end) in [
            (json!({"method": "GET", "path": ME}), 60_000),
            (json!({"method": "GET", "path": ME, "expires_in_seconds": 300}), 300_000),
        ] {
            stage.set_clock(0);
            let made = stage.admin().post(TICKETS, new.clone()).await.expect(201);
            assert_eq!(made.text("expires_at"), text_at(end));
            stage.set_clock(end - 1);
            open(&stage, made.text("url")).await.expect(200);

            stage.set_clock(0);
            let made = stage.admin().post(TICKETS, new).await.expect(201);
            stage.set_clock(end);
            open(&stage, made.text("url")).await.expect(401);
        }
    }

    async fn a_ticket_ends_with_its_credential(database: Database) {
        let stage = Stage::new(database).await;
        let (_, key) = stage.admin().new_key(json!({"name": "k", "expires_at": text_at(500)})).await;
        let new = json!({"method": "GET", "path": ME});
        let made = stage.client(&key).post(TICKETS, new).await.expect(201);
        assert_eq!(made.text("expires_at"), text_at(500));
        stage.set_clock(500);
        open(&stage, made.text("url")).await.expect(401);
    }

    async fn tickets_that_have_ended_are_cleared_away(database: Database) {
        let stage = Stage::new(database).await;
        let new = json!({"method": "GET", "path": ME});
        let short = stage.admin().post(TICKETS, new).await.expect(201);
        let new = json!({"method": "GET", "path": ME, "expires_in_seconds": 61});
        let long = stage.admin().post(TICKETS, new).await.expect(201);
        stage.set_clock(60_000);
        stage.state.keystile.tend().await.unwrap();
        stage.set_clock(0);
        open(&stage, short.text("url")).await.expect(401);
        open(&stage, long.text("url")).await.expect(200);
    }

    async fn a_ticket_counts_as_its_credential(database: Database) {
        let stage = Stage::new(database).await;
        let limits = json!([{"limit": 3, "window_seconds": 60}]);
        let new = json!({"name": "k", "rate_limits": limits});
        let (path, key) = stage.admin().new_key(new).await;
        let mut urls = Vec::new();
        for _ in 0..2 {
            let new = json!({"method": "GET", "path": ME});
            let made = stage.client(&key).post(TICKETS, new).await.expect(201);
            urls.push(made.text("url").to_owned());
        }
        open(&stage, &urls[0]).await.expect(200);
        open(&stage, &urls[1]).await.expect(429);
        open(&stage, &urls[0]).await.expect(401);

        stage.flush_usage().await;
        let usage = stage.admin().get(&format!("{path}/usage")).await.expect(200);
        let day = &usage.body["data"][0];
        assert_eq!((&day["allowed"], &day["refused"]), (&json!(3), &json!({"rate_limited": 1})));
    }
}

#[test]
fn no_provider_takes_a_parameter_of_our_own_for_a_credential() {
    let document = serde_json::to_value(keystile_http::document()).unwrap();
    let operations = document["paths"].as_object().unwrap().values();
    let operations = operations.flat_map(|path| path.as_object().unwrap().values());
    let parameters = operations.filter_map(|operation| operation["parameters"].as_array());
    let names: BTreeSet<_> = parameters
        .flatten()
        .filter(|parameter| parameter["in"] == "query")
        .map(|parameter| parameter["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, QueryName::TAKEN.iter().copied().collect());
}

/// The URL, opened by somebody who has nothing else.
async fn open(stage: &Stage, url: &str) -> Answer {
    stage.answer(TestRequest::get().uri(url)).await
}

const TICKETS: &str = "/api/v1/tickets";
const ME: &str = "/api/v1/me";
