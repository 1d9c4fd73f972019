//! The stream of changes: server-sent events (HTML standard, section 9.2), opened again whenever it
//! ends. It only wakes: whoever follows asks for what it may have missed.

use std::iter;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use keystile_api::changes::Change;
use reqwest::Response;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::server::Server;

/// Hands on the changes that the server tells, for as long as somebody takes them.
pub(crate) async fn listen(server: Server, changes: mpsc::Sender<Change>) {
    let mut pauses = pauses();
    while !changes.is_closed() {
        match server.follow().await {
            Ok(response) => {
                if hear(response, &changes).await {
                    pauses = self::pauses();
                }
            }
            Err(error) => tracing::debug!(%error, "the feed of changes cannot be followed"),
        }
        sleep(pauses.next().unwrap_or(LONGEST_PAUSE)).await;
    }
}

/// Longer and longer pauses, no two verifiers alike: a server that comes back shall not meet all of
/// them at once.
pub(crate) fn pauses() -> impl Iterator<Item = Duration> {
    let backoff = ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(50))
        .with_max_delay(LONGEST_PAUSE)
        .without_max_times()
        .with_jitter();
    backoff.build().chain(iter::repeat(LONGEST_PAUSE))
}

/// Hears a stream to its end; whether anything was heard.
async fn hear(mut response: Response, changes: &mpsc::Sender<Change>) -> bool {
    let (mut lines, mut heard) = (Lines::default(), false);
    loop {
        match timeout(SILENCE, response.chunk()).await {
            Ok(Ok(Some(chunk))) => {
                heard = true;
                lines.push(&chunk);
            }
            _ => return heard,
        }
        while let Some(line) = lines.next() {
            let Some(data) = line.strip_prefix(b"data:") else { continue };
            let Ok(change) = serde_json::from_slice(data) else { continue };
            if changes.send(change).await.is_err() {
                return heard;
            }
        }
        if lines.0.len() > LONGEST_LINE {
            return heard;
        }
    }
}

/// What was heard of lines that are not whole yet. Each event of the server is one line of data.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn next(&mut self) -> Option<Vec<u8>> {
        let end = self.0.iter().position(|byte| *byte == b'\n')?;
        let mut line: Vec<_> = self.0.drain(..=end).collect();
        line.truncate(end);
        Some(line)
    }
}

/// The server is never silent for so long.
const SILENCE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_LINE: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_together_however_they_come() {
        let text = b"id: 1\ndata: {\"a\"}\n\n:\n\ndata: 2";
        for size in 1..=text.len() {
            let (mut lines, mut heard) = (Lines::default(), Vec::new());
            for part in text.chunks(size) {
                lines.push(part);
                heard.extend(iter::from_fn(|| lines.next()));
            }
            let expected: [&[u8]; 5] = [b"id: 1", b"data: {\"a\"}", b"", b":", b""];
            assert_eq!(heard, expected, "{size} at a time");
            assert_eq!(lines.0, b"data: 2");
        }
    }

    #[test]
    fn pauses_grow_up_to_a_bound_and_never_end() {
        let pauses: Vec<_> = pauses().take(100).collect();
        assert!(pauses.iter().all(|pause| *pause <= 2 * LONGEST_PAUSE));
        assert!(pauses[0] < Duration::from_millis(200), "{:?}", pauses[0]);
        assert!(pauses[20] >= LONGEST_PAUSE);
        assert_eq!(pauses.len(), 100);
    }
}
