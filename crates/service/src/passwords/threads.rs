//! The threads that hash: few, each with memory of its own, and behind all others.

use std::cell::RefCell;

use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinHandle, spawn_blocking};

use super::memory::Memory;

/// Threads that end, and give their memory back, when there was nothing to hash for ten seconds.
pub(super) struct Threads(Option<Runtime>);

impl Threads {
    pub(super) fn new(count: usize) -> Self {
        let mut threads = Builder::new_current_thread();
        threads.max_blocking_threads(count).thread_name("hash").on_thread_start(step_back);
        // Where there can be none, those of everybody do.
        Self(threads.build().ok())
    }

    pub(super) fn spawn<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> JoinHandle<T> {
        match &self.0 {
            Some(threads) => threads.spawn_blocking(|| MEMORY.with_borrow_mut(job)),
            None => spawn_blocking(|| job(&mut Memory::default())),
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // Whoever drops it may be a task, which must not wait for threads.
        if let Some(threads) = self.0.take() {
            threads.shutdown_background();
        }
    }
}

/// Has the system prefer all other threads: a hash takes a core for tens of milliseconds, in which
/// thousands of keys are checked.
#[cfg(target_os = "linux")]
fn step_back() {
    use rustix::process::{getpriority_process, setpriority_process};
    let thread = Some(rustix::thread::gettid());
    // A whole process that has stepped back further stays there.
    if getpriority_process(thread).is_ok_and(|niceness| niceness < NICENESS) {
        // A system that does not let it hashes all the same.
        let _ = setpriority_process(thread, NICENESS);
    }
}

/// Elsewhere the whole process would step back.
#[cfg(not(target_os = "linux"))]
fn step_back() {}

thread_local! {
    static MEMORY: RefCell<Memory> = RefCell::default();
}

/// Beside a thread of the usual niceness it gets a tenth of a core, so that nobody is kept from
/// signing in while the cores are busy.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::getpriority_process;
    use rustix::thread::gettid;

    use super::*;

    #[tokio::test]
    async fn those_who_hash_step_back_and_nobody_else_does() {
        let nice = || getpriority_process(Some(gettid())).unwrap();
        let before = nice();
        assert_eq!(Threads::new(1).spawn(move |_| nice()).await.unwrap(), NICENESS.max(before));
        assert_eq!(nice(), before);
    }
}
