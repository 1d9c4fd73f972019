//! Keys that djangorestframework-api-key made, out of its own table by the program of the
//! documentation.

use std::fs;

use acceptance::{Database, Part, languages, on_each_database, started};
use serde_json::Value;

use super::{BATCH, shown, unseen};

on_each_database! {
    async fn keys_of_djangorestframework_api_key_go_on_working(database: Database) {
        if !Part::Python.or_skip() {
            return;
        }
        let output = languages::python(&program()).output().await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let printed = String::from_utf8(output.stdout).unwrap();
        let mut printed = printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let (batch, secrets) = (printed.next().unwrap(), printed.next().unwrap());
        let secrets: Vec<_> =
            secrets.as_array().unwrap().iter().map(|secret| secret.as_str().unwrap()).collect();
        let (revoked, living) = secrets.split_last().unwrap();

        let (_server, admin) = started(&database).await;
        let made = admin.post(BATCH, batch).await.expect(200);
        assert_eq!((&made.body["created"], &made.body["refused"]), (&5.into(), &0.into()), "{made}");
        assert_eq!(unseen(&admin).await.len(), 5);
        for secret in living {
            assert_eq!(shown(&admin, &secret[..secret.len() - 1]).await, 401);
            assert_eq!(shown(&admin, secret).await, 200, "{secret}");
        }
        assert_eq!(shown(&admin, revoked).await, 401);
        assert_eq!(unseen(&admin).await, [""; 0]);
    }
}

/// Makes keys, exports them as the documentation says, and tells their secrets.
fn program() -> String {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/import.md");
    let page = fs::read_to_string(page).unwrap();
    let export = page.split("```python\n").nth(1).and_then(|rest| rest.split("```").next());
    format!("{}\n{}\nprint(json.dumps(secrets))\n", include_str!("drf_keys.py"), export.unwrap())
}
