//! A new secret, and the farewell to the old one.

use std::process::Stdio;

use acceptance::{Caller, Database, Server};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};

use super::{Person, administrator};

#[tokio::test(flavor = "multi_thread")]
async fn an_old_secret_is_extended_watched_and_finished() {
    let (server, admin) = administrator(&Database::Sqlite).await;
    let old = admin.prints(&["keys", "new", "CI", "--role", "4", "-q"]).await;
    see_off(&server, &admin, "keys", &[], old.trim()).await;
    admin.fails(&["keys", "rotate", "finish", "nobody"], 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_is_that_of_a_token_ones_own_or_somebody_elses() {
    let (server, admin) = administrator(&Database::Sqlite).await;
    admin.prints(&["users", "new", "bot", "--service-account"]).await;
    let new = async |name, span| {
        let arguments = ["tokens", "new", name, "--user", "bot", "--expires-in", span, "-q"];
        admin.prints(&arguments).await.trim().to_owned()
    };
    // A token rotates none that lives longer than itself.
    let (its, old) = (new("its own", "31d").await, new("CI", "30d").await);
    see_off(&server, &admin, "tokens", &["--user", "bot"], &old).await;
    let bot = Person::new().at(&server).env("KEYSTILE_TOKEN", &its);
    let again = bot.prints(&["tokens", "rotate", "CI", "--overlap", "1h", "-q"]).await;
    see_off(&server, &bot, "tokens", &[], again.trim()).await;
    admin.fails(&["tokens", "rotate", "finish", "nobody", "--user", "bot"], 3).await;
}

/// Rotates the key or token `CI` of this secret, and goes all the way until the secret has ended.
async fn see_off(server: &Server, person: &Person, group: &str, whose: &[&str], old: &str) {
    let before = [group, "rotate"];
    let prints = async |words: &[&str]| person.prints(&[&before, words, whose].concat()).await;
    let holder = server.api(Caller::Bearer(old.to_owned()));
    let told = prints(&["CI", "--what-if"]).await;
    assert!(told.starts_with("What if: would rotate ") && told.contains("\"CI\""), "{told}");
    holder.get("/api/v1/me").await.expect(200);

    let asked = person.run(&[&before, &["CI", "--confirm"][..], whose].concat()).await;
    assert_eq!(asked.status.code(), Some(2), "{asked:#?}");
    assert!(asked.stderr.starts_with("What if: would rotate "), "{asked:#?}");
    holder.get("/api/v1/me").await.expect(200);

    let new = prints(&["CI", "--overlap", "1h", "-q"]).await;
    assert_ne!(new.trim(), old);
    holder.get("/api/v1/me").await.expect(200);
    prints(&["extend", "CI", "--overlap", "2d"]).await;
    let told = prints(&["status", "CI"]).await;
    assert!(told.contains("ends in 2 days"), "{told}");

    let watch = [&before, &["status", "CI", "--watch"][..], whose].concat();
    let mut watch = tokio::process::Command::from(person.command(&watch));
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

    let would = person.shows(&[&before, &["finish", "CI", "--what-if"][..], whose].concat()).await;
    assert!(would["old_secret_expires_at"].is_string(), "{would}");
    prints(&["finish", "CI"]).await;
    holder.get("/api/v1/me").await.refused();
    server.api(Caller::Bearer(new.trim().to_owned())).get("/api/v1/me").await.expect(200);
    let status = prints(&["status", "CI", "-o", "json"]).await;
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_ne!(status["old_secret_expires_at"], json!(null));
}
