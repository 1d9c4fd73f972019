//! `import`: what is broken off is gone on with, and what is refused is told.

use std::{fmt::Write, fs, os::unix::fs::PermissionsExt, os::unix::process::ExitStatusExt};

use acceptance::{Api, Caller, Database, started, until};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;

use super::{Desk, end, text};

#[tokio::test(flavor = "multi_thread")]
async fn an_import_of_10_000_keys_that_is_interrupted_and_killed_makes_none_twice() {
    let (server, admin) = started(&Database::Sqlite).await;
    let desk = Desk::at(&server, &admin);
    let mut rows = String::new();
    for n in 0..10_000 {
        let hash = format!("{n:064x}");
        let row = r#""hash": {"algorithm": "sha256", "value""#;
        writeln!(rows, r#"{{"name": "key {n}", {row}: "{hash}"}}}}"#).unwrap();
    }
    let file = desk.file("keys.ndjson", &rows);
    let import = ["import", text(&file), "--batch", "100"];

    let interrupted = desk.begin(&import);
    until("a part is made", async || made(&admin).await >= 100).await;
    signal(&interrupted, Signal::INT);
    let interrupted = end(interrupted).await.expect(5);
    let so_far = made(&admin).await;
    assert!(interrupted.stderr.contains(&format!("{so_far} of 10000")), "{interrupted:#?}");
    assert!(interrupted.stderr.contains("the same command goes on"), "{interrupted:#?}");

    let mut killed = desk.begin(&import);
    until("more is made", async || made(&admin).await > so_far + 100).await;
    signal(&killed, Signal::KILL);
    assert_eq!(killed.wait().await.unwrap().signal(), Some(Signal::KILL.as_raw()));
    assert!(made(&admin).await < 10_000);

    let done = desk.run(&import).await.expect(0);
    assert!(done.stderr.contains("10000 of 10000 keys imported"), "{done:#?}");
    assert_eq!(made(&admin).await, 10_000);

    let again = desk.run(&import).await.expect(2);
    assert!(again.stderr.contains("--again"), "{again:#?}");
    assert_eq!(made(&admin).await, 10_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_rows_are_told_and_the_others_are_made() {
    let (server, admin) = started(&Database::Sqlite).await;
    let desk = Desk::at(&server, &admin);
    let file = desk.file(
        "keys.csv",
        "name,role_ids,key,expires_at\n\
         good,4,old-key-0001,\n\
         unknown role,99,old-key-0002,\n\
         no role,four,old-key-0003,\n\
         too,few\n\
         late,,old-key-0004,2001-01-01T00:00:00Z\n\
         best,\"3,4\",old-key-0005,2099-01-01T00:00:00Z\n",
    );
    let rehearsed = desk.run(&["import", text(&file), "--what-if"]).await.expect(5);
    assert!(rehearsed.stderr.contains("2 of 6 keys would be imported"), "{rehearsed:#?}");
    assert_eq!(made(&admin).await, 0);

    let said = desk.run(&["import", text(&file), "-o", "json"]).await.expect(5);
    let refused = said.json();
    let rows: Vec<_> = refused.as_array().unwrap().iter().map(|row| row["row"].as_i64()).collect();
    assert_eq!(rows, [Some(3), Some(4), Some(5), Some(6)], "{said:#?}");
    assert!(refused[0]["reason"].as_str().unwrap().starts_with("role_ids"), "{said:#?}");
    assert_eq!(refused[1]["reason"], "role_ids must be numbers, divided by commas");
    assert_eq!(refused[2]["reason"], "has 2 fields, and not 4");
    assert!(refused[3]["reason"].as_str().unwrap().starts_with("expires_at"), "{said:#?}");
    assert!(said.stderr.contains("2 of 6 keys imported"), "{said:#?}");
    assert!(!format!("{said:?}").contains("old-key"), "{said:#?}");
    assert_eq!(made(&admin).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_that_are_drawn_are_in_a_file_of_their_owners() {
    let (server, admin) = started(&Database::Sqlite).await;
    let desk = Desk::at(&server, &admin);
    let file = desk.file("keys.csv", "name\none\ntwo\n");
    let lost = desk.run(&["import", text(&file)]).await.expect(2);
    assert!(lost.stderr.contains("--secrets"), "{lost:#?}");
    assert_eq!(made(&admin).await, 0);

    let secrets = desk.folder.join("secrets.ndjson");
    let import = ["import", text(&file), "--role", "verifier", "--secrets", text(&secrets)];
    desk.run(&import).await.expect(0);
    assert_eq!(fs::metadata(&secrets).unwrap().permissions().mode() & 0o777, 0o600);
    let lines = fs::read_to_string(&secrets).unwrap();
    assert_eq!(lines.lines().count(), 2);
    for line in lines.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let holder = admin.with(Caller::Bearer(line["key"].as_str().unwrap().to_owned()));
        let me = holder.get("/api/v1/me").await.expect(200);
        assert_eq!(me.body["roles"][0]["name"], "verifier");
    }

    let others = desk.file("other.csv", "name\nthree\n");
    let over = desk.run(&["import", text(&others), "--secrets", text(&secrets)]).await.expect(1);
    assert!(over.stderr.contains("is there already"), "{over:#?}");
    assert_eq!(fs::read_to_string(&secrets).unwrap(), lines);
}

/// How many keys there are beside the administrator's.
async fn made(admin: &Api) -> i64 {
    let list = admin.get("/api/v1/api-keys?limit=1").await.expect(200);
    list.body["total"].as_i64().unwrap() - 1
}

fn signal(child: &Child, signal: Signal) {
    let pid = child.id().unwrap().try_into().unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}
