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

#[tokio::test(flavor = "multi_thread")]
async fn another_rotation_says_that_it_ends_the_older_secret() {
    let (_server, admin) = administrator(&Database::Sqlite).await;
    admin.prints(&["keys", "new", "CI", "--role", "4", "-q"]).await;
    let first = admin.run(&["keys", "rotate", "CI", "--overlap", "1d"]).await;
    assert!(first.status.success() && !first.stderr.contains("older"), "{first:#?}");
    let status = admin.prints(&["keys", "rotate", "status", "CI"]).await;
    assert!(status.contains("Nobody has shown it") && status.contains("5 seconds"), "{status}");
    let status = admin.shows(&["keys", "rotate", "status", "CI"]).await;
    assert_eq!(status["uses"], json!([]));

    let would = admin.prints(&["keys", "rotate", "CI", "--overlap", "12h", "--what-if"]).await;
    for part in ["role ids", "works for 12h more", "ends at once"] {
        assert!(would.contains(part), "{part}: {would}");
    }
    assert!(!would.contains("key prefix") && !would.contains("updated at"), "{would}");
    let second = admin.run(&["keys", "rotate", "CI", "--overlap", "12h"]).await;
    assert!(second.status.success() && second.stderr.contains("older secret"), "{second:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_become_of_an_old_secret_is_said_before_it_does() {
    let (_server, admin) = administrator(&Database::Sqlite).await;
    admin.prints(&["keys", "new", "CI", "--expires-in", "1h", "-q"]).await;
    let would = admin.prints(&["keys", "rotate", "CI", "--overlap", "1d", "--what-if"]).await;
    assert!(would.contains("works until the API key ends, in "), "{would}");
    let refused = admin.run(&["keys", "rotate", "CI", "--overlap", "500ms"]).await;
    assert_eq!(refused.status.code(), Some(2), "{refused:#?}");
    assert!(refused.stderr.contains("--overlap"), "{refused:#?}");
    assert!(refused.stderr.contains("whole seconds"), "{refused:#?}");

    admin.prints(&["keys", "rotate", "CI", "--overlap", "10m", "-q"]).await;
    let before = admin.prints(&["keys", "rotate", "status", "CI", "--absolute"]).await;
    for (step, fate) in [
        (&["extend", "CI", "--overlap", "30m"][..], "The old secret ends in 30 minutes."),
        (&["finish", "CI"], "The old secret ends now."),
    ] {
        let step = [&["keys", "rotate"], step].concat();
        let would = admin.prints(&[&step, &["--what-if"][..]].concat()).await;
        let asked = admin.run(&[&step, &["--confirm"][..]].concat()).await;
        assert_eq!(asked.status.code(), Some(2), "{asked:#?}");
        for told in [would, asked.stderr] {
            assert!(told.starts_with("What if: would "), "{told}");
            assert!(told.contains(fate) && told.contains("Nobody has shown it"), "{told}");
        }
    }
    assert_eq!(admin.prints(&["keys", "rotate", "status", "CI", "--absolute"]).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn rotate_can_stay_until_the_old_secret_has_ended() {
    let (_server, admin) = administrator(&Database::Sqlite).await;
    admin.prints(&["keys", "new", "CI", "-q"]).await;
    let watched = admin.run(&["keys", "rotate", "CI", "--overlap", "2s", "--watch"]).await;
    assert!(watched.status.success(), "{watched:#?}");
    let lines = ["The old secret ends in ", "Nobody has shown it", "The old secret "];
    let mut rest = watched.stderr.as_str();
    for line in lines {
        rest = rest.split_once(line).unwrap_or_else(|| panic!("{line}: {watched:#?}")).1;
    }
    assert!(rest.contains("ended"), "{watched:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_rotates_what_they_are_signed_in_with_stays_so() {
    let (server, admin) = administrator(&Database::Sqlite).await;
    let new = ["keys", "new", "own", "--role", "administrator", "-q"];
    let first = admin.prints(&new).await;
    let person = Person::new();
    let login = person.run_with(&["login", &server.url(), "--profile", "mine"], &first).await;
    assert!(login.status.success(), "{login:#?}");
    let would = person.prints(&["keys", "rotate", "own", "--what-if"]).await;
    assert!(would.contains("profile mine has the new key"), "{would}");
    for more in [&[][..], &["--watch"], &["--overlap", "1h"]] {
        let rotated = person.run(&[&["keys", "rotate", "own"], more].concat()).await;
        assert!(rotated.status.success(), "{rotated:#?}");
        assert!(rotated.stderr.contains("profile mine has the new key"), "{rotated:#?}");
        assert_eq!(person.prints(&["whoami", "-o", "name"]).await, "own\n");
        let profiles = std::fs::read_to_string(person.profiles()).unwrap();
        assert!(profiles.contains(rotated.stdout.trim()), "{rotated:#?}");
    }
    let told = admin.run(&["keys", "rotate", "First administrator"]).await;
    assert!(told.stderr.contains("KEYSTILE_TOKEN holds the old key"), "{told:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_there_is_not_is_refused_before_anything_is_done() {
    let (_server, admin) = administrator(&Database::Sqlite).await;
    let old = admin.prints(&["keys", "new", "CI", "-q"]).await;
    admin.prints(&["keys", "rotate", "CI", "--overlap", "1h", "-q"]).await;
    for command in [
        &["keys", "rotate", "finish", "CI", "--pass-thru", "-o", "id"][..],
        &["keys", "rotate", "extend", "CI", "--overlap", "2h", "-o", "name"],
        &["keys", "usage", "CI", "-o", "id"],
        &["audit", "verify", "-o", "name"],
    ] {
        let line = admin.fails(command, 2).await;
        assert!(line.contains("leave -o out"), "{line}");
    }
    let asked = admin.run_with(&["verify", "--cost", "1", "-o", "id"], &old).await;
    assert_eq!(asked.status.code(), Some(2), "{asked:#?}");
    let status = admin.prints(&["keys", "rotate", "status", "CI"]).await;
    assert!(status.contains("The old secret ends in "), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_others_are_asked_for_by_their_owner() {
    let (_server, admin) = administrator(&Database::Sqlite).await;
    admin.prints(&["users", "new", "bot", "--service-account"]).await;
    admin.prints(&["tokens", "new", "CI", "--user", "bot", "--expires-in", "1d", "-q"]).await;
    let refused = admin.fails(&["tokens", "rotate", "status", "CI"], 4).await;
    assert!(refused.contains("--user"), "{refused}");
    let refused = admin.fails(&["users", "remove", "bot", "--force"], 1).await;
    assert!(refused.contains("--revoke-tokens"), "{refused}");
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

    let uses = prints(&["status", "CI", "-o", "csv"]).await;
    assert!(uses.starts_with("address,user_agent,count,last_at\n127.0.0.1,"), "{uses}");

    let would = person.shows(&[&before, &["finish", "CI", "--what-if"][..], whose].concat()).await;
    assert!(would["old_secret_expires_at"].is_string(), "{would}");
    prints(&["finish", "CI"]).await;
    holder.get("/api/v1/me").await.refused();
    server.api(Caller::Bearer(new.trim().to_owned())).get("/api/v1/me").await.expect(200);
    let status = prints(&["status", "CI", "-o", "json"]).await;
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_ne!(status["old_secret_expires_at"], json!(null));
}
