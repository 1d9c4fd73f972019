//! The commands beside the verbs of the five resources: `import`, `verify`, `insights`, `audit`,
//! `usage`, `completions` and `man`, run as a script runs them.

mod import;
mod reports;
mod shell;

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use acceptance::{Api, Caller, Server, keystile, scratch};
use tokio::{
    io::AsyncWriteExt,
    process::{Child, Command},
    time::timeout,
};

/// Somebody at a machine of their own, who asks a server.
struct Desk {
    folder: PathBuf,
    url: String,
    token: String,
}

/// How a command ended, and what it said.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Desk {
    fn at(server: &Server, admin: &Api) -> Self {
        let (Caller::Bearer(token) | Caller::Header(token)) = admin.caller() else {
            panic!("nobody")
        };
        Self { folder: scratch::directory("desk"), url: server.url(), token: token.clone() }
    }

    /// A file in the folder.
    fn file(&self, name: &str, text: &str) -> PathBuf {
        let file = self.folder.join(name);
        std::fs::write(&file, text).unwrap();
        file
    }

    /// Begins a command, which reads nothing.
    fn begin(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdin(Stdio::null()).spawn().unwrap()
    }

    /// Runs a command, which reads nothing.
    async fn run(&self, arguments: &[&str]) -> Said {
        end(self.begin(arguments)).await
    }

    /// Runs a command, which reads this.
    async fn tell(&self, arguments: &[&str], input: &str) -> Said {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        // Who refuses what it is told does not read it.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes()).await;
        end(child).await
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(keystile());
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env("HOME", &self.folder)
            .env("XDG_CONFIG_HOME", self.folder.join("config"))
            .env("XDG_STATE_HOME", self.folder.join("state"))
            .env("NO_PROXY", "*")
            .env("KEYSTILE_URL", &self.url)
            .env("KEYSTILE_TOKEN", &self.token)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}

impl Said {
    #[track_caller]
    fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    #[track_caller]
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("{self:#?}"))
    }
}

/// Waits until a command has ended.
async fn end(child: Child) -> Said {
    let output = timeout(DEADLINE, child.wait_with_output()).await.expect("it ends").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn text(file: &Path) -> &str {
    file.to_str().unwrap()
}

const DEADLINE: Duration = Duration::from_secs(120);
