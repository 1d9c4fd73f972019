//! The command line, as somebody at a terminal or a script has it: the real binary against a real
//! server.

mod bad_input;
mod flags;
mod logins;
mod other_servers;
mod output;
mod pipelines;
mod profiles;
mod reference;
mod resources;
mod rotation;
mod safety;
mod shown;
mod sso;
mod terminal;

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use acceptance::{Database, Ended, Options, Server, keystile, scratch};
use tokio::{io::AsyncWriteExt, process::Command, time::timeout};

/// Somebody with a home of their own.
pub struct Person {
    home: PathBuf,
    environment: Vec<(String, String)>,
}

impl Person {
    /// Somebody who has never signed in anywhere.
    pub fn new() -> Self {
        Self { home: scratch::directory("home"), environment: vec![] }
    }

    /// Somebody whose environment says that they are the administrator of this server.
    pub fn administrator(server: &Server) -> Self {
        Self::new().at(server).env("KEYSTILE_TOKEN", &server.admin_key())
    }

    /// The same, whose environment names this server.
    pub fn at(self, server: &Server) -> Self {
        self.env("KEYSTILE_URL", &server.url())
    }

    /// The same with another variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Where they are.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Where `login` keeps what it keeps.
    pub fn profiles(&self) -> PathBuf {
        self.home.join(".config/keystile/profiles.toml")
    }

    /// Runs a command that reads nothing.
    pub async fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, "").await
    }

    /// Runs a command that reads this from its standard input.
    pub async fn run_with(&self, arguments: &[&str], input: &str) -> Ended {
        let mut command = Command::from(self.command(arguments));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.kill_on_drop(true).spawn().unwrap();
        let mut stdin = process.stdin.take().unwrap();
        // It may end without reading.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        let output = timeout(END, process.wait_with_output()).await.expect("it ends").unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { status: output.status, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// What a command prints that does as it is told.
    #[track_caller]
    pub fn prints(&self, arguments: &[&str]) -> impl Future<Output = String> {
        let caller = std::panic::Location::caller();
        async move {
            let ended = self.run(arguments).await;
            assert!(ended.status.success(), "{caller}: {arguments:?}: {ended:#?}");
            ended.stdout
        }
    }

    /// What a command prints as JSON.
    pub async fn shows(&self, arguments: &[&str]) -> serde_json::Value {
        let printed = self.prints(&[arguments, &["-o", "json"]].concat()).await;
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
    }

    /// The one line that a command says which ends with this code and prints nothing.
    pub async fn fails(&self, arguments: &[&str], code: i32) -> String {
        let ended = self.run(arguments).await;
        ended.fails(code).to_owned()
    }

    /// A command, for whoever starts it.
    pub fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(keystile());
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if ["KEYSTILE_", "NO_COLOR", "XDG_"].iter().any(|known| text.starts_with(known)) {
                command.env_remove(&name);
            }
        }
        command.args(arguments).env("HOME", &self.home).env("NO_PROXY", "*");
        command.current_dir(&self.home);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// How a command ended, as those see it who ran it.
pub trait Failing {
    /// The one line of a command that ended with this code and printed nothing.
    fn fails(&self, code: i32) -> &str;
}

impl Failing for Ended {
    #[track_caller]
    fn fails(&self, code: i32) -> &str {
        assert_eq!(self.status.code(), Some(code), "{self:#?}");
        assert!(self.stdout.is_empty(), "{self:#?}");
        let line = self.stderr.trim_end();
        assert!(!line.is_empty() && !line.contains('\n'), "not one line: {self:#?}");
        line
    }
}

/// A server, and its administrator at a command line.
pub async fn administrator(database: &Database) -> (Server, Person) {
    let server = Server::start(&Options::on(database)).await;
    let person = Person::administrator(&server);
    (server, person)
}

const END: Duration = Duration::from_secs(60);
