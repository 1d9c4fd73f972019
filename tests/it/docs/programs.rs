//! The programs that verify tokens, taken from their page and shown tokens of every sort.

use std::{env, ffi::OsString, fs, path::PathBuf, process::Stdio, sync::LazyLock};

use acceptance::{Answer, Caller, Database, Options, Part, Server, languages};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, process::Command};

use super::{issuer::Issuer, page::Page};
use crate::tree;

#[tokio::test(flavor = "multi_thread")]
async fn the_program_in_python_believes_what_is_for_it_and_nothing_else() {
    if Part::Python.or_skip() {
        let program = Program {
            command: || languages::python(&shown("python")),
            signature: "Signature verification failed",
            audience: "Audience doesn't match",
            issuer: "Invalid issuer",
            expired: "Signature has expired",
            algorithm: "The specified alg value is not allowed",
            unknown_key: "Unable to find a signing key",
            typ: "not an access token",
        };
        program.is_judged().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_in_rust_believes_what_is_for_it_and_nothing_else() {
    let program = Program {
        command: || Command::new(&*BUILT),
        signature: "Signature",
        audience: "Audience",
        issuer: "Issuer",
        expired: "Expired",
        algorithm: "Algorithm",
        unknown_key: "UnknownKey",
        typ: "Type",
    };
    program.is_judged().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_in_typescript_believes_what_is_for_it_and_nothing_else() {
    if Part::OpenId.or_skip() {
        let program = Program {
            command: || languages::typescript(&shown("ts")),
            signature: "signature verification failed",
            audience: "unexpected \"aud\" claim value",
            issuer: "unexpected \"iss\" claim value",
            expired: "\"exp\" claim timestamp check failed",
            algorithm: "\"alg\" (Algorithm) Header Parameter value not allowed",
            unknown_key: "no applicable key found",
            typ: "unexpected \"typ\" JWT header value",
        };
        program.is_judged().await;
    }
}

/// A program, and how it says why it refuses a token.
struct Program {
    command: fn() -> Command,
    signature: &'static str,
    audience: &'static str,
    issuer: &'static str,
    expired: &'static str,
    algorithm: &'static str,
    unknown_key: &'static str,
    typ: &'static str,
}

impl Program {
    async fn is_judged(&self) {
        self.is_shown_what_a_server_issues().await;
        self.is_shown_what_nobody_should_issue().await;
    }

    async fn is_shown_what_a_server_issues(&self) {
        let server = Server::start(&Options::on(&Database::Sqlite)).await;
        let role = json!({ "name": "invoice reader", "permissions": ["invoices.*"] });
        let role = server.admin().post("/api/v1/roles", role).await.expect(201).body["id"].clone();
        let key = json!({ "name": "report", "role_ids": [role] });
        let key = server.admin().post("/api/v1/api-keys", key).await.expect(201);
        let secret = key.text_of("key");
        let issuer = &server.url();

        let good = traded(&server, secret, AUDIENCE, SCOPE).await;
        self.believes(issuer, &good, key.text_of("id")).await;
        self.refuses(issuer, &tampered(&good), self.signature).await;
        let elsewhere = traded(&server, secret, "https://orders.example", SCOPE).await;
        self.refuses(issuer, &elsewhere, self.audience).await;
        let narrow = traded(&server, secret, AUDIENCE, "invoices.write").await;
        self.refuses(issuer, &narrow, "lacks the scope").await;
        self.refuses(&Issuer::start().await.url, &good, self.unknown_key).await;
    }

    async fn is_shown_what_nobody_should_issue(&self) {
        let issuer = Issuer::start().await;
        let claims = json!({
            "iss": issuer.url,
            "aud": ["https://orders.example", AUDIENCE],
            "sub": "somebody",
            "client_id": "a-client",
            "jti": "a-name",
            "iat": 1_700_000_000,
            "exp": 32_000_000_000_i64,
            "scope": format!("orders.read {SCOPE}"),
        });
        let with = |name: &str, value: Value| {
            let mut claims = claims.clone();
            claims[name] = value;
            issuer.sign("at+jwt", &claims)
        };
        self.believes(&issuer.url, &issuer.sign("at+jwt", &claims), "somebody").await;
        for (token, why) in [
            (with("exp", json!(1_700_000_900)), self.expired),
            (with("iss", json!("https://keys.example")), self.issuer),
            (with("scope", json!("invoices.reader")), "lacks the scope"),
            (issuer.sign("JWT", &claims), self.typ),
            (issuer.sign_with_public_key(&claims), self.algorithm),
            ("no token".to_owned(), ""),
        ] {
            self.refuses(&issuer.url, &token, why).await;
        }
    }

    async fn believes(&self, issuer: &str, token: &str, subject: &str) {
        let (success, stdout, stderr) = self.run(issuer, token).await;
        assert!(success, "{stderr}");
        assert_eq!(stdout.trim(), subject);
    }

    async fn refuses(&self, issuer: &str, token: &str, why: &str) {
        let (success, stdout, stderr) = self.run(issuer, token).await;
        assert!(!success && stdout.is_empty(), "{token}: {stdout}");
        assert!(stderr.contains(why), "{why} in {stderr}");
    }

    async fn run(&self, issuer: &str, token: &str) -> (bool, String, String) {
        let mut command = (self.command)();
        command.args([issuer, AUDIENCE, SCOPE]).env("NO_PROXY", "*").kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        process.stdin.take().unwrap().write_all(token.as_bytes()).await.unwrap();
        let output = process.wait_with_output().await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.success(), text(output.stdout), text(output.stderr))
    }
}

/// A token that a key was traded for.
async fn traded(server: &Server, secret: &str, audience: &str, scope: &str) -> String {
    let api = server.api(Caller::Anonymous);
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", secret),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("audience", audience),
        ("scope", scope),
    ];
    let answer = Answer::to(api.request(Method::POST, "/oauth2/token").form(&form)).await;
    answer.unwrap().expect(200).text_of("access_token").to_owned()
}

/// The token with another first letter of its signature, which is still base64url.
fn tampered(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{signed}.{other}{}", &signature[1..])
}

/// The one block of the page in this language.
fn shown(language: &str) -> String {
    let blocks = Page::find("docs/json-web-tokens.md").unwrap().blocks();
    let mut found = blocks.into_iter().filter(|block| block.language == language);
    let (Some(block), None) = (found.next(), found.next()) else { panic!("no one {language}") };
    block.text
}

/// The program in Rust. The page shows the source of an example of this crate, so that it is
/// formatted and linted as everything else.
static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
    let source = fs::read_to_string(tree::root().join("tests/examples/verify_offline.rs")).unwrap();
    assert_eq!(shown("rust"), source, "the page shows another program");
    // A test runs as <target>/<profile>/deps/it-<hash>.
    let test = env::current_exe().unwrap();
    let profile = test.ancestors().nth(2).unwrap();
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut build = std::process::Command::new(cargo);
    build.args(["build", "--quiet", "--workspace", "--example", "verify_offline"]);
    if profile.ends_with("release") {
        build.arg("--release");
    }
    assert!(build.current_dir(tree::root()).status().unwrap().success(), "it does not build");
    profile.join("examples/verify_offline")
});

const AUDIENCE: &str = "https://invoices.example";
const SCOPE: &str = "invoices.read";
