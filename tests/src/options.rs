//! How the real binary is started.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{process::Command, time::timeout};

use crate::{Certificates, Database, Ended, binary, programs, scratch};

/// How a server is started. A clone starts another server on the same data.
#[derive(Clone, Debug)]
pub struct Options {
    arguments: Vec<OsString>,
    data: PathBuf,
    environment: Vec<(String, OsString)>,
    authority: Option<PathBuf>,
}

impl Options {
    /// 32 bytes; the servers of one PostgreSQL database share a key.
    pub const MASTER_KEY: &str = "a2V5c3RpbGUtdGVzdHMtMzItYnl0ZXMtbG9uZy1rZXk=";

    /// A server with an empty data directory, on a port of its own choice.
    pub fn on(database: &Database) -> Self {
        let options =
            Self { arguments: vec![], data: PathBuf::new(), environment: vec![], authority: None }
                .with_own_data()
                .env("KEYSTILE_LISTEN", "127.0.0.1:0");
        match database {
            Database::Postgres(url) => options
                .env("KEYSTILE_DATABASE_URL", url)
                .env("KEYSTILE_MASTER_KEY", Self::MASTER_KEY),
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

    /// The same on a machine whose clock is so many seconds off, but for what measures how time
    /// passes.
    ///
    /// # Panics
    /// If the library for it is not here (ask [`Part::FakeTime`](crate::Part) first).
    pub fn off_by(self, seconds: i64) -> Self {
        self.env("LD_PRELOAD", programs::faketime().expect("libfaketime"))
            .env("FAKETIME", format!("{seconds:+}s"))
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    }

    /// The same over TLS, with the certificate that these name.
    pub fn tls(mut self, certificates: &Certificates) -> Self {
        self.authority = Some(certificates.authority.clone());
        self.env("KEYSTILE_TLS_CERT", &certificates.certificate)
            .env("KEYSTILE_TLS_KEY", &certificates.key)
    }

    /// Who vouches for it, if it is over TLS.
    pub fn authority(&self) -> Option<&Path> {
        self.authority.as_deref()
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

    /// A command on this data, for whoever starts it.
    pub fn command(&self, arguments: &[&str]) -> Command {
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

const END: Duration = Duration::from_secs(60);
