//! The shell lines of a page, run as one script against a server of their own.

use std::{env, ffi::OsString, os::unix::fs::symlink, path::Path, process::Stdio, time::Duration};

use acceptance::{Addresses, Database, Options, Part, Server, free_address, keystile, scratch};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    process::{Child, Command},
    time::timeout,
};

use super::{
    gateways,
    identity::Identity,
    page::{Block, Page},
    shown,
};

/// Runs every `sh` block of the page and compares what each prints with the `json` or `text` block
/// that follows it; the number of blocks that were run.
pub async fn run(page: &Page) -> usize {
    let blocks = page.blocks();
    let scripts: Vec<_> = blocks.iter().filter(|block| block.language == "sh").collect();
    let needs_issuer = scripts.iter().any(|block| block.text.contains("$ISSUER"));
    if scripts.is_empty() || needs_issuer && !Part::OpenId.or_skip() {
        return 0;
    }
    let database = if scripts.iter().any(|block| block.text.contains("$DATABASE_URL")) {
        let Some(database) = Database::postgres().await else { return 0 };
        database
    } else {
        Database::Sqlite
    };
    let mut options = Options::on(&database);
    if gateways::are_in(page) {
        if !gateways::are_here() {
            return 0;
        }
        options = options.env("KEYSTILE_TRUSTED_PROXIES", "127.0.0.1");
    }
    let server = Server::start(&options).await;
    let identity = if needs_issuer { Some(Identity::start().await) } else { None };
    let variables = identity.iter().flat_map(|identity| identity.variables.clone());
    let addresses = Addresses::new(server.address(), free_address());
    let directory = scratch::directory("docs");
    if gateways::are_in(page) {
        gateways::lay_out(&directory, addresses);
    }
    let mut bash = bash(&server, &script(&scripts, addresses), &directory);
    if let Database::Postgres(url) = &database {
        bash.env("DATABASE_URL", url).env("MASTER_KEY", Options::MASTER_KEY);
    }
    let printed = print(bash.envs(variables), &page.name).await;
    let printed: Vec<_> = printed.split(END).collect();
    assert_eq!(printed.len(), scripts.len() + 1, "{}: {printed:#?}", page.name);
    let mut printed = printed.into_iter();
    let mut last = "";
    for block in &blocks {
        match block.language.as_str() {
            "sh" => last = printed.next().unwrap(),
            "json" if block.follows => shown::assert_json(&page.name, &block.text, last),
            "text" if block.follows => assert_eq!(block.text.trim(), last.trim(), "{}", page.name),
            _ => {}
        }
    }
    scripts.len()
}

fn script(blocks: &[&Block], addresses: Addresses) -> String {
    let mut script =
        "set -euo pipefail\ntrap 'kill $(jobs -p) 2> /dev/null || true' EXIT\n".to_owned();
    let mut servers = 1;
    for block in blocks {
        for line in block.text.lines().filter(|line| !DONE_ELSEWHERE.contains(line)) {
            script.push_str(&addresses.put_into(line));
            if line.starts_with("keystile serve ") {
                servers += 1;
                script.push_str(&IN_THE_BACKGROUND.replace("NUMBER", &servers.to_string()));
            }
            script.push('\n');
        }
        script.push_str(&format!("printf '%s' '{END}'\n"));
    }
    script
}

/// Runs the script in a directory that looks as the server's own does to its reader.
fn bash(server: &Server, script: &str, directory: &Path) -> Command {
    symlink(server.options().data(), directory.join("keystile-data")).unwrap();
    let mut bash = Command::new("bash");
    bash.args(["-c", script]).current_dir(directory).kill_on_drop(true);
    bash.env("PATH", path([keystile().parent().unwrap(), &directory.join("bin")]));
    bash.env("KEY", server.admin_key()).env("NO_PROXY", "*");
    bash.env("XDG_CONFIG_HOME", directory.join("config"));
    bash.env("XDG_STATE_HOME", directory.join("state"));
    bash
}

/// What the script prints.
async fn print(bash: &mut Command, page: &str) -> String {
    bash.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let started = bash.spawn().unwrap();
    let _group = Group::of(&started);
    let output = timeout(DEADLINE, started.wait_with_output()).await.expect("it ends").unwrap();
    let [stdout, stderr] =
        [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(output.status.success(), "{page}: {bash:?}\nprinted\n{stdout}\nand\n{stderr}");
    stdout
}

/// What a script has started, with itself. Dropped, all of it ends, also if another page has failed
/// and nobody waits any more.
struct Group(Option<Pid>);

impl Group {
    fn of(leader: &Child) -> Self {
        Self(leader.id().and_then(|pid| Pid::from_raw(pid.try_into().ok()?)))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = self.0.map(|leader| kill_process_group(leader, Signal::TERM));
    }
}

/// The search path with these before all others.
fn path(first: [&Path; 2]) -> OsString {
    let path = env::var_os("PATH").unwrap();
    env::join_paths(first.map(Path::to_owned).into_iter().chain(env::split_paths(&path))).unwrap()
}

/// Lines that the harness stands for: the server runs, and this is the test.
const DONE_ELSEWHERE: [&str; 4] = [
    "cargo run --release -- serve",
    "cargo xtask test",
    "keystile serve --listen 127.0.0.1:8080",
    "keystile serve --trusted-proxies 127.0.0.1",
];
/// A server with data of its own, which is waited for.
const IN_THE_BACKGROUND: &str = " --data-dir data-NUMBER &> server-NUMBER &
until grep -q '^Keystile is ready' server-NUMBER; do kill -0 $!; sleep 0.1; done";
const END: &str = "--- the end of a block ---";
const DEADLINE: Duration = Duration::from_secs(60);
