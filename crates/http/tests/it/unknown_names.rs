//! What an answer says of names that nobody knows: the names, unless they may be secrets.

use acceptance::{Database, on_each_database};
use actix_web::http::Method;
use serde_json::json;

use crate::stage::Stage;

on_each_database! {
    async fn an_unknown_name_is_told_unless_it_looks_like_a_key(database: Database) {
        let stage = Stage::new(database).await;
        let (path, key) = stage.admin().new_key(json!({"name": "k"})).await;
        let mut body = json!({"colour": 1});
        body[&key] = json!(1);
        let patch = stage.admin().request(Method::PATCH, &path).set_json(body);
        let query = stage.admin().request(Method::GET, &format!("/api/v1/me?colour&x-{key}=1"));
        for (request, begin) in [(patch, "/"), (query, "")] {
            let answer = stage.answer(request).await.expect(400);
            assert_eq!(answer.text("code"), "unknown_fields");
            assert!(!answer.to_string().contains(&key), "{answer}");
            let known = format!("{begin}colour");
            assert!(answer.text("detail").contains(&known), "{answer}");
            let errors = answer.body["errors"].as_array().unwrap();
            let pointers: Vec<_> = errors.iter().map(|error| &error["pointer"]).collect();
            assert_eq!(pointers.len(), 2, "{answer}");
            assert!(pointers.contains(&&json!(known)), "{answer}");
            assert!(errors.iter().any(|it| it["pointer"].as_str().unwrap().ends_with("[redacted]")));
        }
    }
}
