//! Keycloak as it is delivered: its tokens are not the ones of RFC 9068, its claims are nested, and
//! its issuer has a path.

use std::{process::Stdio, time::Duration};

use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tokio::{
    process::{Child, Command},
    time::timeout,
};

use crate::{Answer, Output, programs, scratch};

/// A running Keycloak with one realm, on a port of its own. Dropped, it is killed.
#[derive(Debug)]
pub struct Keycloak {
    address: String,
    client: Client,
    _process: Child,
    _watched: scratch::Watched,
}

impl Keycloak {
    /// The `aud` of its access tokens.
    pub const AUDIENCE: &str = "api://keystile";

    /// The scope to ask for, beside `openid`, `profile` and `email`.
    pub const SCOPE: &str = "keystile.use";

    /// The one user, of the group `/operators`, with the realm role `operator`.
    pub const USER: &str = "jane";

    /// Starts it, which takes a quarter of a minute, and makes the realm.
    ///
    /// # Panics
    /// If it is not here (ask [`Part::Keycloak`](crate::Part::Keycloak) first) or does not start.
    pub async fn start() -> Self {
        let mut process = command().spawn().expect("java runs");
        let watched = scratch::watch(process.id().expect("it was not waited for"), "KILL");
        let stdout = Output::collect(process.stdout.take().expect("a pipe"));
        let stderr = Output::collect(process.stderr.take().expect("a pipe"));
        let address = timeout(START, stdout.find(listens_at)).await.ok().flatten();
        let keycloak = Self {
            address: address.unwrap_or_else(|| panic!("it does not start: {stdout:?} {stderr:?}")),
            client: Client::builder().no_proxy().build().expect("a plain client"),
            _process: process,
            _watched: watched,
        };
        let realm: Vec<(String, Value)> =
            serde_json::from_str(include_str!("realm.json")).expect("paths and bodies");
        for (path, body) in &realm {
            keycloak.make(path, body).await;
        }
        keycloak
    }

    /// Its `iss`: `http://127.0.0.1:…/realms/keystile`.
    pub fn issuer(&self) -> String {
        format!("{}/realms/keystile", self.address)
    }

    /// An access token of [`USER`](Self::USER), by name and password.
    pub async fn access_token(&self, scope: &str) -> String {
        self.user_token(scope, "access_token").await
    }

    /// The ID token of the same user, whose audience is the client.
    pub async fn id_token(&self) -> String {
        self.user_token("openid profile email", "id_token").await
    }

    /// An access token for the client itself, by its credentials.
    pub async fn client_token(&self, scope: &str) -> String {
        let form = [("grant_type", "client_credentials"), ("scope", scope)];
        self.token("keystile", &with_client(&form), "access_token").await
    }

    /// Signs with a new RS256 key from now on, and publishes it beside the old ones.
    pub async fn rotate_keys(&self) {
        let key = json!({
            "name": "newer",
            "parentId": "keystile",
            "providerId": "rsa-generated",
            "providerType": "org.keycloak.keys.KeyProvider",
            "config": {"priority": ["1000"], "algorithm": ["RS256"], "keySize": ["2048"]},
        });
        self.make("/realms/keystile/components", &key).await;
    }

    async fn user_token(&self, scope: &str, member: &str) -> String {
        let form = [
            ("grant_type", "password"),
            ("username", Self::USER),
            ("password", PASSWORD),
            ("scope", scope),
        ];
        self.token("keystile", &with_client(&form), member).await
    }

    async fn make(&self, path: &str, body: &Value) {
        let form = [
            ("grant_type", "password"),
            ("client_id", "admin-cli"),
            ("username", ADMINISTRATOR),
            ("password", PASSWORD),
        ];
        let token = self.token("master", &form, "access_token").await;
        let request = self.client.post(format!("{}/admin{path}", self.address));
        answered(request.bearer_auth(token).json(body)).await.expect(201);
    }

    async fn token(&self, realm: &str, form: &[(&str, &str)], member: &str) -> String {
        let url = format!("{}/realms/{realm}/protocol/openid-connect/token", self.address);
        answered(self.client.post(url).form(form)).await.expect(200).text_of(member).to_owned()
    }
}

/// Java itself and not the shell script before it, which would not take it along when it is killed.
fn command() -> Command {
    let (java, home) = programs::keycloak().expect("Keycloak");
    let mut command = Command::new(java);
    for package in ["java.lang", "java.security", "java.util", "java.util.concurrent"] {
        command.arg(format!("--add-opens=java.base/{package}=ALL-UNNAMED"));
    }
    command
        // A short life on few cores.
        .args(["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
        .arg("-Djava.util.logging.manager=org.jboss.logmanager.LogManager")
        .arg(format!("-Dkc.home.dir={}", home.display()))
        .arg(format!("-Djboss.server.config.dir={}", home.join("conf").display()))
        .arg("-cp")
        .arg(home.join("lib/quarkus-run.jar"))
        .args(["io.quarkus.bootstrap.runner.QuarkusEntryPoint", "start", "--optimized"])
        .args(["--http-enabled=true", "--http-host=127.0.0.1", "--http-port=0"])
        .args(["--hostname-strict=false", "--cache=local"])
        .env("KC_BOOTSTRAP_ADMIN_USERNAME", ADMINISTRATOR)
        .env("KC_BOOTSTRAP_ADMIN_PASSWORD", PASSWORD)
        .current_dir(scratch::directory("keycloak"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// The address in `… Listening on: http://…`, once its line is whole.
fn listens_at(text: &str) -> Option<String> {
    let (_, after) = text.split_once("Listening on: ")?;
    let (line, _) = after.split_once('\n')?;
    Some(line.trim().to_owned())
}

fn with_client<'a>(form: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&[("client_id", "keystile-tests"), ("client_secret", PASSWORD)], form].concat()
}

async fn answered(request: RequestBuilder) -> Answer {
    Answer::to(request).await.expect("Keycloak answers")
}

const START: Duration = Duration::from_secs(120);
const ADMINISTRATOR: &str = "administrator";

/// Of everybody, also in `realm.json`.
const PASSWORD: &str = "a-secret-of-the-tests-alone";
