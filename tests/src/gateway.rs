//! Gateways of others, each with the very files of `integrations/gateways`.

use std::{
    fs::{self, Permissions},
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};

use crate::{Api, Caller, Certificates, Connection, Output, Part, free_address, programs, scratch};

/// A program that the project has a configuration for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatewayKind {
    /// Caddy.
    Caddy,
    /// Envoy.
    Envoy,
    /// `haproxy`.
    Haproxy,
    /// nginx.
    Nginx,
    /// Traefik.
    Traefik,
}

impl GatewayKind {
    /// Every one of them.
    pub const ALL: [Self; 5] =
        [Self::Caddy, Self::Envoy, Self::Haproxy, Self::Nginx, Self::Traefik];

    /// The name of its program, and of its directory.
    pub fn name(self) -> &'static str {
        match self {
            Self::Caddy => "caddy",
            Self::Envoy => "envoy",
            Self::Haproxy => "haproxy",
            Self::Nginx => "nginx",
            Self::Traefik => "traefik",
        }
    }

    /// The part of the suite that needs it.
    pub fn part(self) -> Part {
        match self {
            Self::Caddy | Self::Haproxy | Self::Nginx => Part::Gateways,
            Self::Envoy | Self::Traefik => Part::NewGateways,
        }
    }

    /// The program, if it is here.
    pub fn program(self) -> Option<PathBuf> {
        programs::gateway(self.name())
    }

    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Caddy => &["run"],
            // Two of one number share memory.
            Self::Envoy => &["-c", "envoy.yaml", "--concurrency", "1", "--use-dynamic-base-id"],
            Self::Haproxy => &["-f", "haproxy.cfg"],
            Self::Nginx => &["-p", ".", "-c", "nginx.conf"],
            Self::Traefik => &["--configFile=traefik.yml"],
        }
    }
}

/// Where the addresses of the files are on this machine.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// Keystile, 8080 in the files.
    pub keystile: SocketAddr,
    /// The service behind the gateway, 9000 in the files.
    pub service: SocketAddr,
    /// The gateway, 8443 in the files.
    pub gateway: SocketAddr,
}

impl Addresses {
    /// With a port for the gateway that nobody has now.
    pub fn new(keystile: SocketAddr, service: SocketAddr) -> Self {
        Self { keystile, service, gateway: free_address() }
    }

    /// A text with the ports of this machine in place of those of the files.
    pub fn put_into(&self, text: &str) -> String {
        let ports = [("8080", self.keystile), ("9000", self.service), ("8443", self.gateway)];
        ports.iter().fold(text.to_owned(), |text, (shipped, here)| {
            text.replace(shipped, &here.port().to_string())
        })
    }
}

/// A gateway that asks for credentials. Dropped, it ends.
#[derive(Debug)]
pub struct Gateway {
    process: Child,
    address: SocketAddr,
    authority: PathBuf,
    _watched: scratch::Watched,
    /// Standard output.
    pub stdout: Output,
    /// Standard error.
    pub stderr: Output,
}

impl Gateway {
    /// Starts it, with its files changed as `change` says.
    ///
    /// # Panics
    /// If it ends instead.
    pub async fn start(
        kind: GatewayKind,
        addresses: Addresses,
        change: impl Fn(String) -> String,
    ) -> Self {
        let directory = scratch::directory(kind.name());
        // Some work as another user than they are started by.
        let open = fs::set_permissions(&directory, Permissions::from_mode(0o711));
        open.expect("the directory is ours");
        let certificates = Certificates::make(&directory);
        let pair = [&certificates.certificate, &certificates.key].map(fs::read);
        let pair = pair.map(|pem| pem.expect("what was just written")).concat();
        fs::write(directory.join("gateway.pem"), pair).expect("room for it");
        for file in fs::read_dir(shipped(kind)).expect("the files of the gateway") {
            let file = file.expect("a file").path();
            let text = fs::read_to_string(&file).expect("a text");
            let text = change(addresses.put_into(&text));
            let name = file.file_name().expect("a name");
            fs::write(directory.join(name), text).expect("room for it");
        }

        let program = kind.program().expect("the part is here");
        let mut process = Command::new(program)
            .args(kind.arguments())
            .current_dir(&directory)
            .env("HOME", &directory)
            .env("XDG_CONFIG_HOME", &directory)
            .env("XDG_DATA_HOME", &directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let watched = scratch::watch(process.id().expect("it was not waited for"), "TERM");
        let stdout = Output::collect(process.stdout.take().expect("a pipe"));
        let stderr = Output::collect(process.stderr.take().expect("a pipe"));
        let (address, authority) = (addresses.gateway, certificates.authority.clone());
        let mut started = Self { process, address, authority, _watched: watched, stdout, stderr };
        let ready = timeout(START, started.asks()).await;
        assert!(ready == Ok(true), "{kind:?}: {:?} {:?}", started.stdout, started.stderr);
        started
    }

    /// A connection to it, under TLS.
    ///
    /// # Panics
    /// If it takes none.
    pub async fn connect(&self) -> Connection {
        let connected = Connection::over_tls(self.address, &self.authority).await;
        connected.expect("the gateway listens")
    }

    /// The service behind it for this caller, over HTTP/2 if the gateway speaks that.
    pub fn api(&self, caller: Caller) -> Api {
        let base = format!("https://localhost:{}", self.address.port());
        Api::over_tls(&base, caller, &self.authority)
    }

    /// Ends it, and returns all that it has said.
    ///
    /// # Panics
    /// If it does not end.
    pub async fn stop(mut self) -> String {
        self.term();
        let ended = timeout(START, self.process.wait()).await;
        ended.expect("it ends").expect("our own child");
        self.stdout.whole().await + &self.stderr.whole().await
    }

    fn term(&self) {
        let pid = self.process.id().and_then(|pid| Pid::from_raw(pid.try_into().ok()?));
        let _ = pid.map(|pid| kill_process(pid, Signal::TERM));
    }

    /// Whether it asks for a credential before it ends: some listen before they know their files.
    async fn asks(&mut self) -> bool {
        loop {
            if let Ok(mut connection) = Connection::over_tls(self.address, &self.authority).await {
                connection.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
                if connection.read_until("\r\n", START).await.contains(" 401 ") {
                    return true;
                }
            }
            if self.process.try_wait().expect("our own child").is_some() {
                return false;
            }
            sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // Not killed: some of them have processes of their own to end.
        self.term();
    }
}

/// The directory of the files.
fn shipped(kind: GatewayKind) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../integrations/gateways");
    root.join(kind.name())
}

const START: Duration = Duration::from_secs(60);
