//! One's own password: replaced by whoever knows it and has a session, and by nobody else.

use acceptance::{Api, Caller, Database, on_each_database};
use serde_json::{Value, json};

use super::{OWN_PASSWORD, PASSWORD, Session, VERIFIER, count, login, person, started};

on_each_database! {
    async fn a_new_password_ends_the_other_sessions_and_offers_to_end_the_tokens(database: Database) {
        let (_server, admin) = started(&database).await;
        let session = Session::of_ann(&admin).await;
        let other = Session::of_ann(&admin).await;
        let (id, token) = token(&session.api, "laptop").await;

        let changed = session.api.put(OWN_PASSWORD, change(PASSWORD, NEW)).await.expect(200);

        let left = json!([{ "id": id, "name": "laptop" }]);
        let expected = json!({ "sessions_ended": 1, "tokens_revoked": 0, "tokens_left": left });
        assert_eq!(changed.body, expected);
        session.works().await;
        session.refreshed().await.works().await;
        other.is_over().await;
        admin.with(Caller::Bearer(token)).get("/api/v1/me").await.expect(200);
        login(&admin, "ann", PASSWORD).await.expect(401);
        login(&admin, "ann", NEW).await.expect(200);
        assert_eq!(count(&admin, "password.changed").await, 1);
    }

    async fn tokens_end_with_the_password_if_that_is_wanted(database: Database) {
        let (_server, admin) = started(&database).await;
        let session = Session::of_ann(&admin).await;
        let (_, token) = token(&session.api, "laptop").await;
        let mut change = change(PASSWORD, NEW);
        change["revoke_tokens"] = json!(true);

        let changed = session.api.put(OWN_PASSWORD, change).await.expect(200);

        let expected = json!({ "sessions_ended": 0, "tokens_revoked": 1, "tokens_left": [] });
        assert_eq!(changed.body, expected);
        admin.with(Caller::Bearer(token)).get("/api/v1/me").await.expect(401);
        assert_eq!(count(&admin, "token.deleted").await, 1);
    }

    async fn only_the_present_password_replaces_itself(database: Database) {
        let (_server, admin) = started(&database).await;
        let session = Session::of_ann(&admin).await;
        for wrong in ["wrong horse battery staple", "", "a\u{0}b", NEW] {
            let refused = session.api.put(OWN_PASSWORD, change(wrong, NEW)).await.expect(422);
            let refused = refused.problem("invalid_request");
            assert_eq!(refused.body["errors"][0]["pointer"], "/current_password", "{wrong:?}");
        }
        login(&admin, "ann", PASSWORD).await.expect(200);
        for _ in 0..5 {
            session.api.put(OWN_PASSWORD, change("wrong horse battery", NEW)).await.expect(422);
        }
        let delayed = session.api.put(OWN_PASSWORD, change(PASSWORD, NEW)).await.expect(429);
        assert!(!delayed.header("retry-after").is_empty(), "{delayed}");
        delayed.problem("too_many_attempts");
    }

    async fn a_new_password_must_be_new_and_strong(database: Database) {
        let (_server, admin) = started(&database).await;
        let session = Session::of_ann(&admin).await;
        for weak in [PASSWORD, "short", "password12345678", "ann-ann-ann-ann-ann", "", "a\tb"] {
            let refused = session.api.put(OWN_PASSWORD, change(PASSWORD, weak)).await.expect(422);
            assert_eq!(refused.body["errors"][0]["pointer"], "/new_password", "{weak}: {refused}");
            assert!(weak.len() < 4 || !refused.text.contains(weak), "{refused}");
        }
        login(&admin, "ann", PASSWORD).await.expect(200);
    }

    async fn a_dry_run_checks_everything_and_changes_nothing(database: Database) {
        let (_server, admin) = started(&database).await;
        let session = Session::of_ann(&admin).await;
        let other = Session::of_ann(&admin).await;
        let dry = format!("{OWN_PASSWORD}?dry_run=true");
        let told = session.api.put(&dry, change(PASSWORD, NEW)).await.expect(200);
        assert_eq!(told.body["sessions_ended"], 1, "{told}");
        other.works().await;
        login(&admin, "ann", PASSWORD).await.expect(200);
        session.api.put(&dry, change("wrong horse battery", NEW)).await.expect(422);
    }

    async fn it_takes_a_session(database: Database) {
        let (_server, admin) = started(&database).await;
        let session = Session::of_ann(&admin).await;
        let (_, token) = token(&session.api, "laptop").await;
        for caller in [admin.clone(), admin.with(Caller::Bearer(token))] {
            let refused = caller.put(OWN_PASSWORD, change(PASSWORD, NEW)).await.expect(403);
            refused.problem("session_required");
        }
        let nobody = admin.with(Caller::Anonymous);
        nobody.put(OWN_PASSWORD, change(PASSWORD, NEW)).await.expect(401);
        login(&admin, "ann", PASSWORD).await.expect(200);
    }

    async fn the_log_knows_that_and_not_what(database: Database) {
        let (server, admin) = started(&database).await;
        let bob = person(&admin, "bob", &[VERIFIER]).await;
        let session = Session::of(&admin, &login(&admin, "bob", PASSWORD).await.expect(200));
        session.api.put(OWN_PASSWORD, change(PASSWORD, NEW)).await.expect(200);
        let events = admin.get("/api/v1/audit-events?action=password.changed").await.expect(200);
        let event = &events.body["data"][0];
        assert!(bob.ends_with(event["target"]["id"].as_str().unwrap()), "{event}");
        assert_eq!(event["actor"]["name"], "bob", "{event}");
        assert!(!events.text.contains("argon2"), "{events}");
        server.stop().await.assert_silent([PASSWORD, NEW]);
    }
}

fn change(current: &str, new: &str) -> Value {
    json!({ "current_password": current, "new_password": new })
}

async fn token(api: &Api, name: &str) -> (Value, String) {
    let made = api.post("/api/v1/me/tokens", json!({ "name": name })).await.expect(201);
    (made.body["id"].clone(), made.text_of("token").to_owned())
}

const NEW: &str = "quiet otters fold paper boats";
