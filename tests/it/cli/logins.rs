//! More than one sign-in: which one counts, what replaces what, and what wins.

use std::{fs, os::unix::fs::symlink};

use acceptance::{Certificates, Database, Options, Server, scratch};
use serde_json::json;

use super::{Failing, Person, administrator};

#[tokio::test(flavor = "multi_thread")]
async fn profiles_are_listed_chosen_and_removed() {
    let options = Options::on(&Database::Sqlite);
    let other = options.clone().with_own_data();
    let (one, other) = tokio::join!(Server::start(&options), Server::start(&other));
    let person = Person::new();
    // Who keeps settings elsewhere keeps them there.
    let elsewhere = person.home().join("dotfiles/profiles.toml");
    fs::create_dir_all(person.profiles().parent().unwrap()).unwrap();
    symlink(&elsewhere, person.profiles()).unwrap();
    for (name, server) in [("one", &one), ("other", &other)] {
        signs_in(&person, server, &["--profile", name]).await;
    }
    assert!(fs::symlink_metadata(person.profiles()).unwrap().is_symlink());
    assert!(fs::read_to_string(&elsewhere).unwrap().contains(&one.admin_key()));

    let listed = person.shows(&["profiles", "list"]).await;
    assert_eq!((&listed[0]["name"], &listed[0]["current"]), (&json!("one"), &json!(false)));
    assert_eq!((&listed[1]["name"], &listed[1]["current"]), (&json!("other"), &json!(true)));
    assert!(!listed.to_string().contains("ks_"), "{listed}");
    person.prints(&["profiles", "use", "one"]).await;
    let told = person.prints(&["whoami"]).await;
    assert!(told.contains(&one.url()) && told.contains("profile one"), "{told}");
    assert!(person.fails(&["profiles", "use", "third"], 3).await.contains("one, other"));

    // Flags of every command stand in front of it, too.
    let told = person.prints(&["--profile", "other", "whoami"]).await;
    assert!(told.contains(&other.url()), "{told}");
    assert!(person.prints(&["-o", "name", "keys", "list"]).await.contains("First administrator"));
    let stray = person.run(&["--profile", "one", "serve"]).await;
    assert_eq!(stray.status.code(), Some(2), "{stray:#?}");
    assert!(stray.stderr.contains("--profile is for commands that ask"), "{stray:#?}");

    let key = other.admin_key();
    let login = ["login", &other.url(), "--profile", "staging"];
    let file = format!("admin_password = x\nadmin_api_key = {key}\n");
    let refused = person.run_with(&login, &file).await;
    let line = refused.fails(2);
    assert!(line.contains("sed -n 's/^admin_api_key = //p'") && !line.contains(&key), "{line}");
    let staging = person.run_with(&login, &key).await;
    assert!(staging.stderr.contains("profile staging (now current)"), "{staging:#?}");
    person.prints(&["profiles", "remove", "staging"]).await;
    person.prints(&["profiles", "use", "one"]).await;

    let removed = person.run(&["profiles", "remove", "one"]).await;
    assert!(removed.stderr.contains("`keystile profiles use NAME`"), "{removed:#?}");
    // What nobody named is not asked.
    let line = person.fails(&["whoami"], 2).await;
    assert!(line.contains("no profile counts") && line.contains("other"), "{line}");
    assert_eq!(person.prints(&["profiles", "list", "-o", "name"]).await, "other\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_file_of_profiles_is_named_and_holds_up_nobody_who_needs_none() {
    let (server, admin) = administrator(&Database::Sqlite).await;
    let person = Person::new();
    signs_in(&person, &server, &[]).await;
    fs::write(person.profiles(), "x = [").unwrap();
    for command in [&["whoami"][..], &["login", &server.url()], &["logout"]] {
        let line = person.fails(command, 1).await;
        assert!(line.contains("profiles.toml") && line.contains("remove it"), "{line}");
    }
    let told = person.at(&server).env("KEYSTILE_TOKEN", &format!("{}\r\n", server.admin_key()));
    assert_eq!(told.prints(&["whoami", "-o", "name"]).await, "First administrator\n");
    let unnamed = admin.run(&["whoami", "--profile", ""]).await;
    assert_eq!(unnamed.status.code(), Some(2), "{unnamed:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_works_is_not_replaced_without_a_word() {
    let (server, admin) = administrator(&Database::Sqlite).await;
    let new = ["keys", "new", "deputy", "--role", "administrator", "-q"];
    let deputy = admin.prints(&new).await;
    let person = Person::new();
    signs_in(&person, &server, &[]).await;
    // With the same key it is the same sign-in.
    signs_in(&person, &server, &[]).await;
    let refused = person.run_with(&["login", &server.url()], &deputy).await;
    let line = refused.fails(2);
    assert!(line.contains("First administrator") && line.contains("--force"), "{line}");
    let replaced = person.run_with(&["login", &server.url(), "--force"], &deputy).await;
    assert!(replaced.status.success(), "{replaced:#?}");
    assert_eq!(person.prints(&["whoami", "-o", "name"]).await, "deputy\n");
    // What has ended is no loss.
    admin.prints(&["keys", "set", "deputy", "--disable"]).await;
    let line = person.fails(&["whoami"], 4).await;
    assert!(line.contains("keystile login"), "{line}");
    signs_in(&person, &server, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_a_sign_in_made_ends_when_it_is_replaced() {
    let (server, admin) = administrator(&Database::Sqlite).await;
    admin.prints(&["users", "new", "bot", "--service-account", "--role", "auditor"]).await;
    let made = admin.shows(&["tokens", "new", "made", "--user", "bot"]).await;
    // As `login --sso` writes it.
    let person = Person::new();
    signs_in(&person, &server, &[]).await;
    let (token, id) = (made["token"].as_str().unwrap(), made["id"].as_str().unwrap());
    let profiles = fs::read_to_string(person.profiles()).unwrap();
    let profiles = profiles.replace(&server.admin_key(), token);
    let profiles = format!("{profiles}made = \"{id}\"\n");
    fs::write(person.profiles(), profiles).unwrap();
    assert_eq!(person.prints(&["whoami", "-o", "name"]).await, "bot\n");

    signs_in(&person, &server, &["--force"]).await;
    assert_eq!(admin.prints(&["tokens", "list", "--user", "bot", "-o", "id"]).await, "");
    assert!(!fs::read_to_string(person.profiles()).unwrap().contains("made"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_environment_wins_over_is_said() {
    let server = Server::start(&Options::on(&Database::Sqlite)).await;
    let person = Person::new();
    signs_in(&person, &server, &["--profile", "mine"]).await;
    let person = person.env("KEYSTILE_TOKEN", &server.admin_key());
    let told = person.run(&["whoami", "--profile", "mine"]).await;
    assert!(told.stdout.contains("kept in      KEYSTILE_TOKEN"), "{told:#?}");
    assert!(told.stderr.contains("KEYSTILE_TOKEN wins over what profile mine has"), "{told:#?}");
    assert_eq!(person.run(&["whoami", "--profile", "mine", "-q"]).await.stderr, "");

    let person = person.env("KEYSTILE_TOKEN", "ks_wrong");
    let line = person.fails(&["keys", "list"], 4).await;
    assert!(line.contains("KEYSTILE_TOKEN") && !line.contains("keystile login"), "{line}");
    // What was just given is neither.
    let login = person.run_with(&["login", &server.url(), "--profile", "new"], "ks_wrong").await;
    let line = login.fails(4);
    assert!(line.contains("was all of it copied?") && !line.contains("KEYSTILE_TOKEN"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_vouches_for_a_server_is_remembered_from_sign_in_to_sign_in() {
    let certificates = Certificates::make(&scratch::directory("certificates"));
    let server = Server::start(&Options::on(&Database::Sqlite).tls(&certificates)).await;
    let person = Person::new();
    signs_in(&person, &server, &["--ca-file", certificates.authority.to_str().unwrap()]).await;
    let deputy = ["keys", "new", "deputy", "--role", "administrator", "-q"];
    let deputy = person.prints(&deputy).await;
    let again = person.run_with(&["login", "--force"], &deputy).await;
    assert!(again.status.success(), "{again:#?}");
    assert_eq!(person.prints(&["whoami", "-o", "name"]).await, "deputy\n");
}

/// Signs in with the administrator's key.
async fn signs_in(person: &Person, server: &Server, flags: &[&str]) {
    let url = server.url();
    let login = [&["login", &url][..], flags].concat();
    let login = person.run_with(&login, &server.admin_key()).await;
    assert!(login.status.success(), "{login:#?}");
}
