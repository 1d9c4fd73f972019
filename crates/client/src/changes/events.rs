//! Server-sent events (HTML standard, section 9.2), as the server sends them: each is one line of
//! data.

use std::time::Duration;

use keystile_api::changes::Change;
use reqwest::Response;
use tokio::time::timeout;

use crate::{Error, Result, operations};

/// The events of one connection.
pub(super) struct Events {
    response: Response,
    /// What was heard of lines that are not whole yet.
    heard: Vec<u8>,
}

impl Events {
    pub(super) fn new(response: Response) -> Self {
        Self { response, heard: Vec::new() }
    }

    /// The next change; `None` when the server has ended the stream.
    pub(super) async fn next(&mut self) -> Result<Option<Change>> {
        loop {
            while let Some(line) = self.line() {
                let Some(data) = line.strip_prefix(b"data:") else { continue };
                let change = serde_json::from_slice(data).map(Some);
                return change
                    .map_err(|error| Error::unreadable(operations::list_changes, "data", &error));
            }
            let chunk = timeout(SILENCE, self.response.chunk()).await.or(Err(Error::TimedOut))?;
            match chunk.map_err(Error::unanswered)? {
                Some(chunk) => self.heard.extend_from_slice(&chunk),
                None => return Ok(None),
            }
            if self.heard.len() > LONGEST {
                return Err(Error::not_keystile());
            }
        }
    }

    fn line(&mut self) -> Option<Vec<u8>> {
        let end = self.heard.iter().position(|byte| *byte == b'\n')?;
        let mut line: Vec<_> = self.heard.drain(..=end).collect();
        line.truncate(end);
        Some(line)
    }
}

/// The server is never silent for so long.
const SILENCE: Duration = Duration::from_secs(30);
/// Far more than the server ever sends at once.
const LONGEST: usize = 1024 * 1024;
