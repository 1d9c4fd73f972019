//! Servers of another version, servers that are no Keystile, and servers that do not answer.

use std::{net::SocketAddr, process::Stdio};

use acceptance::{Certificates, Database, Options, Server, scratch};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::Person;

#[tokio::test(flavor = "multi_thread")]
async fn what_an_older_server_lacks_is_named_with_what_was_asked() {
    let mut key = key();
    key.as_object_mut().unwrap().remove("unseen_import");
    let person = asking(&answering("200 OK", "application/json", &list(&key)).await);
    let line = person.fails(&["keys", "list"], 1).await;
    for part in ["data[0].unseen_import", "list_api_keys", "of the server's version"] {
        assert!(line.contains(part), "{part} in {line}");
    }
    assert!(!line.contains("may have been done"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_newer_server_adds_does_no_harm() {
    let mut key = key();
    key["colour"] = json!("green");
    key["quota"] = json!({"limit": 3, "refill": "fortnight", "remaining": 1, "spare": 2});
    let person = asking(&answering("200 OK", "application/json", &list(&key)).await);
    let listed = person.shows(&["keys", "list"]).await;
    assert_eq!(
        (&listed[0]["name"], &listed[0]["quota"]["refill"]),
        (&json!("CI"), &json!("fortnight"))
    );
    person.prints(&["keys", "list"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_answer_is_not_taken_for_keystiles() {
    for (status, kind, body, told) in [
        ("200 OK", "text/html", "<html>Welcome</html>", "Keystile server"),
        ("200 OK", "application/json", r#"{"data": [{"id": 1}]}"#, "another version"),
        ("404 Not Found", "text/html", "<html>Nothing</html>", "behind the host"),
    ] {
        let person = asking(&answering(status, kind, body).await);
        let line = person.fails(&["keys", "list"], 1).await;
        assert!(line.contains(told), "{told} in {line}");
    }
    let person = Person::new().env("KEYSTILE_TOKEN", "ks_any");
    let person = person.env("KEYSTILE_URL", "https://keys.example.com/api/v1");
    assert!(person.fails(&["keys", "list"], 2).await.contains("leave /api/v1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_one_of_http_and_https_is_advised() {
    let plain = Server::start(&Options::on(&Database::Sqlite)).await;
    let url = plain.url().replace("http://", "https://");
    let line = asking(&url).fails(&["keys", "list"], 1).await;
    assert!(line.contains("try http://"), "{line}");
    let certificates = Certificates::make(&scratch::directory("certificates"));
    let safe = Server::start(&Options::on(&Database::Sqlite).tls(&certificates)).await;
    let url = safe.url().replace("https://", "http://");
    let line = asking(&url).fails(&["keys", "list"], 1).await;
    assert!(line.contains("it should be https://"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_changes_something_may_have_been_done() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let person = asking(&format!("http://{}", listener.local_addr().unwrap()));
    let key = key();
    let set = begin(&person, &["keys", "set", key["id"].as_str().unwrap(), "--name", "CI 2"]);
    let (mut client, _) = listener.accept().await.unwrap();
    read(&mut client).await;
    answer(&mut client, "200 OK", "application/json", &key.to_string()).await;
    // The change is read, and the connection ends.
    let (mut client, _) = listener.accept().await.unwrap();
    read(&mut client).await;
    drop(client);
    let ended = set.wait_with_output().await.unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("may have been done"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_signs_in_where_others_on_the_way_can_read_it() {
    let company = json!({"data": [{
        "identifier": "company", "name": "Company", "kind": "oidc", "login_path": null,
        "authority": "http://login.example.com", "client_id": "keystile", "audience": null,
        "scope": null
    }]});
    let url = answering("200 OK", "application/json", &company.to_string()).await;
    let line = Person::new().fails(&["login", &url, "--sso"], 1).await;
    assert!(line.contains("http://login.example.com") && line.contains("https"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_a_question_and_waits_for_a_change() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let person = asking(&format!("http://{}", listener.local_addr().unwrap()));

    let asked = begin(&person, &["keys", "list"]);
    let (mut unanswered, _) = listener.accept().await.unwrap();
    read(&mut unanswered).await;
    interrupt(&asked);
    let ended = asked.wait_with_output().await.unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("nothing was changed"), "{ended:?}");

    let made = begin(&person, &["keys", "new", "CI"]);
    let (mut client, _) = listener.accept().await.unwrap();
    read(&mut client).await;
    interrupt(&made);
    let mut issued = key();
    issued["key"] = json!("ks_secret");
    answer(&mut client, "201 Created", "application/json", &issued.to_string()).await;
    let ended = made.wait_with_output().await.unwrap();
    assert_eq!(
        (ended.status.code(), &ended.stdout[..]),
        (Some(0), &b"ks_secret\n"[..]),
        "{ended:?}"
    );
}

fn asking(url: &str) -> Person {
    Person::new().env("KEYSTILE_TOKEN", "ks_any").env("KEYSTILE_URL", url)
}

fn begin(person: &Person, arguments: &[&str]) -> tokio::process::Child {
    let mut command = tokio::process::Command::from(person.command(arguments));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true).spawn().unwrap()
}

fn interrupt(child: &tokio::process::Child) {
    let pid = Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
}

/// Somebody who answers every request with this; the address.
async fn answering(status: &'static str, kind: &'static str, body: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let body = body.to_owned();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            read(&mut client).await;
            answer(&mut client, status, kind, &body).await;
        }
    });
    format!("http://{address}")
}

/// Reads a request, which comes in one piece.
async fn read(client: &mut TcpStream) {
    let _ = client.read(&mut [0; 4096]).await;
}

async fn answer(client: &mut TcpStream, status: &str, kind: &str, body: &str) {
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nConnection: close");
    let text = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let _ = client.write_all(text.as_bytes()).await;
    let _ = client.shutdown().await;
}

fn list(key: &Value) -> String {
    json!({"data": [key], "total": 1, "page": 1, "limit": 100, "next_cursor": null}).to_string()
}

fn key() -> Value {
    json!({
        "id": "0199e7c4-5a34-7c80-8c1f-6a2b7f3d9e10", "name": "CI", "description": null,
        "provider": "api-keys", "key_prefix": "ks_0aB3xY", "role_ids": [], "expires_at": null,
        "last_used_at": null, "unseen_import": false, "enabled": true, "allowed_ips": [],
        "rate_limits": [], "quota": null, "external_id": null, "metadata": {}, "created_by": null,
        "created_at": "2026-11-22T09:00:00Z", "updated_at": "2026-11-22T09:00:00Z"
    })
}
