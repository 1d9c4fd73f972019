//! What a browser may do with what the server answers.

use acceptance::{Database, on_each_database};

use crate::stage::Stage;

on_each_database! {
    async fn only_swagger_ui_may_run_scripts_and_only_our_own(database: Database) {
        let stage = Stage::new(database).await;
        for (path, allows) in [
            ("/swagger-ui/", Some("script-src 'self';")),
            ("/swagger-ui/swagger-initializer.js", Some("script-src 'self';")),
            ("/openapi.json", None),
            ("/healthz", None),
            ("/api/v1/me", None),
            ("/nothing", None),
        ] {
            let answer = stage.admin().get(path).await;
            let policy = answer.headers.get("Content-Security-Policy").unwrap().to_str().unwrap();
            assert!(policy.starts_with("default-src 'none';"), "{path}: {policy}");
            assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
            let scripts = policy.split_inclusive(';').find(|rule| rule.contains("script-src"));
            assert_eq!(scripts.map(str::trim), allows, "{path}: {policy}");
        }
    }
}
