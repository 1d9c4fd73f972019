//! A child process that answers each line of JSON with another.

use std::{process::Stdio, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use crate::{Output, scratch};

/// The process and both ends of the talk. Dropped, the process is killed.
#[derive(Debug)]
pub(super) struct Dialogue {
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    complaints: Output,
    _process: Child,
    _watched: scratch::Watched,
}

impl Dialogue {
    /// Starts the process.
    pub(super) fn start(mut command: Command) -> Self {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the provider runs");
        let watched = scratch::watch(process.id().expect("it was not waited for"), "KILL");
        let stdout = process.stdout.take().expect("a pipe");
        Self {
            orders: process.stdin.take().expect("a pipe"),
            answers: BufReader::new(stdout).lines(),
            complaints: Output::collect(process.stderr.take().expect("a pipe")),
            _process: process,
            _watched: watched,
        }
    }

    /// Sends an order and waits for its answer.
    pub(super) async fn order(&mut self, order: &Value) -> Value {
        let sent = self.orders.write_all(format!("{order}\n").as_bytes()).await;
        assert!(sent.is_ok(), "{order}: {:?}", self.complaints);
        self.answer().await
    }

    /// Waits for the next line.
    ///
    /// # Panics
    /// If none comes within a minute, or the process ends.
    pub(super) async fn answer(&mut self) -> Value {
        let line = timeout(ANSWER, self.answers.next_line()).await.ok();
        let line = line.and_then(Result::ok).flatten();
        let line = line.unwrap_or_else(|| panic!("no answer: {:?}", self.complaints));
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"))
    }
}

const ANSWER: Duration = Duration::from_secs(60);
