//! `keystile admin`: for whoever is locked out, and for a key that leaked.

use acceptance::{Caller, Database, Options, Server, on_each_database};
use serde_json::json;

use super::{ME, PASSWORD, Session, USERS, login, person};

on_each_database! {
    async fn whoever_is_locked_out_gets_a_password(database: Database) {
        let options = Options::on(&database);
        let server = Server::start(&options).await;
        let admin = server.admin();
        person(&admin, "ann", &[]).await;
        let session = Session::of_ann(&admin).await;
        let old = server.admin_password();
        let signed_in = admin.sign_in("admin", &old).await;
        for _ in 0..6 {
            login(&admin, "admin", "wrong horse battery staple").await;
        }
        // One process at a time has an SQLite file; PostgreSQL serves many.
        let stopped = match database {
            Database::Sqlite => Some(server.stop().await),
            Database::Postgres(_) => None,
        };

        let reset = options.run(&["admin", "reset-password"]).await;

        assert!(reset.status.success(), "{reset:#?}");
        let password = reset.stdout.trim_end();
        assert_eq!(reset.stdout, format!("{password}\n"));
        assert_eq!((password.len(), password.contains(' ')), (24, false));
        assert!(!reset.stderr.contains(password), "{reset:#?}");
        drop(stopped);
        let server = Server::start(&options).await;
        let admin = server.admin();
        login(&admin, "admin", &old).await.expect(401);
        login(&admin, "admin", password).await.expect(200);
        admin.with(signed_in).get(ME).await.expect(401);
        admin.with(session.api.caller().clone()).get(ME).await.expect(200);
        let events = admin.get("/api/v1/audit-events?action=password.changed").await.expect(200);
        assert_eq!(events.body["data"][0]["actor"], json!(null), "{events}");
    }

    async fn only_people_have_a_password_to_reset(database: Database) {
        let options = Options::on(&database);
        let server = Server::start(&options).await;
        let robot = json!({ "username": "robot", "is_service_account": true });
        server.admin().post(USERS, robot).await.expect(201);
        server.stop().await;
        for name in ["robot", "nobody"] {
            let refused = options.run(&["admin", "reset-password", name]).await;
            assert_eq!(refused.status.code(), Some(1), "{refused:#?}");
            assert!(refused.stderr.contains("there is no person called"), "{refused:#?}");
            assert_eq!(refused.stdout, "");
        }
    }

    async fn a_leaked_signing_key_is_worth_nothing_any_more(database: Database) {
        let options = Options::on(&database);
        let server = Server::start(&options).await;
        let signed_in = server.admin().sign_in("admin", &server.admin_password()).await;
        server.stop().await;

        for (arguments, works) in [(&["admin", "rotate-signing-key"][..], 200), (&["admin", "rotate-signing-key", "--now"], 401)] {
            let rotated = options.run(arguments).await;
            assert!(rotated.status.success(), "{rotated:#?}");
            let server = Server::start(&options).await;
            server.api(signed_in.clone()).get(ME).await.expect(works);
            let new = server.admin().sign_in("admin", &server.admin_password()).await;
            server.api(new).get(ME).await.expect(200);
            server.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_sqlite_the_server_must_be_stopped_first() {
    let options = Options::on(&Database::Sqlite);
    let server = Server::start(&options).await;
    let refused = options.run(&["admin", "reset-password"]).await;
    assert_eq!(refused.status.code(), Some(1), "{refused:#?}");
    assert!(refused.stderr.contains("stop the server"), "{refused:#?}");
    let password = server.admin_password();
    login(&server.admin(), "admin", &password).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_never_served_is_not_made() {
    let options = Options::on(&Database::Sqlite);
    let refused = options.run(&["admin", "reset-password"]).await;
    assert_eq!(refused.status.code(), Some(1), "{refused:#?}");
    assert!(refused.stderr.contains("there is no database"), "{refused:#?}");
    assert!(!options.data().join("keystile.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_master_key_changes_nothing() {
    let options = Options::on(&Database::Sqlite);
    let server = Server::start(&options).await;
    let password = server.admin_password();
    server.stop().await;
    let other = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let stranger = options.clone().env("KEYSTILE_MASTER_KEY", other);
    let refused = stranger.run(&["admin", "reset-password"]).await;
    assert_eq!(refused.status.code(), Some(1), "{refused:#?}");
    assert!(refused.stderr.contains("another master key"), "{refused:#?}");

    let server = Server::start(&options).await;
    let caller = server.admin().sign_in("admin", &password).await;
    server.api(caller).get(ME).await.expect(200);
    server.api(Caller::Anonymous).get(ME).await.expect(401);
    assert_ne!(password, PASSWORD);
}
