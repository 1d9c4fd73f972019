//! The real binary as a child process.

use std::{
    env,
    ffi::OsString,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{Child, Command},
    time::timeout,
};

use crate::{Api, Caller, Database, Output, binary, scratch};

/// How a server is started. A clone starts another server on the same data.
#[derive(Clone, Debug)]
pub struct Options {
    arguments: Vec<OsString>,
    data: PathBuf,
    environment: Vec<(String, OsString)>,
}

impl Options {
    /// A server with an empty data directory, on a port of its own choice.
    pub fn on(database: &Database) -> Self {
        let options = Self { arguments: vec![], data: PathBuf::new(), environment: vec![] }
            .with_own_data()
            .env("KEYSTILE_LISTEN", "127.0.0.1:0");
        match database {
            Database::Postgres(url) => {
                options.env("KEYSTILE_DATABASE_URL", url).env("KEYSTILE_MASTER_KEY", MASTER_KEY)
            }
            Database::Sqlite => options,
        }
    }

    /// The same with another, empty data directory.
    pub fn with_own_data(mut self) -> Self {
        self.data = scratch::directory("server").join("data");
        self
    }

    /// The same with one more argument after `serve`.
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// The same with this environment variable, instead of what it was before.
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.retain(|(before, _)| before != name);
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Runs another command on the same data to its end.
    ///
    /// # Panics
    /// If it does not end within a minute.
    pub async fn run(&self, command: &[&str]) -> Ended {
        let output = timeout(END, self.command(command).output()).await;
        let output = output.expect("it ends").expect("the binary runs");
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Ended { status: output.status, stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary::keystile());
        for (name, _) in env::vars_os() {
            // What the developer has set for a server of his own is no part of the test.
            let text = name.to_string_lossy();
            if ["KEYSTILE_", "OTEL_", "PG"].iter().any(|prefix| text.starts_with(prefix)) {
                command.env_remove(&name);
            }
        }
        command
            .args(arguments)
            .args(&self.arguments)
            .env("KEYSTILE_DATA_DIR", &self.data)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.data.parent().expect("the data directory has a parent"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}

/// A server that has said it is ready. Dropped, it is killed.
#[derive(Debug)]
pub struct Server {
    process: Child,
    watched: scratch::Watched,
    address: SocketAddr,
    options: Options,
    /// Standard output.
    pub stdout: Output,
    /// Standard error.
    pub stderr: Output,
}

impl Server {
    /// Starts a server and waits until it is ready.
    ///
    /// # Panics
    /// If it ends instead, or needs more than a minute.
    pub async fn start(options: &Options) -> Self {
        Self::try_start(options)
            .await
            .unwrap_or_else(|ended| panic!("it did not start: {ended:#?}"))
    }

    /// Starts a server and waits until it is ready or has ended.
    ///
    /// # Errors
    /// It ended: how, and what it said.
    pub async fn try_start(options: &Options) -> Result<Self, Ended> {
        let mut process = options.command(&["serve"]).spawn().expect("the binary runs");
        let watched = scratch::watch(process.id().expect("it was not waited for"), "KILL");
        let stdout = Output::collect(process.stdout.take().expect("a pipe"));
        let stderr = Output::collect(process.stderr.take().expect("a pipe"));
        let address = timeout(START, stdout.find(ready_at)).await;
        match address.unwrap_or_else(|_| panic!("not ready in time: {stdout:?} {stderr:?}")) {
            Some(address) => {
                Ok(Self { process, watched, address, options: options.clone(), stdout, stderr })
            }
            None => Err(Ended {
                status: process.wait().await.expect("our own child"),
                stdout: stdout.whole().await,
                stderr: stderr.whole().await,
            }),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address as the beginning of a URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How it was started.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Its API for this caller.
    pub fn api(&self, caller: Caller) -> Api {
        Api::new(&self.url(), caller)
    }

    /// Its API for the administrator.
    pub fn admin(&self) -> Api {
        self.api(Caller::Header(self.admin_key()))
    }

    /// The administrator's key, as the first start wrote it.
    ///
    /// # Panics
    /// If it wrote none.
    pub fn admin_key(&self) -> String {
        self.first_secret("admin_api_key")
    }

    /// The password of the user `admin`, as the first start wrote it.
    ///
    /// # Panics
    /// If it wrote none.
    pub fn admin_password(&self) -> String {
        self.first_secret("admin_password")
    }

    fn first_secret(&self, name: &str) -> String {
        let file = self.options.data.join("first-admin");
        let text = fs::read_to_string(&file).expect("the first start wrote its secrets");
        let mut lines = text.lines().filter_map(|line| line.split_once(" = "));
        let secret = lines.find(|(known, _)| *known == name).map(|(_, secret)| secret.to_owned());
        secret.unwrap_or_else(|| panic!("no {name} in {text}"))
    }

    /// Waits until one of its outputs contains `text`.
    ///
    /// # Panics
    /// If none does within a minute, or it ends.
    pub async fn says(&self, text: &str) {
        let has = |output: &str| output.contains(text).then_some(());
        let said = timeout(SAY, async {
            tokio::select! {
                Some(()) = self.stdout.find(has) => true,
                Some(()) = self.stderr.find(has) => true,
                else => false,
            }
        });
        let said = said.await.unwrap_or(false);
        assert!(said, "it does not say {text}: {:?} {:?}", self.stdout, self.stderr);
    }

    /// Asks it to end: SIGTERM.
    pub fn term(&self) {
        self.send(Signal::TERM);
    }

    /// Ends it without warning: SIGKILL.
    pub fn kill(&self) {
        self.send(Signal::KILL);
    }

    /// Waits until it has ended.
    ///
    /// # Panics
    /// If that takes longer than a minute.
    pub async fn wait(mut self) -> Ended {
        let ended = timeout(END, self.process.wait()).await;
        let ended = ended.unwrap_or_else(|_| panic!("no end: {:?} {:?}", self.stdout, self.stderr));
        drop(self.watched);
        Ended {
            status: ended.expect("our own child"),
            stdout: self.stdout.whole().await,
            stderr: self.stderr.whole().await,
        }
    }

    /// Ends it in good order.
    ///
    /// # Panics
    /// If it says that something went wrong.
    pub async fn stop(self) -> Ended {
        self.term();
        let ended = self.wait().await;
        assert!(ended.status.success(), "{ended:#?}");
        ended
    }

    /// Ends it in good order and starts it again on the same data.
    pub async fn restart(self) -> Self {
        let options = self.options.clone();
        self.stop().await;
        Self::start(&options).await
    }

    fn send(&self, signal: Signal) {
        let pid = self.process.id().and_then(|pid| Pid::from_raw(pid.try_into().ok()?));
        // It may have ended by itself, which `wait` then tells.
        let _ = pid.map(|pid| kill_process(pid, signal));
    }
}

/// How a server ended, and all that it said.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ended {
    /// Panics if anything that it said contains one of these secrets.
    #[track_caller]
    pub fn assert_silent<'a>(&self, secrets: impl IntoIterator<Item = &'a str>) {
        for secret in secrets {
            let said = [&self.stdout, &self.stderr].iter().any(|output| output.contains(secret));
            assert!(!said, "{secret} in {self:#?}");
        }
    }
}

/// The address in `Keystile is ready     http://…`, once its line is whole.
fn ready_at(text: &str) -> Option<SocketAddr> {
    let (_, after) = text.split_once("Keystile is ready")?;
    let (line, _) = after.split_once('\n')?;
    line.trim().strip_prefix("http://")?.parse().ok()
}

const START: Duration = Duration::from_secs(60);
const SAY: Duration = Duration::from_secs(60);
const END: Duration = Duration::from_secs(60);

/// 32 bytes; the servers of one PostgreSQL database share a key.
const MASTER_KEY: &str = "a2V5c3RpbGUtdGVzdHMtMzItYnl0ZXMtbG9uZy1rZXk=";
