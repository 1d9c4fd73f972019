//! What is not restored, and that the database is as empty as before then.

use std::{fs, path::Path, process::Stdio};

use acceptance::{Database, Ended, Key, Options, Server, on_each_database, started};
use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::stage::{back_up, packed, target, unpacked};

on_each_database! {
    async fn a_damaged_backup_is_refused_and_nothing_is_kept_of_it(database: Database) {
        let (server, admin) = started(&Database::Sqlite).await;
        let key = Key::holding(&admin, "key", &[1]).await;
        let whole = back_up(&server).await;
        let target = target(&server, &database);

        let bytes = fs::read(&whole).unwrap();
        let half = whole.with_extension("half");
        fs::write(&half, &bytes[..bytes.len() / 2]).unwrap();
        refused(&target, &half, "is damaged").await;
        let flipped = whole.with_extension("flipped");
        let mut changed = bytes.clone();
        changed[bytes.len() / 2] ^= 1;
        fs::write(&flipped, changed).unwrap();
        refused(&target, &flipped, "is damaged").await;

        let text = unpacked(&whole);
        let (lines, _end) = text.trim_end().rsplit_once('\n').unwrap();
        refused(&target, &packed(&format!("{lines}\n")), "its end is missing").await;
        let forged = text.replace("\"key\"", "\"kei\"");
        assert_ne!(forged, text);
        refused(&target, &packed(&forged), "its seal is not that of its lines").await;
        let (head, rest) = text.split_once('\n').unwrap();
        let newer = head.replacen("\"keystile_backup\":1", "\"keystile_backup\":2", 1);
        refused(&target, &packed(&format!("{newer}\n{rest}")), "a newer version").await;
        let newer = head.replacen("\"migrations\":[", "\"migrations\":[\"9999\",", 1);
        refused(&target, &packed(&format!("{newer}\n{rest}")), "9999").await;
        refused(&target, &packed("hello\n"), "no backup").await;
        let plain = whole.with_extension("plain");
        fs::write(&plain, "hello\n").unwrap();
        refused(&target, &plain, "no backup").await;

        restores(&target, &whole).await;
        let restored = Server::start(&target).await;
        restored.api(key.caller()).get("/api/v1/me").await.expect(200);
    }

    async fn only_an_empty_database_takes_a_backup(database: Database) {
        let (server, _) = started(&database).await;
        let file = back_up(&server).await;
        let options = server.options().clone();
        server.stop().await;
        refused(&options, &file, "is not empty").await;
        Server::start(&options).await.stop().await;
    }

    async fn a_backup_takes_the_master_key_that_it_was_made_under(database: Database) {
        let (server, _) = started(&Database::Sqlite).await;
        let file = back_up(&server).await;
        let other = "b3RoZXItMzItYnl0ZXMtdGhhdC1hcmUtbm8tc2VjcmU=";
        let wrong = target(&server, &database).env("KEYSTILE_MASTER_KEY", other);
        refused(&wrong, &file, "another master key").await;
        restores(&target(&server, &database), &file).await;
    }

    async fn a_restore_that_is_killed_half_way_leaves_the_database_empty(database: Database) {
        let (server, admin) = started(&Database::Sqlite).await;
        // More than a pipe holds, so that most of it was taken when all of it is written.
        let keys = vec![json!({"name": "one of many"}); 1_000];
        admin.post("/api/v1/api-keys/batch", json!({"api_keys": keys})).await.expect(200);
        let key = Key::holding(&admin, "key", &[1]).await;
        let file = back_up(&server).await;
        let target = target(&server, &database);
        let bytes = fs::read(&file).unwrap();
        assert!(bytes.len() > 2 * PIPE_BYTES, "{}", bytes.len());

        let mut restoring = target.command(&["restore", "-"]);
        let mut restoring = restoring.stdin(Stdio::piped()).spawn().unwrap();
        let mut input = restoring.stdin.take().unwrap();
        input.write_all(&bytes[..bytes.len() - 1]).await.unwrap();
        restoring.kill().await.unwrap();

        restores(&target, &file).await;
        let restored = Server::start(&target).await;
        restored.api(key.caller()).get("/api/v1/me").await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_a_server_serves_is_not_restored_into() {
    let (server, _) = started(&Database::Sqlite).await;
    let file = back_up(&server).await;
    refused(server.options(), &file, "one SQLite file has one server").await;
}

async fn restores(target: &Options, file: &Path) {
    let ended = restore(target, file).await;
    assert!(ended.status.success(), "{ended:#?}");
}

async fn refused(target: &Options, file: &Path, why: &str) {
    let ended = restore(target, file).await;
    assert_eq!(ended.status.code(), Some(1), "{ended:#?}");
    assert!(ended.stderr.contains(why), "not for {why}: {ended:#?}");
}

async fn restore(target: &Options, file: &Path) -> Ended {
    target.run(&["restore", file.to_str().unwrap()]).await
}

/// How much of what was written a reader may not have seen.
const PIPE_BYTES: usize = 64 * 1024;
