//! Signing in with the browser, at a certified provider of others. The test is the browser.

use std::process::Stdio;

use acceptance::{
    Database, Options, Part, Server,
    oidc::{OpenIdProvider, User},
};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use super::{Failing, Person, administrator};

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_in_with_the_browser_gets_a_token_of_their_own() {
    if !Part::OpenId.or_skip() {
        return;
    }
    let provider = OpenIdProvider::start().await;
    let (server, admin) = administrator(&Database::Sqlite).await;
    let company = json!({
        "name": "Company",
        "kind": "oidc",
        "authority": provider.issuer(),
        "audience": "api://keystile",
        "required_scope": "keystile.use",
        "client_id": provider.native_client_id(),
        "create_users": true,
    });
    server.admin().post("/api/v1/providers", company).await.expect(201);
    provider.know(&User::new("0017").claim("preferred_username", "jane")).await;

    let person = Person::new();
    let login = ["login", &server.url(), "--sso", "--provider", "company"];
    let mut login = tokio::process::Command::from(person.command(&login));
    // Where there are no programs there is no browser to open.
    login.env("PATH", "").stdin(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut login = login.spawn().unwrap();
    let mut said = BufReader::new(login.stderr.take().unwrap());
    let mut url = String::new();
    while !url.starts_with("http") {
        url.clear();
        assert!(said.read_line(&mut url).await.unwrap() > 0, "it says where to go");
    }
    let browser = reqwest::Client::builder().cookie_store(true).no_proxy().build().unwrap();
    let page = browser.get(format!("{}&login_hint=0017", url.trim())).send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains("You are signed in"), "{page}");
    let mut rest = String::new();
    said.read_to_string(&mut rest).await.unwrap();
    assert!(login.wait().await.unwrap().success(), "{rest}");

    let me = person.shows(&["whoami"]).await;
    assert_eq!(
        (&me["principal"]["name"], &me["credential"]["kind"]),
        (&json!("jane"), &json!("personal_access_token"))
    );
    assert!(person.prints(&["tokens", "list", "-o", "name"]).await.starts_with("Command line on "));
    assert!(person.run(&["logout"]).await.status.success());
    assert_eq!(admin.prints(&["tokens", "list", "--user", "jane", "-o", "id"]).await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_such_a_sign_in_says_so() {
    let server = Server::start(&Options::on(&Database::Sqlite)).await;
    let person = Person::new();
    let login = person.run(&["login", &server.url(), "--sso"]).await;
    assert!(login.fails(3).contains("leave --sso out"), "{login:#?}");
}
