//! What happens to a cluster beside starting and ending: a standby that follows it and takes over,
//! and a machine that stands still.

use std::{fs, path::Path, process::Child};

use rustix::process::{Pid, Signal, kill_process};

use super::{Postgres, USER};
use crate::{free_address, scratch};

impl Postgres {
    /// Makes a standby that follows this cluster from now on, at an address of its own.
    ///
    /// # Panics
    /// If it does not start.
    pub fn standby(&self) -> Self {
        let mut standby = Self {
            bin: self.bin.clone(),
            owner: self.owner,
            password: self.password.clone(),
            port: free_address().port(),
            process: None,
            setup: self.setup,
            directory: scratch::directory("standby"),
            certificates: None,
        };
        if let Some(owner) = self.owner {
            owner.take(&standby.directory).expect("root may give files away");
        }
        let copied = standby
            .command("pg_basebackup")
            .args(["--no-sync", "--checkpoint=fast", "--write-recovery-conf", "--username", USER])
            .args(["--port", &self.port.to_string(), "--host"])
            .arg(&self.directory)
            .arg("--pgdata")
            .arg(standby.data())
            .output()
            .expect("pg_basebackup runs");
        assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
        standby.start();
        standby
    }

    /// Makes commits wait for a standby from now on.
    pub async fn wait_for_standbys(&self) {
        self.set("synchronous_standby_names", "'*'").await;
    }

    /// Changes a setting of the whole cluster.
    pub async fn set(&self, setting: &str, value: &str) {
        self.execute("postgres", &format!("ALTER SYSTEM SET {setting} = {value}")).await;
        self.execute("postgres", "SELECT pg_reload_conf()").await;
    }

    /// Makes a standby the primary, and waits until it is.
    pub async fn promote(&self) {
        self.execute("postgres", "SELECT pg_promote()").await;
    }

    /// The address of a database of this cluster, by an address of it in another.
    pub fn same_database(&self, url: &str) -> String {
        let (_, database) = url.rsplit_once('/').expect("an address of a database");
        self.url("127.0.0.1", database)
    }

    /// Stops it in the middle of whatever it does: its machine takes connections, and nobody
    /// answers.
    pub fn freeze(&self) {
        self.send_to_all(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.send_to_all(Signal::CONT);
    }

    fn send_to_all(&self, signal: Signal) {
        let (postmaster, _) = self.process.as_ref().expect("it runs");
        // The first one first: it makes the others.
        for pid in [Pid::from_child(postmaster)].into_iter().chain(children(postmaster)) {
            // It may have ended by itself.
            let _ = kill_process(pid, signal);
        }
    }
}

fn children(process: &Child) -> impl Iterator<Item = Pid> {
    let pid = process.id();
    let file = format!("/proc/{pid}/task/{pid}/children");
    let list = fs::read_to_string(Path::new(&file)).expect("a running process");
    let pids: Vec<_> = list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect();
    pids.into_iter().filter_map(Pid::from_raw)
}
