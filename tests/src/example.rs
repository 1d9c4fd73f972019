//! The examples as child processes: services of others, which embed a verifier.

use std::{
    env, fs, net::SocketAddr, path::PathBuf, process::Stdio, sync::LazyLock, time::Duration,
};

use tokio::{
    process::{Child, Command},
    time::timeout,
};

use crate::{Output, Server, binary, scratch};

/// An example that listens. Dropped, it is killed.
#[derive(Debug)]
pub struct Example {
    _process: Child,
    _watched: scratch::Watched,
    address: SocketAddr,
}

impl Example {
    /// Starts an example for a server, which it asks with this key.
    ///
    /// # Panics
    /// If it does not listen within a minute.
    pub async fn start(name: &str, server: &Server, key: &str) -> Self {
        let file = scratch::directory("example").join("key");
        fs::write(&file, key).expect("a file for the key");
        let mut command = Command::new(EXAMPLES.join(format!("example-{name}")));
        command.arg(server.url()).arg(file).arg("127.0.0.1:0").kill_on_drop(true);
        let mut process = command.stderr(Stdio::piped()).spawn().expect("the example runs");
        let watched = scratch::watch(process.id().expect("it was not waited for"), "KILL");
        let said = Output::collect(process.stderr.take().expect("a pipe"));
        let address = timeout(START, said.find(listening_on)).await;
        let address = address.unwrap_or_else(|_| panic!("{name} does not listen: {said:?}"));
        let address = address.unwrap_or_else(|| panic!("{name} has ended: {said:?}"));
        Self { _process: process, _watched: watched, address }
    }

    /// Its address as the beginning of a URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn listening_on(text: &str) -> Option<SocketAddr> {
    let (_, after) = text.split_once("listening on ")?;
    after.split_once('\n')?.0.parse().ok()
}

/// Where the examples are: beside the binary that `KEYSTILE_TEST_BINARY` names, if they are there,
/// or built on the first use.
static EXAMPLES: LazyLock<PathBuf> = LazyLock::new(|| {
    let beside = env::var_os("KEYSTILE_TEST_BINARY").map(PathBuf::from);
    let beside = beside.and_then(|binary| binary.parent().map(PathBuf::from));
    let beside = beside.filter(|directory| directory.join("example-actix").is_file());
    beside.unwrap_or_else(|| binary::build("examples"))
});

const START: Duration = Duration::from_secs(60);
