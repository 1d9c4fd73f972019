//! The life of a session, and everything that ends it at once.

use acceptance::{Caller, Database, Options, Server, on_each_database};
use serde_json::json;

use super::{
    KEY_MANAGER, LOGOUT, ME, PASSWORD, REFRESH, Session, USERS, VERIFIER, actions, count, login,
    person, started,
};

on_each_database! {
    async fn a_session_gives_tokens_that_are_renewed_and_ends(database: Database) {
        let (_server, admin) = started(&database).await;

        let answer = login(&admin, "ann", PASSWORD).await.expect(200);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!((&answer.body["token_type"], &answer.body["expires_in"]), (&"Bearer".into(), &900.into()));
        let first = Session::of(&admin, &answer);
        let me = first.api.get(ME).await.expect(200);
        assert_eq!(me.body["principal"]["kind"], "user");
        assert_eq!(me.body["principal"]["name"], "ann");
        assert_eq!(me.body["credential"]["kind"], "access_token");
        assert_eq!(me.body["roles"], json!([{ "id": VERIFIER, "name": "verifier" }]));

        let second = first.refreshed().await;
        assert_ne!(first.refresh_token, second.refresh_token);
        first.works().await;
        second.works().await;

        second.log_out().await;
        first.api.get(ME).await.expect(401);
        second.is_over().await;
        assert_eq!(actions(&admin).await[..2], ["session.ended", "session.started"]);
    }

    async fn the_log_tells_who_signed_in_and_out(database: Database) {
        let (_server, admin) = started(&database).await;
        let session = Session::of_ann(&admin).await;
        let id = session.api.get(ME).await.expect(200).body["credential"]["id"].clone();
        session.log_out().await;

        let events = admin.get("/api/v1/audit-events?limit=2").await.expect(200);
        for event in events.body["data"].as_array().unwrap() {
            assert_eq!(event["actor"]["name"], "ann", "{event}");
            assert_eq!((&event["credential"], &event["target"]["id"]), (&id, &id), "{event}");
            assert_eq!(event["target"]["kind"], "session", "{event}");
            assert_eq!(event["address"], "127.0.0.1", "{event}");
        }
    }

    async fn a_refresh_token_shown_twice_ends_its_session(database: Database) {
        let (_server, admin) = started(&database).await;
        let stolen = Session::of_ann(&admin).await;
        let another = Session::of_ann(&admin).await;
        let current = stolen.refreshed().await;

        stolen.refresh().await.expect(401).problem("invalid_refresh_token");

        current.is_over().await;
        stolen.is_over().await;
        another.works().await;
        assert_eq!(actions(&admin).await[0], "session.replayed");
        stolen.refresh().await.expect(401);
        assert_eq!(count(&admin, "session.replayed").await, 1);
    }

    async fn signing_out_tells_nobody_whether_there_was_a_session(database: Database) {
        let (_server, admin) = started(&database).await;
        let session = Session::of_ann(&admin).await;
        session.log_out().await;
        session.log_out().await;
        let anybody = admin.with(Caller::Anonymous);
        for token in ["", "ks_rt_", "nonsense", UNKNOWN, &"x".repeat(10_000)] {
            let body = json!({ "refresh_token": token });
            anybody.post(LOGOUT, body.clone()).await.expect(204);
            let refused = anybody.post(REFRESH, body).await.expect(401);
            refused.problem("invalid_refresh_token");
        }
        assert_eq!(count(&admin, "session.ended").await, 1);
    }

    async fn a_refresh_token_is_no_credential_and_no_credential_refreshes(database: Database) {
        let (server, admin) = started(&database).await;
        let session = Session::of_ann(&admin).await;
        for caller in [
            Caller::Bearer(session.refresh_token.clone()),
            Caller::Header(session.refresh_token.clone()),
        ] {
            admin.with(caller).get(ME).await.expect(401).problem("invalid_credential");
        }
        let key = json!({ "refresh_token": server.admin_key() });
        admin.post(REFRESH, key).await.expect(401).problem("invalid_refresh_token");
        session.works().await;
    }

    async fn a_user_who_is_switched_off_is_out_at_once_and_gets_nothing_new(database: Database) {
        let (_server, admin) = started(&database).await;
        let path = person(&admin, "bob", &[VERIFIER]).await;
        let session = Session::of(&admin, &login(&admin, "bob", PASSWORD).await.expect(200));

        admin.patch(&path, json!({ "enabled": false })).await.expect(200);

        session.is_over().await;
        login(&admin, "bob", PASSWORD).await.expect(401).problem("invalid_login");
        // Nothing of this switched them on again.
        assert_eq!(admin.get(&path).await.expect(200).body["enabled"], false);
    }

    async fn a_role_that_is_taken_away_is_gone_from_tokens_that_are_out(database: Database) {
        let (_server, admin) = started(&database).await;
        let path = person(&admin, "bob", &[KEY_MANAGER]).await;
        let bob = Session::of(&admin, &login(&admin, "bob", PASSWORD).await.expect(200));
        bob.api.get("/api/v1/api-keys").await.expect(200);

        admin.patch(&path, json!({ "role_ids": [VERIFIER] })).await.expect(200);

        bob.api.get("/api/v1/api-keys").await.expect(403);
        let me = bob.api.get(ME).await.expect(200);
        assert_eq!(me.body["permissions"], json!(["keystile.keys.verify"]));
    }

    async fn a_deleted_user_and_a_user_with_a_new_password_are_out_at_once(database: Database) {
        let (_server, admin) = started(&database).await;
        for ending in ["delete", "password"] {
            let path = person(&admin, ending, &[]).await;
            let session = Session::of(&admin, &login(&admin, ending, PASSWORD).await.expect(200));
            match ending {
                "delete" => drop(admin.delete(&path).await.expect(204)),
                _ => {
                    let patch = json!({ "password": "quiet otters fold paper boats" });
                    admin.patch(&path, patch).await.expect(200);
                }
            }
            session.is_over().await;
            login(&admin, ending, PASSWORD).await.expect(401).problem("invalid_login");
        }
    }

    async fn sessions_outlive_a_restart(database: Database) {
        let server = Server::start(&Options::on(&database)).await;
        person(&server.admin(), "ann", &[]).await;
        let session = Session::of_ann(&server.admin()).await;
        let Caller::Bearer(token) = server.admin().sign_in("ann", PASSWORD).await else {
            panic!("no bearer")
        };

        let server = server.restart().await;

        let api = server.admin();
        api.with(Caller::Bearer(token)).get(ME).await.expect(200);
        let anybody = api.with(Caller::Anonymous);
        let refresh = json!({ "refresh_token": session.refresh_token });
        anybody.post(REFRESH, refresh.clone()).await.expect(200);
        anybody.post(REFRESH, refresh).await.expect(401);
    }

    async fn what_was_ended_stays_ended_whatever_happens_to_the_server(database: Database) {
        let options = Options::on(&database);
        let server = Server::start(&options).await;
        person(&server.admin(), "ann", &[]).await;
        let out = Session::of_ann(&server.admin()).await;
        let spent = Session::of_ann(&server.admin()).await;
        let current = spent.refreshed().await;
        out.log_out().await;
        server.kill();
        server.wait().await;

        let server = Server::start(&options).await;

        let api = server.admin();
        let moved = |session: &Session| Session {
            api: api.with(session.api.caller().clone()),
            refresh_token: session.refresh_token.clone(),
        };
        moved(&out).is_over().await;
        moved(&current).works().await;
        moved(&spent).refresh().await.expect(401);
        moved(&current).is_over().await;
    }

    async fn over_plain_http_nobody_signs_in(database: Database) {
        let options = Options::on(&database).env("KEYSTILE_TRUSTED_PROXIES", "127.0.0.1");
        let server = Server::start(&options).await;
        let admin = server.admin();
        person(&admin, "ann", &[]).await;
        let session = Session::of_ann(&admin).await;
        let anybody = admin.with(Caller::Anonymous);
        let plain = |path: &str, body| {
            let request = anybody.request(reqwest::Method::POST, path).json(&body);
            let request = request.header("x-forwarded-for", "203.0.113.7");
            acceptance::Answer::to(request.header("x-forwarded-proto", "http"))
        };
        let typed = json!({ "username": "ann", "password": PASSWORD });
        let refused = plain(super::LOGIN, typed).await.unwrap().expect(401);
        refused.problem("insecure_transport");
        let token = json!({ "refresh_token": session.refresh_token });
        let refused = plain(REFRESH, token).await.unwrap().expect(401);
        refused.problem("insecure_transport");
        session.works().await;
        session.refreshed().await.works().await;
    }

    async fn a_person_who_signed_in_makes_things_that_outlive_the_session(database: Database) {
        let server = Server::start(&Options::on(&database)).await;
        let admin = server.admin();
        let caller = admin.sign_in("admin", &server.admin_password()).await;
        let signed_in = admin.with(caller);

        let key = signed_in.post("/api/v1/api-keys", json!({ "name": "CI" })).await.expect(201);
        assert!(key.body["expires_at"].is_null(), "{key}");
        let user = json!({ "username": "robot", "is_service_account": true });
        signed_in.post(USERS, user).await.expect(201);
    }
}

/// Well-formed, and never issued.
const UNKNOWN: &str = "ks_rt_0123456789abcdefghijABCDEFGHIJ0123456789xyz2V88Ji";
