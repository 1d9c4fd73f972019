//! `import`: what is broken off is gone on with, and what is refused is told.

use std::{
    collections::BTreeSet, fmt::Write, fs, os::unix::fs::PermissionsExt,
    os::unix::process::ExitStatusExt,
};

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
async fn an_import_that_made_nothing_leaves_no_file_in_the_way() {
    let (server, admin) = started(&Database::Sqlite).await;
    let desk = Desk::at(&server, &admin);
    let wrong = desk.file("wrong.csv", "name,role_ids\none,99\n");
    let right = desk.file("right.csv", "name,role_ids\none,4\n");
    let lost = desk.run(&["import", text(&wrong), "--what-if"]).await.expect(2);
    assert!(lost.stderr.contains("--secrets"), "{lost:#?}");
    desk.run(&["import", text(&wrong), "--secrets", "drawn"]).await.expect(1);
    assert!(!desk.folder.join("drawn").exists());
    desk.run(&["import", text(&right), "--secrets", "drawn"]).await.expect(0);
    assert_eq!(std::fs::read_to_string(desk.folder.join("drawn")).unwrap().lines().count(), 1);
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

    // A rehearsal says what the import would say.
    let others = desk.file("other.csv", "name\nthree\n");
    let again = [&import[..], &["--what-if"]].concat();
    let again = desk.run(&again).await.expect(2);
    assert!(again.stderr.contains("was imported at"), "{again:#?}");
    let would = ["import", text(&others), "--secrets", text(&secrets), "--what-if"];
    let would = desk.run(&would).await.expect(1);
    assert!(would.stderr.contains("is there already"), "{would:#?}");
    let over = desk.run(&["import", text(&others), "--secrets", text(&secrets)]).await.expect(1);
    assert!(over.stderr.contains("is there already"), "{over:#?}");
    assert_eq!(fs::read_to_string(&secrets).unwrap(), lines);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_killed_loses_no_secret_that_it_drew() {
    let (server, admin) = started(&Database::Sqlite).await;
    let desk = Desk::at(&server, &admin);
    let rows: String = (0..2_000).map(|n| format!("key {n}\n")).collect();
    let file = desk.file("keys.csv", &format!("name\n{rows}"));
    let secrets = desk.folder.join("secrets.ndjson");
    let import = ["import", text(&file), "--batch", "20", "--secrets", text(&secrets)];
    for part in [100, 700, 1_300] {
        let mut killed = desk.begin(&import);
        until("a part is made", async || made(&admin).await >= part).await;
        signal(&killed, Signal::KILL);
        assert_eq!(killed.wait().await.unwrap().signal(), Some(Signal::KILL.as_raw()));
    }
    assert!(made(&admin).await < 2_000);
    desk.run(&import).await.expect(0);

    assert_eq!(made(&admin).await, 2_000);
    let lines = fs::read_to_string(&secrets).unwrap();
    let mut names = BTreeSet::new();
    for line in lines.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        names.insert(line["name"].as_str().unwrap().to_owned());
        let holder = admin.with(Caller::Bearer(line["key"].as_str().unwrap().to_owned()));
        let me = holder.get("/api/v1/me").await.expect(200);
        assert_eq!(me.body["credential"]["name"], line["name"]);
    }
    assert_eq!((lines.lines().count(), names.len()), (2_000, 2_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_made_are_printed_and_what_is_all_refused_has_failed() {
    let (server, admin) = started(&Database::Sqlite).await;
    let desk = Desk::at(&server, &admin);
    let file = desk.file("keys.csv", "name,key,role_ids\none,old-key-0001,\ntwo,old-key-0002,99\n");
    let would = ["import", text(&file), "--pass-thru", "--what-if", "-o", "name"];
    assert_eq!(desk.run(&would).await.expect(5).stdout, "one\n");
    let said = desk.run(&["import", text(&file), "--pass-thru", "-o", "json"]).await.expect(5);
    assert_eq!(said.json()[0]["name"], "one", "{said:#?}");
    assert!(said.stderr.contains("row 3 two: role_ids"), "{said:#?}");

    let none = desk.file("none.csv", "name,key,role_ids\none,old-key-0003,99\n");
    let said = desk.run(&["import", text(&none)]).await.expect(1);
    assert!(said.stderr.contains("1 of 1 keys are refused"), "{said:#?}");
    let wide = desk.folder.join("wide.csv");
    fs::write(&wide, b"\xff\xfen\0a\0m\0e\0").unwrap();
    let said = desk.run(&["import", text(&wide)]).await.expect(2);
    assert!(said.stderr.contains("UTF-16"), "{said:#?}");
    let endless = desk.run(&["import", "/dev/zero", "--format", "csv"]).await.expect(2);
    assert!(endless.stderr.contains("256 MiB"), "{endless:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_nobody_knows_of_is_sent_or_skipped_as_told() {
    let (server, admin) = started(&Database::Sqlite).await;
    let desk = Desk::at(&server, &admin);
    let hash = format!("{:064x}", 1);
    let file =
        desk.file("keys.csv", &format!("name,hash.algorithm,hash.value\none,sha256,{hash}\n"));
    let import = ["import", text(&file)];
    desk.run(&import).await.expect(0);
    let journals = fs::read_dir(desk.folder.join("state/keystile/imports")).unwrap();
    let journal = journals.map(|entry| entry.unwrap().path()).next().unwrap();
    let finished = fs::read_to_string(&journal).unwrap();
    let mut doubtful: serde_json::Value = serde_json::from_str(&finished).unwrap();
    for (member, value) in [
        ("batches", serde_json::json!(0)),
        ("made", serde_json::json!(0)),
        ("finished", serde_json::json!(null)),
        ("under_way", serde_json::json!("2020-01-01T00:00:00Z")),
    ] {
        doubtful[member] = value;
    }
    let doubtful = doubtful.to_string();
    fs::write(&journal, &doubtful).unwrap();
    let said = desk.run(&import).await.expect(2);
    assert!(said.stderr.contains("--in-doubt skip, or send"), "{said:#?}");
    assert_eq!(made(&admin).await, 1);
    let said = desk.run(&[&import[..], &["--in-doubt", "skip"]].concat()).await.expect(0);
    assert!(said.stderr.contains("0 of 1 keys imported"), "{said:#?}");
    assert_eq!(made(&admin).await, 1);
    fs::write(&journal, &doubtful).unwrap();
    // The key is there already, which the server says.
    let said = desk.run(&[&import[..], &["--in-doubt", "send"]].concat()).await.expect(1);
    assert!(said.stdout.contains("one"), "{said:#?}");
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
