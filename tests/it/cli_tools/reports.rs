//! `verify`, `insights`, `audit` and `usage`.

use acceptance::{Caller, Database, Key, Output, started, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use super::Desk;

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_is_checked_without_standing_on_the_command_line() {
    let (server, admin) = started(&Database::Sqlite).await;
    let desk = Desk::at(&server, &admin);
    let key = Key::holding(&admin, "CI", &[4]).await;
    let asked = ["verify", "--permission", "keystile.keys.verify", "-o", "json"];
    let said = desk.tell(&asked, &format!("{}\n", key.secret)).await.expect(0);
    assert_eq!(said.json()["credential"]["name"], "CI");

    let said = desk.tell(&["verify", "--permission", "a.b", "--explain"], &key.secret).await;
    let said = said.expect(4);
    assert!(said.stdout.contains("missing: a.b"), "{said:#?}");
    assert!(said.stderr.contains("insufficient_permissions"), "{said:#?}");
    let endpoint = ["verify", "--endpoint", "GET", "/billing/v1/invoices"];
    desk.tell(&endpoint, &key.secret).await.expect(4);

    desk.run(&["verify", &key.secret]).await.expect(2);
    desk.run(&["verify", &key.secret, "--force"]).await.expect(0);
    desk.run(&["verify"]).await.expect(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_could_not_be_asked_is_no_verdict() {
    let (server, admin) = started(&Database::Sqlite).await;
    let mut desk = Desk::at(&server, &admin);
    let key = Key::holding(&admin, "CI", &[4]).await;
    for token in ["ks_nobody", &Key::holding(&admin, "no roles", &[]).await.secret] {
        desk.token = token.to_owned();
        let said = desk.tell(&["verify"], &key.secret).await.expect(1);
        assert!(said.stdout.is_empty() && said.stderr.contains("could not be asked"), "{said:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_deserve_attention_are_counted_and_listed() {
    let (server, admin) = started(&Database::Sqlite).await;
    let desk = Desk::at(&server, &admin);
    let role = json!({"name": "wide", "permissions": ["a.b", "c.d"]});
    let role = admin.post("/api/v1/roles", role).await.expect(201).body["id"].as_i64().unwrap();
    let key = Key::holding(&admin, "forgotten", &[role]).await;
    let said = desk.run(&["insights", "--older-than-days", "0"]).await.expect(0);
    let row = said.stdout.lines().find(|line| line.starts_with("never-used")).unwrap();
    assert!(row.contains("forgotten"), "{said:#?}");
    let never = ["insights", "never-used", "--older-than-days", "0", "-o", "name"];
    assert!(desk.run(&never).await.expect(0).stdout.contains("forgotten"));
    desk.tell(&["verify", "--permission", "a.b", "--cost", "1"], &key.secret).await.expect(0);
    until("what was not needed is seen", async || {
        let over = ["insights", "over-granted", "--older-than-days", "0", "-o", "json"];
        let over = desk.run(&over).await.expect(0).json();
        let over = over.as_array().unwrap().iter().find(|over| over["id"] == key.id).cloned();
        over.is_some_and(|over| over["unexercised_permissions"] == json!(["c.d"]))
    })
    .await;
    let all = desk.run(&["insights", "-o", "json"]).await.expect(0).json();
    assert!(all["without_expiry"]["total"].as_i64().unwrap() >= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_end_soon_or_were_not_used_for_long_are_named_by_how_many_days() {
    let (server, admin) = started(&Database::Sqlite).await;
    let desk = Desk::at(&server, &admin);
    desk.run(&["keys", "new", "ending", "--expires-in", "5d", "-q"]).await.expect(0);
    let named = async |insight: &[&str]| {
        let insight = [&["insights"], insight, &["-o", "name"]].concat();
        desk.run(&insight).await.expect(0).stdout
    };
    assert_eq!(named(&["expiring", "--expiring-days", "7"]).await, "ending\n");
    assert_eq!(named(&["expiring", "--expiring-days", "3"]).await, "");
    assert_eq!(named(&["unused", "--unused-days", "1"]).await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_of_a_credential_is_what_is_judged() {
    let (server, admin) = started(&Database::Sqlite).await;
    let desk = Desk::at(&server, &admin);
    let new = json!({ "name": "k", "role_ids": [4], "allowed_ips": ["192.0.2.0/24"] });
    let key = Key::made(&admin, new).await;
    for (more, code) in [
        (&["--ip", "192.0.2.7"][..], 0),
        (&["--ip", "198.51.100.7"], 4),
        (&["--ip", "192.0.2.7", "--expression", "keystile.keys.verify"], 0),
        (&["--ip", "192.0.2.7", "--expression", "keystile.users.write"], 4),
        (&["--ip", "192.0.2.7", "--transport", "secure"], 0),
        (&["--ip", "192.0.2.7", "--source", "query"], 4),
    ] {
        let said = desk.tell(&[&["verify"], more].concat(), &key.secret).await;
        assert_eq!(said.code, Some(code), "{more:?}: {said:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_listed_followed_and_verified() {
    let (server, admin) = started(&Database::Sqlite).await;
    let desk = Desk::at(&server, &admin);
    let head = desk.run(&["audit", "verify"]).await.expect(0);
    let kept = head.stderr.split("elsewhere: ").nth(1).unwrap().trim();

    let mut following = desk.begin(&["audit", "follow", "--tail", "1"]);
    let shown = Output::collect(following.stdout.take().unwrap());
    until("it has begun", async || !shown.text().is_empty()).await;
    admin.post("/api/v1/roles", json!({"name": "followed"})).await.expect(201);
    until("it is told", async || shown.text().contains("role.created role followed")).await;
    let pid = Pid::from_raw(following.id().unwrap().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    assert!(following.wait().await.unwrap().success());

    let mut following = desk.begin(&["audit", "follow", "--tail", "1", "-o", "csv"]);
    let shown = Output::collect(following.stdout.take().unwrap());
    until("what was before is told", async || shown.text().lines().count() == 2).await;
    admin.post("/api/v1/roles", json!({"name": "followed too"})).await.expect(201);
    until("it is told", async || shown.text().lines().count() == 3).await;
    let list = desk.run(&["audit", "list", "--limit", "2", "-o", "csv"]).await.expect(0).stdout;
    let list: Vec<_> = list.lines().collect();
    assert_eq!(shown.text().lines().collect::<Vec<_>>(), [list[0], list[2], list[1]]);
    following.kill().await.unwrap();

    let list = ["audit", "list", "--target", "role", "--since", "1h", "-o", "json"];
    let list = desk.run(&list).await.expect(0).json();
    assert_eq!(list[0]["target"]["name"], "followed too");
    desk.run(&["audit", "verify", "--head", kept]).await.expect(0);
    let (seq, _) = kept.split_once(':').unwrap();
    let other = format!("{seq}:{}", "0".repeat(64));
    let said = desk.run(&["audit", "verify", "--head", &other]).await.expect(1);
    assert!(said.stderr.contains("rewritten"), "{said:#?}");
    let said = desk.run(&["audit", "verify", "--head", &other, "-o", "json"]).await.expect(1);
    let found = said.json();
    assert_eq!((&found["valid"], &found["head_found"]), (&json!(false), &json!(false)));
    for broken in ["1:abc", "60:", "x"] {
        let said = desk.run(&["audit", "verify", "--head", broken]).await.expect(2);
        assert!(said.stderr.contains("SEQ:HASH"), "{said:#?}");
    }
    let said = desk.run(&["audit", "list", "--actor", "ann"]).await.expect(2);
    assert!(said.stderr.contains("by id alone"), "{said:#?}");
    desk.run(&["audit", "verify", "--head", &format!("99999:{}", "0".repeat(64))]).await.expect(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_changed_is_no_valid_one_whatever_else_is_asked() {
    let Some(database) = Database::postgres().await else { return };
    let Database::Postgres(url) = &database else { unreachable!() };
    let (server, admin) = started(&database).await;
    let role = json!({"name": "reads the log", "permissions": ["keystile.audit.read"]});
    let role = admin.post("/api/v1/roles", role).await.expect(201).body["id"].as_i64().unwrap();
    let auditor = Key::holding(&admin, "auditor", &[role]).await;
    let mut desk = Desk::at(&server, &admin);
    desk.token = auditor.secret;
    let head = desk.run(&["audit", "verify"]).await.expect(0);
    let head = head.stderr.split("elsewhere: ").nth(1).unwrap().trim().to_owned();
    let (_, name) = url.rsplit_once('/').unwrap();
    let change = "UPDATE events SET reason = 'because' WHERE seq = 2";
    acceptance::Postgres::shared().execute(name, change).await;
    for more in [&[][..], &["--head", &head]] {
        let said = desk.run(&[&["audit", "verify"], more].concat()).await.expect(1);
        assert!(said.stderr.contains("broken at 2"), "{said:#?}");
        let form = [&["audit", "verify", "-o", "json"], more].concat();
        let found = desk.run(&form).await.expect(1).json();
        assert_eq!((&found["valid"], &found["broken"]["seq"]), (&json!(false), &json!(2)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_use_of_a_key_is_a_chart() {
    let (server, admin) = started(&Database::Sqlite).await;
    let desk = Desk::at(&server, &admin);
    let key = Key::holding(&admin, "CI", &[]).await;
    let unused = desk.run(&["keys", "usage", "CI"]).await.expect(0);
    assert!(unused.stdout.starts_with("last used never"), "{unused:#?}");
    admin.with(Caller::Header(key.secret)).get("/api/v1/me").await.expect(200);
    until("it is seen", async || {
        let said = desk.run(&["keys", "usage", "CI", "--by", "hour"]).await.expect(0);
        said.stdout.contains("█ 1 let in")
    })
    .await;
}
