//! A repeated request gets the answer to the first one for a day.

use acceptance::{Database, on_each_database};
use actix_web::http::Method;
use serde_json::json;

use crate::{client::Answer, stage::Stage};

on_each_database! {
    async fn for_a_day_a_repeated_request_gets_the_same_answer(database: Database) {
        let stage = Stage::new(database).await;
        let first = create(&stage, "k").await.expect(201);

        stage.set_clock(DAY - 1);
        let repeated = create(&stage, "k").await.expect(201);

        assert_eq!(repeated.body, first.body);
        assert_eq!(repeated.headers.get("Idempotency-Replayed").unwrap(), "true");
    }

    async fn after_a_day_the_same_request_is_a_new_one(database: Database) {
        let stage = Stage::new(database).await;
        let first = create(&stage, "k").await.expect(201);

        stage.set_clock(DAY);
        let second = create(&stage, "k").await.expect(201);

        assert_ne!(second.text("id"), first.text("id"));
        assert!(!second.headers.contains_key("Idempotency-Replayed"));
    }

    async fn for_a_day_the_same_name_for_another_request_is_refused(database: Database) {
        let stage = Stage::new(database).await;
        create(&stage, "one").await.expect(201);

        stage.set_clock(DAY - 1);
        let refused = create(&stage, "two").await.expect(422);
        assert_eq!(refused.text("code"), "idempotency_key_reused");

        stage.set_clock(DAY);
        create(&stage, "two").await.expect(201);
    }
}

async fn create(stage: &Stage, name: &str) -> Answer {
    let admin = stage.admin();
    let request = admin.request(Method::POST, "/api/v1/api-keys");
    let request = request.insert_header(("Idempotency-Key", "once"));
    admin.send(request.set_json(json!({"name": name}))).await
}

const DAY: i64 = 24 * 60 * 60 * 1_000;
