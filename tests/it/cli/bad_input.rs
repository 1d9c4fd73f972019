//! What goes wrong: one line that says what to do, and the right exit code.

use acceptance::{Certificates, Database, Options, Server, free_address, scratch};

use super::{Person, administrator};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_said_to_be_so() {
    let unused = free_address();
    let person = Person::new().env("KEYSTILE_TOKEN", "ks_any");
    let person = person.env("KEYSTILE_URL", &format!("http://{unused}"));
    let line = person.fails(&["keys", "list"], 1).await;
    assert!(line.contains("cannot be reached") && line.contains("refused"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_nobody_known_is_refused_until_its_authority_is_named() {
    let certificates = Certificates::make(&scratch::directory("certificates"));
    let options = Options::on(&Database::Sqlite).tls(&certificates);
    let server = Server::start(&options).await;
    let admin = Person::administrator(&server);
    let line = admin.fails(&["whoami"], 1).await;
    assert!(line.contains("certificate") && line.contains("--ca-file"), "{line}");
    let authority = certificates.authority.to_str().unwrap();
    admin.prints(&["whoami", "--ca-file", authority]).await;
    // Signing in remembers it.
    let person = Person::new();
    let login = ["login", &server.url(), "--ca-file", authority];
    let login = person.run_with(&login, &server.admin_key()).await;
    assert!(login.status.success(), "{login:#?}");
    person.prints(&["whoami"]).await;
    admin.fails(&["whoami", "--ca-file", "nothing.pem"], 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_ended_leads_to_where_it_is_kept() {
    let (server, admin) = administrator(&Database::Sqlite).await;
    let key = admin.prints(&["keys", "new", "brief", "--role", "1", "-q"]).await;
    admin.prints(&["keys", "set", "brief", "--disable"]).await;
    let brief = Person::new().at(&server).env("KEYSTILE_TOKEN", key.trim());
    let line = brief.fails(&["keys", "list"], 4).await;
    assert!(line.contains("KEYSTILE_TOKEN") && line.contains("invalid_credential"), "{line}");
    let verifier = admin.prints(&["keys", "new", "verifier", "--role", "4", "-q"]).await;
    let verifier = Person::new().at(&server).env("KEYSTILE_TOKEN", verifier.trim());
    let line = verifier.fails(&["keys", "list"], 4).await;
    assert!(line.contains("keystile.api_keys.read"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_rule_names_the_member_and_the_request() {
    let (server, admin) = administrator(&Database::Sqlite).await;
    let line = admin.fails(&["keys", "new", "x", "--expires-at", "2020-01-01T00:00:00Z"], 1).await;
    assert!(line.contains("/expires_at"), "{line}");
    let (_, request) = line.rsplit_once("request ").unwrap();
    server.says(request.trim_end_matches(')')).await;
    for wrong in [
        &["keys", "new", "x", "--expires-in", "soon"][..],
        &["keys", "new", "x", "--expires-at", "tomorrow"],
        &["keys", "new", "x", "--expires-in", "1d", "--no-expiry"],
        &["keys", "rotate", "x", "--overlap", "-1d"],
        &["keys", "rotate", "x", "--overlap", "31d"],
        &["keys", "list", "--unused-since", "yesterday"],
        &["keys", "list", "-o", "xml"],
        &["providers", "new", "x", "--kind", "api_key", "--setting", "client_secret=x"],
    ] {
        let ended = admin.run(wrong).await;
        assert_eq!(ended.status.code(), Some(2), "{ended:#?}");
    }
    let line = admin.fails(&["keys", "set", "x"], 2).await;
    assert!(line.contains("--help"), "{line}");
    let unknown = ["providers", "new", "x", "--kind", "api_key", "--setting", "prefixx=x_"];
    assert!(admin.fails(&unknown, 2).await.contains("prefixx"));
    let role = ["keys", "new", "x", "--role", "nobody"];
    assert!(admin.fails(&role, 3).await.contains("nobody"));
    for pattern in ["admin*", "administrato?"] {
        let role = ["keys", "new", "x", "--role", pattern];
        assert!(admin.fails(&role, 2).await.contains("named whole"));
    }
    assert_eq!(admin.prints(&["keys", "list", "--name", "x", "-o", "id"]).await, "");
}
