//! The audit log: who changed what, and whether anybody changed the log.

use acceptance::{Answer, Api, Caller, Database, Key, on_each_database, started, until};
use reqwest::Method;
use serde_json::{Value, json};
use tokio_postgres::NoTls;

use super::{
    AUDITOR, EVENTS, KEYS, ME, ROLES, VERIFIER, VERIFY, each, everything, head, moment, pointers,
    role,
};

on_each_database! {
    async fn an_event_says_who_did_what_from_where(database: Database) {
        let (_server, admin) = started(&database).await;
        let me = admin.get(ME).await.expect(200).body;

        let create = admin.request(Method::POST, KEYS).header("X-Request-Id", "deploy-7");
        let new = json!({ "name": "CI", "role_ids": [VERIFIER], "metadata": { "team": "a" } });
        let created = Answer::to(create.json(&new)).await.unwrap().expect(201);
        let key = Key::of(&created);

        assert_eq!(created.header("x-request-id"), "deploy-7");
        let log = admin.get(&format!("{EVENTS}?request_id=deploy-7")).await.expect(200);
        let [event] = log.body["data"].as_array().unwrap().as_slice() else { panic!("{log}") };
        assert_eq!(event["actor"], me["principal"]);
        assert_eq!(event["credential"], me["credential"]["id"]);
        assert_eq!(event["action"], "api_key.created");
        assert_eq!(event["target"], json!({ "kind": "api_key", "id": key.id, "name": "CI" }));
        assert_eq!(event["before"], Value::Null);
        assert_eq!(event["after"]["role_ids"], json!([VERIFIER]));
        assert_eq!(event["after"]["metadata"], json!({ "team": "a" }));
        assert_eq!(event["address"], "127.0.0.1");
        assert_eq!(event["request_id"], "deploy-7");
        assert_eq!(event["at"], created.body["created_at"]);
    }

    async fn a_request_without_a_name_gets_one_that_finds_its_event(database: Database) {
        let (_server, admin) = started(&database).await;

        let created = admin.post(KEYS, json!({ "name": "CI" })).await.expect(201);

        let id = created.header("x-request-id");
        assert!(!id.is_empty(), "{created}");
        let log = admin.get(&format!("{EVENTS}?request_id={id}")).await.expect(200);
        assert_eq!(log.body["total"], 1);
    }

    async fn what_keystile_made_itself_has_no_actor(database: Database) {
        let (_server, admin) = started(&database).await;

        let log = admin.get(&format!("{EVENTS}?sort=seq&limit=100")).await.expect(200);

        assert_eq!(each(&log, "action")[0], "system.initialised");
        assert!(each(&log, "actor").iter().all(Value::is_null), "{log}");
        let seqs = each(&log, "seq");
        assert_eq!(seqs, (1..=seqs.len()).map(|seq| json!(seq)).collect::<Vec<_>>());
    }

    async fn each_filter_keeps_what_it_says(database: Database) {
        let (_server, admin) = started(&database).await;
        let writer =
            role(&admin, "writer", &["keystile.api_keys.*", "keystile.roles.assign"]).await;
        let writer = Key::holding(&admin, "writer", &[writer]).await;
        let made = Key::holding(&writer.api(&admin), "made", &[]).await;
        let since = moment(&admin, 0).await;
        admin.delete(&made.at("?reason=over")).await.expect(204);
        let actions = async |filter: &str| {
            let log = admin.get(&format!("{EVENTS}?sort=seq&limit=100&{filter}")).await.expect(200);
            each(&log, "action")
        };

        assert_eq!(actions("action=api_key.deleted").await, ["api_key.deleted"]);
        assert_eq!(actions(&format!("actor={}", writer.id)).await, ["api_key.created"]);
        assert_eq!(actions(&format!("credential={}", writer.id)).await, ["api_key.created"]);
        assert_eq!(actions("target_kind=user").await, ["user.created"]);
        let life = ["api_key.created", "api_key.deleted"];
        assert_eq!(actions(&format!("target_id={}", made.id)).await, life);
        assert_eq!(actions(&format!("since={since}&target_id={}", made.id)).await, life[1..]);
        assert_eq!(actions(&format!("until={since}&target_id={}", made.id)).await, life[..1]);
        assert_eq!(actions("since=2099-01-01T00:00:00Z").await, Vec::<Value>::new());
        assert_eq!(actions("action=role.created&target_kind=user").await, Vec::<Value>::new());
        let deleted = admin.get(&format!("{EVENTS}?action=api_key.deleted")).await.expect(200);
        assert_eq!(each(&deleted, "reason"), ["over"]);
    }

    async fn the_newest_is_first_unless_asked_otherwise(database: Database) {
        let (_server, admin) = started(&database).await;
        let newest = head(&admin).await["seq"].clone();

        for (sort, first) in [("", &newest), ("sort=-seq", &newest), ("sort=seq", &json!(1))] {
            let log = admin.get(&format!("{EVENTS}?{sort}")).await.expect(200);
            assert_eq!(each(&log, "seq").first(), Some(first), "{sort}");
        }
    }

    async fn filters_that_mean_nothing_are_refused(database: Database) {
        let (_server, admin) = started(&database).await;

        for (name, value) in [
            ("action", "api_key.eaten"),
            ("actor", "admin"),
            ("credential", "1"),
            ("target_kind", "elephant"),
            ("request_id", "a%20b"),
            ("since", "yesterday"),
            ("until", "2026-01-01"),
            ("sort", "at"),
        ] {
            let answer = admin.get(&format!("{EVENTS}?{name}={value}")).await.expect(422);
            assert_eq!(pointers(&answer), [name], "{value}");
        }
    }

    async fn nobody_without_the_right_reads_the_log(database: Database) {
        let (_server, admin) = started(&database).await;
        let auditor = Key::holding(&admin, "auditor", &[AUDITOR]).await.api(&admin);
        let verifier = Key::holding(&admin, "verifier", &[VERIFIER]).await.api(&admin);

        for path in [EVENTS.to_owned(), format!("{EVENTS}/verify")] {
            auditor.get(&path).await.expect(200);
            verifier.get(&path).await.expect(403).problem("insufficient_permissions");
            admin.with(Caller::Anonymous).get(&path).await.expect(401);
        }
    }

    async fn what_is_refused_is_no_event(database: Database) {
        let (_server, admin) = started(&database).await;
        let verifier = Key::holding(&admin, "verifier", &[VERIFIER]).await;
        let before = everything(&admin).await;

        let holder = verifier.api(&admin);
        holder.post(KEYS, json!({ "name": "x" })).await.expect(403);
        holder.patch(&verifier.at(""), json!({ "role_ids": [1] })).await.expect(403);
        admin.post(KEYS, json!({ "name": "" })).await.expect(422);
        admin.post(ROLES, json!({ "name": "auditor" })).await.expect(409);
        admin.with(Caller::Header("junk".to_owned())).post(KEYS, json!({})).await.expect(401);
        admin.post(VERIFY, json!({ "credential": "junk" })).await.expect(200);

        assert_eq!(everything(&admin).await, before);
    }

    async fn no_event_holds_a_secret(database: Database) {
        let (server, admin) = started(&database).await;
        let key = Key::holding(&admin, "CI", &[]).await;
        let rotated = admin.post(&key.at("/rotate"), json!({ "overlap_seconds": 9 })).await;
        let rotated = Key::of(&rotated.expect(200));
        let batch = json!({ "api_keys": [{ "name": "one" }] });
        let batch = admin.post(&format!("{KEYS}/batch"), batch).await.expect(200);
        let of_batch = each(&batch, "key")[0].as_str().unwrap().to_owned();
        admin.delete(&key.at("")).await.expect(204);

        let log = admin.get(&format!("{EVENTS}?limit=100")).await.expect(200);

        assert!(log.text.contains(&key.id), "{log}");
        for secret in [&key.secret, &rotated.secret, &of_batch, &server.admin_key()] {
            assert!(!log.text.contains(&secret[9..]), "{log}");
        }
    }

    async fn the_seals_hold_across_a_restart(database: Database) {
        let (server, admin) = started(&database).await;
        Key::holding(&admin, "CI", &[]).await;
        let before = head(&admin).await;

        let server = server.restart().await;

        let report = server.admin().get(&format!("{EVENTS}/verify")).await.expect(200);
        assert_eq!(report.body["head"], before);
        assert_eq!(report.body["checked"], before["seq"]);
        assert_eq!(report.body["broken"], Value::Null);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_edits_the_log_in_the_database_is_found_out() {
    let Some(database) = Database::postgres().await else { return };
    let (_server, admin) = started(&database).await;
    Key::holding(&admin, "CI", &[]).await;
    let edited = head(&admin).await["seq"].as_i64().unwrap();
    for name in ["two", "three"] {
        Key::holding(&admin, name, &[]).await;
    }
    execute(&database, "CREATE TABLE kept AS TABLE events").await;

    for (edit, first_wrong) in [
        ("UPDATE events SET after = replace(after, 'CI', 'XY') WHERE seq = $", edited),
        ("UPDATE events SET before = '{}' WHERE seq = $", edited),
        ("UPDATE events SET actor_name = 'somebody' WHERE seq = $", edited),
        ("UPDATE events SET actor_kind = NULL, actor_id = NULL WHERE seq = $", edited),
        ("UPDATE events SET credential_id = actor_name WHERE seq = $", edited),
        ("UPDATE events SET action = 'api_key.updated' WHERE seq = $", edited),
        ("UPDATE events SET target_id = 'x' WHERE seq = $", edited),
        ("UPDATE events SET target_name = 'x' WHERE seq = $", edited),
        ("UPDATE events SET address = '192.0.2.1' WHERE seq = $", edited),
        ("UPDATE events SET at = at + 1 WHERE seq = $", edited),
        ("UPDATE events SET reason = 'because' WHERE seq = $", edited),
        ("UPDATE events SET request_id = 'other' WHERE seq = $", edited),
        ("UPDATE events SET hash = decode(repeat('11', 32), 'hex') WHERE seq = $", edited),
        ("DELETE FROM events WHERE seq = $", edited),
        ("DELETE FROM events WHERE seq > $", edited + 1),
        ("UPDATE events SET seq = -seq WHERE seq = $", edited),
        ("UPDATE events SET seq = seq + 100 WHERE seq >= $", edited),
        ("UPDATE events SET after = 'no JSON' WHERE seq = $", edited),
    ] {
        execute(&database, &edit.replace('$', &edited.to_string())).await;
        let report = verified(&admin).await;
        assert_eq!(report.body["valid"], false, "{edit}: {report}");
        assert_eq!(report.body["broken"]["seq"], first_wrong, "{edit}: {report}");

        execute(&database, "DELETE FROM events").await;
        execute(&database, "INSERT INTO events SELECT * FROM kept").await;
    }
    execute(&database, "UPDATE feed_head SET hash = decode(repeat('11', 32), 'hex')").await;
    let report = verified(&admin).await;
    assert_eq!(report.body["valid"], false, "{report}");
}

/// What the server says of the log. One that sees another log than it knows lets nobody in for a
/// moment.
async fn verified(admin: &Api) -> Answer {
    let verify = format!("{EVENTS}/verify");
    until("the server has begun anew", async || admin.get(&verify).await.status != 503).await;
    admin.get(&verify).await.expect(200)
}

async fn execute(database: &Database, sql: &str) {
    let Database::Postgres(url) = database else { panic!("only PostgreSQL is edited from here") };
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let edited = client.execute(sql, &[]).await.unwrap();
    assert!(edited > 0, "{sql} edits nothing");
}
