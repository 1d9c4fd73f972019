//! What scripts do: ids from one command to the next, secrets into variables.

use std::{
    fs::{self, OpenOptions},
    io,
    process::Stdio,
};

use acceptance::{Caller, Database, on_each_database, until};

use super::{Failing, Person, administrator};

on_each_database! {
    async fn ids_go_from_one_command_to_the_next(database: Database) {
        let (server, admin) = administrator(&database).await;
        for name in ["temp-1", "temp-2", "stays"] {
            admin.prints(&["keys", "new", name, "-q"]).await;
        }
        let past = ["keys", "list", "--expires-before", "2026-01-01T00:00:00Z", "-o", "id"];
        assert_eq!(admin.prints(&past).await, "");

        // Get-JIMApiKey | Where-Object { $_.ExpiresAt -lt (Get-Date) } | Set-JIMApiKey -Disable
        let brief = admin.prints(&["keys", "new", "brief", "--expires-in", "1s", "-q"]).await;
        let expired = ["keys", "list", "--expired", "-o", "id"];
        until("it has ended", async || !admin.prints(&expired).await.is_empty()).await;
        let holder = Person::new().at(&server).env("KEYSTILE_TOKEN", brief.trim());
        assert!(holder.fails(&["whoami"], 4).await.contains("invalid_credential"));
        let ids = admin.prints(&expired).await;
        let disabled = admin.run_with(&["keys", "set", "-", "--disable"], &ids).await;
        assert!(disabled.status.success(), "{disabled:#?}");
        assert_eq!(admin.prints(&["keys", "list", "--disabled", "-o", "name"]).await, "brief\n");
        admin.prints(&["keys", "remove", "brief", "--force"]).await;

        // Get-JIMApiKey | Where-Object … | Set-JIMApiKey -Disable
        let ids = admin.prints(&["keys", "list", "--name", "temp-*", "-o", "id"]).await;
        let disabled = admin.run_with(&["keys", "set", "-", "--disable"], &ids).await;
        assert!(disabled.status.success() && disabled.stdout.is_empty(), "{disabled:#?}");
        let listed = admin.prints(&["keys", "list", "--disabled", "--sort", "name", "-o", "name"]);
        assert_eq!(listed.await, "temp-1\ntemp-2\n");

        // Get-JIMApiKey | Where-Object { $_.Name -like "temp-*" } | Remove-JIMApiKey -Force
        let unforced = admin.run_with(&["keys", "remove", "-"], &ids).await;
        assert!(unforced.fails(2).contains("--force"), "{unforced:#?}");
        let gone = format!("{ids}\n01890a5d-ac96-774b-bcce-b302099a8057\n");
        let removed = admin.run_with(&["keys", "remove", "-", "--force"], &gone).await;
        assert_eq!(removed.status.code(), Some(5), "{removed:#?}");
        assert!(removed.stderr.contains("2 of 3 API keys removed"), "{removed:#?}");
        let left = admin.prints(&["keys", "list", "-o", "name"]).await;
        assert_eq!(left, "stays\nFirst administrator\n");

        let nothing = admin.run_with(&["keys", "remove", "-", "--force"], "").await;
        assert!(nothing.status.success(), "{nothing:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pattern_stands_for_all_that_fit_and_a_name_for_one() {
    let (server, admin) = administrator(&Database::Sqlite).await;
    for name in ["twin", "twin", "temp-1", "temp-2"] {
        admin.prints(&["keys", "new", name, "-q"]).await;
    }
    let line = admin.fails(&["keys", "set", "twin", "--disable"], 2).await;
    let ids = admin.prints(&["keys", "list", "--name", "twin", "-o", "id"]).await;
    for id in ids.lines() {
        assert!(line.contains(id), "{id} in {line}");
    }
    admin.prints(&["keys", "remove", "temp-*", "--force"]).await;
    assert!(admin.fails(&["keys", "remove", "temp-*", "--force"], 3).await.contains("temp-*"));
    let several = admin.run(&["keys", "get", "temp-*", &ids[..36], "nobody", "-o", "name"]).await;
    assert_eq!((several.status.code(), several.stdout.as_str()), (Some(5), "twin\n"));

    let all = server.admin().with(Caller::Header(server.admin_key()));
    assert_eq!(all.get("/api/v1/api-keys?enabled=false").await.expect(200).body["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn standard_input_has_ids_and_neither_names_nor_patterns() {
    let (_server, admin) = administrator(&Database::Sqlite).await;
    admin.prints(&["keys", "new", "*", "-q"]).await;
    let id = admin.prints(&["keys", "list", "--name", "First*", "-o", "id"]).await;
    for lines in ["*\n".to_owned(), format!("{id}First administrator\n")] {
        let refused = admin.run_with(&["keys", "remove", "-", "--force"], &lines).await;
        assert!(refused.fails(2).contains("of standard input is no API key's id"), "{refused:#?}");
    }
    assert_eq!(admin.prints(&["keys", "list", "-o", "id"]).await.lines().count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_nobody_gets_is_told_of() {
    let (_server, admin) = administrator(&Database::Sqlite).await;
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let (_, unread) = io::pipe().unwrap();
    for (name, output) in [("full", Stdio::from(full)), ("unread", Stdio::from(unread))] {
        let mut new = admin.command(&["keys", "new", name, "-q"]);
        let ended = new.stdin(Stdio::null()).stdout(output).stderr(Stdio::piped()).output();
        let ended = ended.unwrap();
        let told = String::from_utf8(ended.stderr).unwrap();
        let id = admin.prints(&["keys", "list", "--name", name, "-o", "id"]).await;
        assert_eq!(ended.status.code(), Some(5), "{told}");
        assert!(told.contains(id.trim()) && told.contains("is lost"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_be_done_is_not_told_as_done() {
    let (_server, admin) = administrator(&Database::Sqlite).await;
    admin.prints(&["keys", "new", "old", "-q"]).await;
    for what in ["new", "rotate"] {
        let told = admin.run(&["keys", what, "old", "--what-if", "-o", "json"]).await;
        assert!(told.status.success() && told.stdout.contains("\"old\""), "{told:#?}");
        assert!(told.stderr.starts_with("What if: would "), "{told:#?}");
    }
    let import = admin.home().join("keys.ndjson");
    fs::write(&import, "{\"name\": \"CI\"}\n").unwrap();
    let import = ["import", "keys.ndjson", "--secrets", "secrets.ndjson"];
    admin.prints(&[&import[..], &["--what-if"]].concat()).await;
    assert!(!admin.home().join("secrets.ndjson").exists());
    admin.prints(&import).await;
    assert!(fs::read_to_string(admin.home().join("secrets.ndjson")).unwrap().contains("ks_"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_where_there_is_no_terminal_and_nothing_is_guessed() {
    let (_server, admin) = administrator(&Database::Sqlite).await;
    admin.prints(&["keys", "new", "precious", "-q"]).await;
    assert!(admin.fails(&["keys", "remove", "precious"], 2).await.contains("--force"));
    let asked = admin.run(&["keys", "set", "precious", "--disable", "--confirm"]).await;
    assert_eq!(asked.status.code(), Some(2), "{asked:#?}");
    assert!(asked.stderr.contains("enabled: true becomes false"), "{asked:#?}");
    assert_eq!(admin.shows(&["keys", "get", "precious"]).await["enabled"], true);
}
