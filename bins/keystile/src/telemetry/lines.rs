//! The way of the log to where it is read: by a thread of its own, many lines at a time.
//!
//! A write for each line is a question to the system for each refused request, and a reader that
//! has stopped reading would stop the server. So lines wait in memory, for a moment and up to a
//! bound; beyond it they are lost, and the log says how many.

use std::io::{self, Write};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// Takes lines from any thread, and waits for nobody.
#[derive(Debug)]
pub(super) struct Lines(Arc<Shared>);

/// Writes what is left when it is dropped, and ends the thread.
#[derive(Debug)]
pub struct LastLines {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// Begins to write to `output`.
///
/// # Errors
/// There can be no more threads.
pub(super) fn begin(output: impl Write + Send + 'static) -> io::Result<(Lines, LastLines)> {
    let shared = Arc::new(Shared::default());
    let of_thread = Arc::clone(&shared);
    let thread =
        thread::Builder::new().name("log".to_owned()).spawn(move || of_thread.write_to(output))?;
    Ok((Lines(Arc::clone(&shared)), LastLines { shared, thread: Some(thread) }))
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// There is something to write, or nothing ever will be.
    begun: Condvar,
    ended: Condvar,
}

/// What was not written yet.
#[derive(Debug, Default)]
struct Waiting {
    bytes: Vec<u8>,
    lost: u64,
    ends: bool,
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Whoever panicked has added a line or not.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, line: &[u8]) {
        let mut waiting = self.waiting();
        if waiting.bytes.len() + line.len() > MOST_BYTES {
            waiting.lost = waiting.lost.saturating_add(1);
            return;
        }
        // The thread is woken by the first line; it finds the others when it comes.
        if waiting.bytes.is_empty() {
            self.begun.notify_one();
        }
        waiting.bytes.extend_from_slice(line);
    }

    /// Writes until the end. What cannot be written is lost without a word: there is nobody to
    /// tell.
    fn write_to(&self, mut output: impl Write) {
        let mut writing = Vec::new();
        loop {
            let is_idle = |waiting: &mut Waiting| waiting.bytes.is_empty() && !waiting.ends;
            let waiting = self.begun.wait_while(self.waiting(), is_idle);
            let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
            mem::swap(&mut writing, &mut waiting.bytes);
            let (lost, ends) = (mem::take(&mut waiting.lost), waiting.ends);
            drop(waiting);
            let _ = output.write_all(&writing).and_then(|()| output.flush());
            writing.clear();
            writing.shrink_to(USUAL_BYTES);
            if lost > 0 {
                tracing::warn!(lines = lost, "the log was not read fast enough: lines are lost");
            } else if ends {
                return;
            }
            // Those of the next moment go together.
            let ending = self.ended.wait_timeout_while(self.waiting(), PAUSE, |it| !it.ends);
            drop(ending);
        }
    }
}

impl<'w> MakeWriter<'w> for Lines {
    type Writer = &'w Self;

    fn make_writer(&'w self) -> &'w Self {
        self
    }
}

impl Write for &Lines {
    /// Takes a whole line, or loses it.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.add(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl LastLines {
    /// Writes what is left before the process is ended, but waits for no reader that has stopped.
    pub fn write_now(self) {
        let (written, wait) = mpsc::channel();
        thread::spawn(move || {
            drop(self);
            let _ = written.send(());
        });
        let _ = wait.recv_timeout(LAST);
    }
}

impl Drop for LastLines {
    fn drop(&mut self) {
        self.shared.waiting().ends = true;
        self.shared.begun.notify_one();
        self.shared.ended.notify_one();
        // A thread that has panicked has nothing left to write.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// How long lines wait for others.
const PAUSE: Duration = Duration::from_millis(20);
/// How long the last lines may take where nothing else is waited for.
const LAST: Duration = Duration::from_millis(500);
/// How many bytes may wait: some 20,000 lines.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// How much memory is kept for the next lines.
const USUAL_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use super::*;

    /// An output that hands over what is written, and is as slow as whoever takes it.
    struct Handed(SyncSender<Vec<u8>>);

    impl Write for Handed {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn handed() -> (Lines, LastLines, Receiver<Vec<u8>>) {
        let (sender, receiver) = sync_channel(0);
        let (lines, last) = begin(Handed(sender)).unwrap();
        (lines, last, receiver)
    }

    #[test]
    fn a_line_is_written_without_waiting_for_others() {
        let (lines, _last, written) = handed();
        (&lines).write_all(b"one\n").unwrap();
        assert_eq!(written.recv().unwrap(), b"one\n");
    }

    #[test]
    fn lines_that_come_while_others_are_written_are_written_together_and_in_order() {
        let (lines, last, written) = handed();
        (&lines).write_all(b"0\n").unwrap();
        for line in 1..=100 {
            (&lines).write_all(format!("{line}\n").as_bytes()).unwrap();
        }
        drop(lines);
        let reader = thread::spawn(move || written.iter().collect::<Vec<_>>());
        drop(last);
        let writes = reader.join().unwrap();
        let expected: String = (0..=100).map(|line| format!("{line}\n")).collect();
        assert_eq!(String::from_utf8(writes.concat()).unwrap(), expected);
        assert!(writes.len() <= 3, "{}", writes.len());
    }

    #[test]
    fn a_reader_that_does_not_read_holds_up_nobody_and_what_is_lost_is_counted() {
        let (lines, last, written) = handed();
        let line = vec![b'x'; 1024 * 1024];
        let most = MOST_BYTES / line.len();
        (&lines).write_all(&line).unwrap();
        while !lines.0.waiting().bytes.is_empty() {
            thread::yield_now();
        }
        // The first is on its way to the reader, with nothing left in memory.
        for _ in 0..most + 2 {
            (&lines).write_all(&line).unwrap();
        }
        assert_eq!(lines.0.waiting().lost, 2);
        let reader = thread::spawn(move || written.iter().flatten().count());
        drop(last);
        assert_eq!(reader.join().unwrap(), (1 + most) * line.len());
    }
}
