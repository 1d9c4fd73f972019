//! A new secret, and the farewell to the old one.

use std::process::Stdio;

use acceptance::{Caller, Database};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};

use super::administrator;

#[tokio::test(flavor = "multi_thread")]
async fn an_old_secret_is_extended_watched_and_finished() {
    let (server, admin) = administrator(&Database::Sqlite).await;
    let old = admin.prints(&["keys", "new", "CI", "--role", "4", "-q"]).await;
    let holder = server.api(Caller::Header(old.trim().to_owned()));
    let told = admin.prints(&["keys", "rotate", "CI", "--what-if"]).await;
    assert!(told.starts_with("What if: would rotate API key \"CI\""), "{told}");
    holder.get("/api/v1/me").await.expect(200);

    let asked = admin.run(&["keys", "rotate", "CI", "--confirm"]).await;
    assert_eq!(asked.status.code(), Some(2), "{asked:#?}");
    assert!(asked.stderr.starts_with("What if: would rotate API key"), "{asked:#?}");
    holder.get("/api/v1/me").await.expect(200);

    let new = admin.prints(&["keys", "rotate", "CI", "--overlap", "1h", "-q"]).await;
    assert_ne!(new, old);
    holder.get("/api/v1/me").await.expect(200);
    admin.prints(&["keys", "rotate", "extend", "CI", "--overlap", "2d"]).await;
    let told = admin.prints(&["keys", "rotate", "status", "CI"]).await;
    assert!(told.contains("ends in 2 days"), "{told}");

    let mut watch = tokio::process::Command::from(
        admin.command(&["keys", "rotate", "status", "CI", "--watch"]),
    );
    watch.stdin(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut watch = watch.spawn().unwrap();
    let mut lines = BufReader::new(watch.stderr.take().unwrap()).lines();
    let mut seen = String::new();
    while !seen.contains("127.0.0.1: ") {
        seen = lines.next_line().await.unwrap().expect("it tells who shows the old secret");
    }
    kill_process(Pid::from_raw(watch.id().unwrap().try_into().unwrap()).unwrap(), Signal::INT)
        .unwrap();
    assert_eq!(watch.wait().await.unwrap().code(), Some(0));

    let would = admin.shows(&["keys", "rotate", "finish", "CI", "--what-if"]).await;
    assert!(would["old_secret_expires_at"].is_string(), "{would}");
    admin.prints(&["keys", "rotate", "finish", "CI"]).await;
    holder.get("/api/v1/me").await.refused();
    server.api(Caller::Header(new.trim().to_owned())).get("/api/v1/me").await.expect(200);
    let status = admin.shows(&["keys", "rotate", "status", "CI"]).await;
    assert_ne!(status["old_secret_expires_at"], json!(null));
    admin.fails(&["keys", "rotate", "finish", "nobody"], 3).await;
}
