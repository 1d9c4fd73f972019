//! The real binary as a child process.

use std::{fs, net::SocketAddr, process::ExitStatus, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{process::Child, time::timeout};

use crate::{Api, Caller, Database, Options, Output, scratch};

/// A server on an empty database, and its API for the administrator.
///
/// # Panics
/// If it does not start.
pub async fn started(database: &Database) -> (Server, Api) {
    let server = Server::start(&Options::on(database)).await;
    let admin = server.admin();
    (server, admin)
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
        match self.options.authority() {
            // As the certificates have it.
            Some(_) => format!("https://localhost:{}", self.address.port()),
            None => format!("http://{}", self.address),
        }
    }

    /// How it was started.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Its API for this caller.
    pub fn api(&self, caller: Caller) -> Api {
        match self.options.authority() {
            Some(authority) => Api::over_tls(&self.url(), caller, authority),
            None => Api::new(&self.url(), caller),
        }
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
        let file = self.options.data().join("first-admin");
        let text = fs::read_to_string(&file).expect("the first start wrote its secrets");
        let mut lines = text.lines().filter_map(|line| line.split_once(" = "));
        let secret = lines.find(|(known, _)| *known == name).map(|(_, secret)| secret.to_owned());
        secret.unwrap_or_else(|| panic!("no {name} in {text}"))
    }

    /// How much memory it has now.
    pub fn resident_bytes(&self) -> u64 {
        let pid = self.process.id().expect("it was not waited for");
        let told = fs::read_to_string(format!("/proc/{pid}/status")).expect("a running process");
        let line = told.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
        let kibibytes = line.trim().trim_end_matches(" kB").parse::<u64>();
        kibibytes.expect("a number") * 1024
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

    /// Stops it in the middle of whatever it does: its machine takes connections, and nobody
    /// answers.
    pub fn freeze(&self) {
        self.send(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.send(Signal::CONT);
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

/// The address in `Keystile is ready     http://…` or `https://…`, once its line is whole.
fn ready_at(text: &str) -> Option<SocketAddr> {
    let (_, after) = text.split_once("Keystile is ready")?;
    let (line, _) = after.split_once('\n')?;
    let (_, address) = line.trim().split_once("://")?;
    address.parse().ok()
}

const START: Duration = Duration::from_secs(60);
const SAY: Duration = Duration::from_secs(60);
const END: Duration = Duration::from_secs(60);
