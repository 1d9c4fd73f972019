//! Throw-away PostgreSQL clusters, one for all tests of a process or one for a test alone.

mod standby;

use std::{
    fs,
    hash::{BuildHasher, RandomState},
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, ChildStderr, Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio_postgres::{Client, NoTls};

use crate::{Certificates, free_address, owner::Owner, programs, scratch};

/// How a cluster is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Setup {
    /// Every connection over TCP must be TLS.
    DemandsTls,
    /// What is committed survives a power loss.
    #[default]
    Durable,
    /// Never waits for the disk: for suites that end no server and ask only for right answers.
    Fast,
}

/// A running cluster, reached over TCP with a password. It is stopped and removed with the test
/// process at the latest.
#[derive(Debug)]
pub struct Postgres {
    bin: PathBuf,
    directory: PathBuf,
    owner: Option<Owner>,
    password: String,
    port: u16,
    process: Option<(Child, scratch::Watched)>,
    setup: Setup,
    certificates: Option<Certificates>,
}

impl Postgres {
    /// The cluster that the tests of this process share; made on the first call.
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<Postgres> = LazyLock::new(|| Postgres::make(Setup::Durable));
        &SHARED
    }

    /// Like [`shared`](Self::shared), for suites that do not care for durability.
    pub fn shared_fast() -> &'static Self {
        static SHARED: LazyLock<Postgres> = LazyLock::new(|| Postgres::make(Setup::Fast));
        &SHARED
    }

    /// Makes a cluster and starts it.
    ///
    /// # Panics
    /// If PostgreSQL is not here (ask [`Part::Postgres`](crate::Part) first) or does not start.
    pub fn make(setup: Setup) -> Self {
        let directory = scratch::directory("postgres");
        let certificates = (setup == Setup::DemandsTls).then(|| Certificates::make(&directory));
        let mut postgres = Self {
            bin: programs::postgres().expect("PostgreSQL's server programs"),
            owner: Owner::needed(),
            password: format!("password-{:x}", RandomState::new().hash_one(&directory)),
            port: free_address().port(),
            process: None,
            setup,
            directory,
            certificates,
        };
        postgres.initialise();
        postgres.start();
        postgres
    }

    /// Makes an empty database and returns its address.
    pub async fn fresh_database(&self) -> String {
        self.fresh_database_at("127.0.0.1").await
    }

    /// Makes an empty database and returns its address with this name for the host.
    pub async fn fresh_database_at(&self, host: &str) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        self.execute("postgres", &format!("CREATE DATABASE {name}")).await;
        self.url(host, &name)
    }

    /// Runs SQL in a database of this cluster, as its owner and past all TLS.
    pub async fn execute(&self, database: &str, sql: &str) {
        let client = self.connect(database).await;
        client.batch_execute(sql).await.expect("PostgreSQL does as it is told");
    }

    /// Begins a transaction as [`execute`](Self::execute) does, which holds what it has locked until
    /// what is returned is dropped.
    pub async fn hold(&self, database: &str, sql: &str) -> Client {
        let client = self.connect(database).await;
        let begun = client.batch_execute(&format!("BEGIN; {sql}")).await;
        begun.expect("PostgreSQL does as it is told");
        client
    }

    async fn connect(&self, database: &str) -> Client {
        let (client, connection) = tokio_postgres::Config::new()
            .host_path(&self.directory)
            .port(self.port)
            .user(USER)
            .dbname(database)
            .connect(NoTls)
            .await
            .expect("PostgreSQL accepts its owner");
        tokio::spawn(connection);
        client
    }

    /// The certificates of a cluster that demands TLS.
    pub fn certificates(&self) -> &Certificates {
        self.certificates.as_ref().expect("a cluster that demands TLS")
    }

    /// The password in the addresses, which nobody else may ever see.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Stops the cluster as an operator would: open transactions are rolled back.
    pub fn stop(&mut self) {
        self.end(Signal::INT);
    }

    /// Ends the cluster without any warning; what was not committed is lost.
    pub fn kill(&mut self) {
        self.end(Signal::QUIT);
    }

    /// Starts a stopped cluster, again at the same address and on the same data.
    pub fn start(&mut self) {
        self.try_start().unwrap_or_else(|log| panic!("PostgreSQL does not start:\n{log}"));
    }

    fn initialise(&self) {
        let password = self.directory.join("password");
        fs::write(&password, &self.password).expect("the directory is ours");
        if let Some(owner) = self.owner {
            owner.take(&self.directory).expect("root may give files away");
        }
        let output = self
            .command("initdb")
            .args(["--no-sync", "--no-locale", "--encoding=UTF8", "--username", USER])
            .args(["--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile"])
            .arg(&password)
            .arg("--pgdata")
            .arg(self.data())
            .output()
            .expect("initdb runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        if self.setup == Setup::DemandsTls {
            let rules = "local all all trust\nhostssl all all all scram-sha-256\n";
            fs::write(self.data().join("pg_hba.conf"), rules).expect("the directory is ours");
        }
    }

    fn try_start(&mut self) -> Result<(), String> {
        let mut process = self
            .command("postgres")
            .arg("-D")
            .arg(self.data())
            .args(self.settings().iter().flat_map(|setting| ["-c", setting]))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("postgres runs");
        // On QUIT, it ends its own processes and gives its shared memory back.
        let watched = scratch::watch(process.id(), "QUIT");
        let log = process.stderr.take().expect("its log is a pipe");
        if let Err(log) = until_ready(log) {
            send(&process, Signal::QUIT);
            process.wait().expect("PostgreSQL ends");
            return Err(log);
        }
        self.process = Some((process, watched));
        Ok(())
    }

    fn settings(&self) -> Vec<String> {
        let mut settings = vec![
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={}", self.port),
            format!("unix_socket_directories={}", self.directory.display()),
            "max_connections=300".to_owned(),
            "shared_buffers=32MB".to_owned(),
        ];
        if self.setup == Setup::Fast {
            let fast = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];
            settings.extend(fast.map(str::to_owned));
        }
        if let Some(files) = &self.certificates {
            settings.push("ssl=on".to_owned());
            settings.push(format!("ssl_cert_file={}", files.certificate.display()));
            settings.push(format!("ssl_key_file={}", files.key.display()));
        }
        settings
    }

    fn end(&mut self, signal: Signal) {
        if let Some((mut process, _watched)) = self.process.take() {
            send(&process, signal);
            // One that stands still would hear nothing.
            send(&process, Signal::CONT);
            process.wait().expect("PostgreSQL ends");
        }
    }

    fn url(&self, host: &str, database: &str) -> String {
        format!("postgres://{USER}:{}@{host}:{}/{database}", self.password, self.port)
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// A program of PostgreSQL's, which refuses to run as root.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.current_dir(&self.directory);
        if let Some(owner) = self.owner {
            owner.run(&mut command);
        }
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.end(Signal::QUIT);
    }
}

/// Reads the log until the cluster accepts connections, and has the rest of it read by a thread;
/// what was logged, if it does not come up.
fn until_ready(log: ChildStderr) -> Result<(), String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        // The pipe is emptied to the end even when nobody listens: a full one would stop PostgreSQL.
        for line in BufReader::new(log).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    let mut seen = String::new();
    while let Ok(line) = lines.recv_timeout(START) {
        // A standby accepts read-only connections.
        if line.contains("database system is ready to accept ") {
            return Ok(());
        }
        seen.push_str(&line);
        seen.push('\n');
    }
    Err(seen)
}

fn send(process: &Child, signal: Signal) {
    // It may have ended by itself.
    let _ = kill_process(Pid::from_child(process), signal);
}

const START: Duration = Duration::from_secs(60);
const USER: &str = "keystile";
