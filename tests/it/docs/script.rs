//! The shell lines of a page, run as one script against a server of their own.

use std::{env, ffi::OsString, os::unix::fs::symlink, path::Path, time::Duration};

use acceptance::{Database, Options, Part, Server, keystile, scratch};
use tokio::{process::Command, time::timeout};

use super::{
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
    let server = Server::start(&Options::on(&Database::Sqlite)).await;
    let identity = if needs_issuer { Some(Identity::start().await) } else { None };
    let variables = identity.iter().flat_map(|identity| identity.variables.clone());
    let mut bash = bash(&server, &script(&scripts, &server));
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

fn script(blocks: &[&Block], server: &Server) -> String {
    let mut script = "set -euo pipefail\n".to_owned();
    for block in blocks {
        for line in block.text.lines().filter(|line| !DONE_ELSEWHERE.contains(line)) {
            script.push_str(&line.replace("127.0.0.1:8080", &server.address().to_string()));
            script.push('\n');
        }
        script.push_str(&format!("printf '%s' '{END}'\n"));
    }
    script
}

/// Runs the script in a directory that looks as the server's own does to its reader.
fn bash(server: &Server, script: &str) -> Command {
    let directory = scratch::directory("docs");
    symlink(server.options().data(), directory.join("keystile-data")).unwrap();
    let mut bash = Command::new("bash");
    bash.args(["-c", script]).current_dir(&directory).kill_on_drop(true);
    bash.env("PATH", path(keystile().parent().unwrap()));
    bash.env("KEY", server.admin_key()).env("NO_PROXY", "*");
    bash
}

/// What the script prints.
async fn print(bash: &mut Command, page: &str) -> String {
    let output = timeout(DEADLINE, bash.output()).await.expect("it ends").unwrap();
    let [stdout, stderr] =
        [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(output.status.success(), "{page}: {bash:?}\nprinted\n{stdout}\nand\n{stderr}");
    stdout
}

/// The search path with the binary under test before all others.
fn path(first: &Path) -> OsString {
    let path = env::var_os("PATH").unwrap();
    env::join_paths([first.to_owned()].into_iter().chain(env::split_paths(&path))).unwrap()
}

/// Lines that the harness stands for: the server runs, and this is the test.
const DONE_ELSEWHERE: [&str; 2] = ["cargo run --release -- serve", "cargo xtask test"];
const END: &str = "--- the end of a block ---";
const DEADLINE: Duration = Duration::from_secs(60);
