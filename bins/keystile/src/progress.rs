//! How far a backup or a restore is, on standard error; hidden by itself where that is no terminal.

use std::io::{self, Read, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// What is read or written, and counted on the way.
pub struct Counted<T> {
    inner: T,
    bar: ProgressBar,
}

impl<T> Counted<T> {
    /// Counts what is read from, or written to, `inner`: `length` bytes, if that is known.
    pub fn new(inner: T, length: Option<u64>, done: &str) -> Self {
        let bar = length.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let of = if length.is_some() {
            "{wide_bar} {bytes} of {total_bytes}"
        } else {
            "{spinner} {bytes}"
        };
        if let Ok(style) = ProgressStyle::with_template(&format!("{of} {done}")) {
            bar.set_style(style);
        }
        bar.tick();
        bar.enable_steady_tick(AGAIN);
        Self { inner, bar }
    }

    /// What was counted, which is all there is.
    pub fn end(self) -> T {
        self.bar.finish_and_clear();
        self.inner
    }

    fn count(&self, bytes: usize) {
        self.bar.inc(u64::try_from(bytes).unwrap_or_default());
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.count(written);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(bytes)?;
        self.count(read);
        Ok(read)
    }
}

const AGAIN: Duration = Duration::from_millis(100);
