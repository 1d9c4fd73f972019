//! Throw-away Redis servers, each in a directory of its own and reached over a socket in it.

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
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

    /// Begins to note what it is told to do.
    ///
    /// # Panics
    /// If it does not answer.
    pub fn watch(&self) -> RedisWatch {
        let mut lines = BufReader::new(self.connect());
        lines.get_mut().write_all(b"MONITOR\r\n").expect("it reads");
        let mut taken = String::new();
        lines.read_line(&mut taken).expect("it answers");
        assert_eq!(taken, "+OK\r\n");
        RedisWatch { lines, other: self.connect() }
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

    fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(self.socket()).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream
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

/// What a Redis is told to do from one moment on.
#[derive(Debug)]
pub struct RedisWatch {
    lines: BufReader<UnixStream>,
    other: UnixStream,
}

impl RedisWatch {
    /// The commands of its clients until now, each with its arguments in quotation marks. What a
    /// script does inside is none.
    ///
    /// # Panics
    /// If it does not answer.
    pub fn commands(mut self) -> Vec<String> {
        self.other.write_all(format!("ECHO {END}\r\n").as_bytes()).expect("it reads");
        // +1339518083.107412 [0 unix:/path] "SET" "key" "value"
        let lines = self.lines.lines().map(|line| line.expect("it tells the end"));
        let lines = lines.take_while(|line| !line.ends_with(&format!("\"{END}\"")));
        let commands = lines.filter(|line| !line.contains(" lua] "));
        commands.map(|line| line.split_once("] ").expect("a command").1.to_owned()).collect()
    }
}

const READY: &str = "connections";
const END: &str = "end-of-watch";
const PATIENCE: Duration = Duration::from_secs(30);
