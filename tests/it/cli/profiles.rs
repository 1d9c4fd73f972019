//! Signing in and out, and what of it is kept.

use std::{fs, os::unix::fs::PermissionsExt};

use acceptance::{Database, Options, Server};
use serde_json::json;

use super::{Failing, Person};

#[tokio::test(flavor = "multi_thread")]
async fn a_new_user_goes_from_login_to_a_rotated_key() {
    let server = Server::start(&Options::on(&Database::Sqlite)).await;
    let person = Person::new();
    assert!(person.fails(&["keys", "list"], 2).await.contains("keystile login"));

    let login = person.run_with(&["login", &server.url()], &server.admin_key()).await;
    assert!(login.status.success() && login.stdout.is_empty(), "{login:#?}");
    login.assert_silent([server.admin_key().as_str()]);
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(person.profiles()), 0o600);

    let told = person.prints(&["whoami"]).await;
    assert!(told.contains("First administrator") && told.contains(&server.url()), "{told}");
    let key = person.prints(&["keys", "new", "CI", "--role", "verifier"]).await;
    let rotated = person.prints(&["keys", "rotate", "CI", "--overlap", "1d"]).await;
    assert!(rotated.starts_with("ks_") && rotated != key, "{rotated}");

    let logout = person.run(&["logout"]).await;
    assert!(logout.status.success(), "{logout:#?}");
    assert!(!fs::read_to_string(person.profiles()).unwrap().contains(&server.admin_key()));
    assert!(person.fails(&["whoami"], 2).await.contains("keystile login"));
    person.fails(&["logout"], 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_profile_has_its_own_server_and_the_environment_wins() {
    let options = Options::on(&Database::Sqlite);
    let other = options.clone().with_own_data();
    let (one, other) = tokio::join!(Server::start(&options), Server::start(&other));
    let person = Person::new();
    for (name, server) in [("one", &one), ("other", &other)] {
        let login = ["login", &server.url(), "--profile", name];
        assert!(person.run_with(&login, &server.admin_key()).await.status.success());
    }
    let server_of = async |person: &Person, arguments: &[&str]| {
        let told = person.prints(&[&["whoami"], arguments].concat()).await;
        told.lines()
            .next()
            .unwrap()
            .split_whitespace()
            .nth(1)
            .unwrap()
            .trim_end_matches('/')
            .to_owned()
    };
    assert_eq!(server_of(&person, &[]).await, other.url());
    assert_eq!(server_of(&person, &["--profile", "one"]).await, one.url());
    let line = person.fails(&["whoami", "--profile", "third"], 3).await;
    assert!(line.contains("one, other"), "{line}");

    // The profile for a server is found by its address.
    let at_one = Person { home: person.home.clone(), environment: vec![] }.at(&one);
    assert_eq!(server_of(&at_one, &[]).await, one.url());
    // A credential that was stored for one server is shown to no other.
    let line = at_one.fails(&["whoami", "--profile", "other"], 2).await;
    assert!(line.contains("KEYSTILE_TOKEN"), "{line}");

    let verifier = person.prints(&["keys", "new", "verifier", "--role", "4", "-q"]).await;
    let as_verifier = Person { home: person.home.clone(), environment: vec![] }
        .env("KEYSTILE_TOKEN", verifier.trim());
    let me = as_verifier.shows(&["whoami"]).await;
    assert_eq!(me["permissions"], json!(["keystile.keys.verify"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_kept_that_the_server_does_not_accept() {
    let server = Server::start(&Options::on(&Database::Sqlite)).await;
    let person = Person::new();
    let wrong = person.run_with(&["login", &server.url()], "ks_wrong").await;
    wrong.fails(4);
    wrong.assert_silent(["ks_wrong"]);
    person.run_with(&["login", &server.url()], "").await.fails(2);
    person.run_with(&["login", "keys.example.com"], &server.admin_key()).await.fails(2);
    assert!(!person.profiles().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_profiles_that_others_may_read_is_not_used() {
    let server = Server::start(&Options::on(&Database::Sqlite)).await;
    let person = Person::new();
    assert!(person.run_with(&["login", &server.url()], &server.admin_key()).await.status.success());
    fs::set_permissions(person.profiles(), PermissionsExt::from_mode(0o644)).unwrap();
    let line = person.fails(&["whoami"], 1).await;
    assert!(line.contains("chmod 600"), "{line}");
    fs::write(person.profiles(), format!("token = {}", server.admin_key())).unwrap();
    fs::set_permissions(person.profiles(), PermissionsExt::from_mode(0o600)).unwrap();
    let line = person.fails(&["whoami"], 1).await;
    assert!(!line.contains(&server.admin_key()), "{line}");
}
