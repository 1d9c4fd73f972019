//! The filters of lists that ask for the time.

use acceptance::{Database, on_each_database};
use serde_json::json;

use crate::stage::{Stage, text_at};

on_each_database! {
    async fn a_key_moves_from_the_living_to_the_expired_at_its_end(database: Database) {
        let stage = Stage::new(database).await;
        stage.admin().new_key(json!({"name": "ends", "expires_at": text_at(500)})).await;
        stage.admin().new_key(json!({"name": "stays"})).await;
        let living = ["ends", "First administrator", "stays"];

        stage.set_clock(499);
        assert_eq!(names(&stage, "expired=false").await, living);
        assert_eq!(names(&stage, "expired=true").await, [""; 0]);

        stage.set_clock(500);
        assert_eq!(names(&stage, "expired=false").await, ["First administrator", "stays"]);
        assert_eq!(names(&stage, "expired=true").await, ["ends"]);
    }

    async fn expires_before_leaves_out_what_ends_at_that_moment_or_never(database: Database) {
        let stage = Stage::new(database).await;
        for end in [499, 500, 501] {
            let name = format!("ends at {end}");
            stage.admin().new_key(json!({"name": name, "expires_at": text_at(end)})).await;
        }
        let filter = format!("expires_before={}", text_at(500));

        assert_eq!(names(&stage, &filter).await, ["ends at 499"]);

        stage.set_clock(1_000);
        assert_eq!(names(&stage, &filter).await, ["ends at 499"], "even after its end");
    }
}

async fn names(stage: &Stage, filter: &str) -> Vec<String> {
    let list = stage.admin().get(&format!("/api/v1/api-keys?sort=name&{filter}")).await.expect(200);
    let keys = list.body["data"].as_array().unwrap();
    keys.iter().map(|key| key["name"].as_str().unwrap().to_owned()).collect()
}
