//! Throw-away Redis servers, each in a directory of its own and reached over a socket in it.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{programs, scratch};

/// A running Redis. It is ended with the test process at the latest.
#[derive(Debug)]
pub struct Redis {
    directory: PathBuf,
    process: Option<(Child, scratch::Watched)>,
}

impl Redis {
    /// Starts an empty one.
    ///
    /// # Panics
    /// If Redis is not here (ask [`Part::Redis`](crate::Part) first) or does not start.
    pub fn make() -> Self {
        let mut redis = Self { directory: scratch::directory("redis"), process: None };
        redis.start();
        redis
    }

    /// Its address, for the setting.
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket())
    }

    /// Stops it in the middle of whatever it does: it takes connections and answers nothing.
    pub fn freeze(&self) {
        self.send(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.send(Signal::CONT);
    }

    /// Ends it without any warning; it forgets everything.
    pub fn kill(&mut self) {
        self.send(Signal::KILL);
        if let Some((mut process, _)) = self.process.take() {
            process.wait().expect("our own child");
        }
    }

    /// Starts it again at the same address, empty.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(&mut self) {
        let mut process = Command::new(programs::find("redis-server").expect("redis-server"))
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--daemonize", "no"])
            .args(["--unixsocket", &self.socket(), "--dir"])
            .arg(&self.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("redis-server runs");
        let watched = scratch::watch(process.id(), "KILL");
        let mut log = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let ready = log.by_ref().any(|line| line.is_ok_and(|line| line.contains(READY)));
        assert!(ready, "Redis does not start");
        // Else it would have nobody to talk to, and end.
        thread::spawn(move || log.for_each(drop));
        self.process = Some((process, watched));
    }

    fn socket(&self) -> String {
        self.directory.join("redis.sock").display().to_string()
    }

    fn send(&self, signal: Signal) {
        let (process, _) = self.process.as_ref().expect("it runs");
        let pid = process.id().try_into().ok().and_then(Pid::from_raw).expect("a process");
        kill_process(pid, signal).expect("our own child");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.kill();
        }
    }
}

const READY: &str = "connections";
