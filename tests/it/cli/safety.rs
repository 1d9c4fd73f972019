//! What a slip of the hand must not do.

use std::{io, process::Stdio};

use acceptance::{Caller, Database, on_each_database};
use serde_json::json;

use super::{Person, administrator};

on_each_database! {
    async fn whoever_asks_is_left_out_of_what_merely_fits(database: Database) {
        let (server, admin) = administrator(&database).await;
        for name in ["a", "b"] {
            admin.prints(&["keys", "new", name, "-q"]).await;
        }
        let would = admin.run(&["keys", "remove", "*", "--what-if"]).await;
        assert!(would.stderr.contains("2 of 3 API keys would be removed"), "{would:#?}");
        for change in [
            &["set", "*", "--disable"][..],
            &["set", "*", "--role", "verifier"],
            &["set", "*", "--expires-in", "1s"],
            &["remove", "*", "--force"],
        ] {
            let ended = admin.run(&[&["keys"], change].concat()).await;
            assert_eq!(ended.status.code(), Some(5), "{ended:#?}");
            assert!(ended.stderr.contains("\"First administrator\""), "{ended:#?}");
            assert!(ended.stderr.contains("is left out"), "{ended:#?}");
            assert!(ended.stderr.contains("2 of 3 API keys"), "{ended:#?}");
        }
        let ids = admin.prints(&["keys", "list", "-o", "id"]).await;
        assert_eq!(ids.lines().count(), 1);
        for name in ["-", "First administrator"] {
            let ended = admin.run_with(&["keys", "remove", name, "--force"], &ids).await;
            assert_eq!(ended.status.code(), Some(5), "{ended:#?}");
        }
        // What does not shut anybody out is for everybody.
        admin.prints(&["keys", "set", "*", "--description", "ours"]).await;

        let own = ["keys", "new", "own", "--role", "administrator", "--pass-thru"];
        let own = admin.shows(&own).await;
        let deputy = Person::new().at(&server).env("KEYSTILE_TOKEN", own["key"].as_str().unwrap());
        deputy.prints(&["keys", "remove", own["id"].as_str().unwrap(), "--force"]).await;
        assert_eq!(admin.prints(&["keys", "list", "--name", "own", "-o", "id"]).await, "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_be_has_every_form() {
    let (_server, admin) = administrator(&Database::Sqlite).await;
    for name in ["a", "b"] {
        admin.prints(&["keys", "new", name, "-q"]).await;
    }
    let set = ["keys", "set", "a", "--disable", "--what-if"];
    assert_eq!(admin.shows(&set).await["enabled"], json!(false));
    let both = admin.shows(&["keys", "set", "a", "b", "--disable", "--what-if"]).await;
    assert_eq!(both.as_array().unwrap().len(), 2);
    let remove = ["keys", "remove", "a", "b", "--what-if", "-o", "name"];
    assert_eq!(admin.prints(&remove).await, "a\nb\n");
    assert_eq!(admin.prints(&["keys", "list", "--enabled", "-o", "id"]).await.lines().count(), 3);
    let same = admin.run(&["keys", "set", "a", "--name", "a"]).await;
    assert!(same.stderr.contains("is so already"), "{same:#?}");
    let new = ["keys", "new", "c", "--what-if"];
    let would = admin.shows(&new).await;
    assert_eq!((&would["name"], &would["id"], &would["key_prefix"]), (&json!("c"), &NULL, &NULL));
    let line = admin.fails(&["roles", "new", "c", "--what-if", "-o", "id"], 2).await;
    assert!(line.contains("nothing is made"), "{line}");
    admin.prints(&["users", "new", "ann"]).await;
    let password = ["users", "set", "ann", "--password"];
    let changed = admin.run_with(&password, "quiet otters fold paper boats\n").await;
    assert!(changed.stderr.starts_with("Changed user \"ann\""), "{changed:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_quota_and_metadata_are_set_and_cleared() {
    let (_server, admin) = administrator(&Database::Sqlite).await;
    let new = ["keys", "new", "partner", "--rate-limit", "100/1m", "--rate-limit", "burst=20/1s"];
    let more = ["--quota", "10000/month", "--metadata", "team=billing", "--metadata", "seats=3"];
    let made = admin.shows(&[&new[..], &more, &["--pass-thru"]].concat()).await;
    let limits = json!([
        {"name": "burst", "limit": 20, "window_seconds": 1},
        {"name": "default", "limit": 100, "window_seconds": 60},
    ]);
    let mut given = made["rate_limits"].as_array().unwrap().clone();
    given.sort_by_key(|limit| limit["name"].to_string());
    assert_eq!(json!(given), limits);
    assert_eq!(
        (&made["quota"]["limit"], &made["quota"]["refill"]),
        (&json!(10000), &json!("month"))
    );
    assert_eq!(made["metadata"], json!({"team": "billing", "seats": 3}));
    let set =
        ["keys", "set", "partner", "--no-rate-limit", "--quota", "5", "--metadata", "team=null"];
    let changed = admin.shows(&[&set[..], &["--pass-thru"]].concat()).await;
    assert_eq!((&changed["rate_limits"], &changed["metadata"]), (&json!([]), &json!({"seats": 3})));
    assert_eq!(
        (&changed["quota"]["limit"], &changed["quota"]["refill"]),
        (&json!(5), &json!("none"))
    );
    let clear = ["keys", "set", "partner", "--no-quota", "--no-metadata", "--pass-thru"];
    let changed = admin.shows(&clear).await;
    assert_eq!((&changed["quota"], &changed["metadata"]), (&json!(null), &json!({})));

    let user = ["users", "new", "ann", "--rate-limit", "5/1s", "--metadata", "team=billing"];
    let user = admin.shows(&[&user[..], &["--pass-thru"]].concat()).await;
    assert_eq!(user["rate_limits"][0]["limit"], 5);
    let user = ["users", "set", "ann", "--no-rate-limit", "--no-metadata", "--pass-thru"];
    let user = admin.shows(&user).await;
    assert_eq!((&user["rate_limits"], &user["metadata"]), (&json!([]), &json!({})));
}

#[tokio::test(flavor = "multi_thread")]
async fn that_nobody_reads_what_is_said_changes_nothing() {
    let (server, admin) = administrator(&Database::Sqlite).await;
    let (_, unread) = io::pipe().unwrap();
    let mut new = admin.command(&["keys", "new", "CI"]);
    let ended = new.stdin(Stdio::null()).stderr(unread).output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    let key = String::from_utf8(ended.stdout).unwrap();
    let holder = server.api(Caller::Header(key.trim().to_owned()));
    holder.get("/api/v1/me").await.expect(200);
    // Who reads nothing of a list that has no end has heard enough.
    let (_, unread) = io::pipe().unwrap();
    let mut follow = admin.command(&["audit", "follow", "--tail", "1"]);
    let ended = follow.stdin(Stdio::null()).stdout(unread).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((ended.status.code(), &ended.stderr[..]), (Some(0), &b""[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_changed_by_what_would_be_or_without_an_answer() {
    let (_server, admin) = administrator(&Database::Sqlite).await;
    admin.prints(&["users", "new", "bot", "--service-account"]).await;
    admin.prints(&["tokens", "new", "nightly", "--user", "bot", "--expires-in", "1d", "-q"]).await;
    admin.prints(&["roles", "new", "reader"]).await;
    admin.prints(&["providers", "new", "Partners", "--kind", "api_key"]).await;
    admin.prints(&["keys", "new", "CI", "-q"]).await;
    let lists = [
        &["keys", "list"][..],
        &["tokens", "list", "--user", "bot"],
        &["users", "list"],
        &["roles", "list"],
        &["providers", "list"],
    ];
    let all = async || {
        let mut all = Vec::new();
        for list in lists {
            let mut shown = admin.shows(list).await;
            // Who asks is used by asking.
            shown.as_array_mut().unwrap().iter_mut().for_each(|one| {
                one["last_used_at"] = NULL;
            });
            all.push(shown);
        }
        all
    };
    let before = all().await;
    for change in [
        &["keys", "new", "other"][..],
        &["keys", "set", "CI", "--description", "x"],
        &["keys", "remove", "CI"],
        &["keys", "rotate", "CI"],
        &["tokens", "new", "other", "--user", "bot", "--expires-in", "1d"],
        &["tokens", "remove", "nightly", "--user", "bot"],
        &["tokens", "rotate", "nightly", "--user", "bot"],
        &["users", "new", "ann"],
        &["users", "set", "bot", "--disable"],
        &["users", "remove", "bot", "--revoke-tokens"],
        &["roles", "new", "other"],
        &["roles", "set", "reader", "--description", "x"],
        &["roles", "remove", "reader"],
        &["providers", "new", "Others", "--kind", "api_key"],
        &["providers", "set", "partners", "--disable"],
        &["providers", "remove", "partners"],
    ] {
        let would = admin.run(&[change, &["--what-if"]].concat()).await;
        let said = format!("{}{}", would.stdout, would.stderr);
        assert!(would.status.success() && said.contains("would"), "{change:?}: {would:#?}");
        let asked = admin.run(&[change, &["--confirm"]].concat()).await;
        assert_eq!(asked.status.code(), Some(2), "{change:?}: {asked:#?}");
        if change[1] == "remove" {
            let asked = admin.run(change).await;
            assert_eq!(asked.status.code(), Some(2), "{change:?}: {asked:#?}");
        }
        assert_eq!(all().await, before, "{change:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_failure_says_of_what_it_is() {
    let (_server, admin) = administrator(&Database::Sqlite).await;
    for name in ["a", "b"] {
        admin.prints(&["keys", "new", name, "-q"]).await;
    }
    let past = ["keys", "set", "a", "b", "--expires-at", "2020-01-01"];
    let refused = admin.run(&past).await;
    for name in ["API key \"a\"", "API key \"b\""] {
        assert!(refused.stderr.contains(&format!("keystile: {name}")), "{refused:#?}");
    }
    let nobody = admin.run_with(&["keys", "set", "-", "--disable"], "\n").await;
    assert!(nobody.status.success() && nobody.stderr.contains("no ids came"), "{nobody:#?}");
    let none = admin.run(&["keys", "list", "--limit", "0"]).await;
    assert_eq!(none.status.code(), Some(2), "{none:#?}");
}

const NULL: serde_json::Value = serde_json::Value::Null;
