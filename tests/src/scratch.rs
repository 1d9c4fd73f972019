//! What a test process makes on the machine: one directory and its child processes.
//!
//! A static is never dropped, and a process that is killed drops nothing. So a small shell, in a
//! process group of its own, holds the other end of a pipe: when the pipe closes, it ends the
//! processes that are still watched and removes the directory.

use std::{
    fmt,
    fs::{DirBuilder, Permissions, set_permissions},
    io::{self, Write},
    os::unix::{fs::DirBuilderExt, fs::PermissionsExt, process::CommandExt},
    path::PathBuf,
    process::{ChildStdin, Command, Stdio},
    sync::{
        LazyLock, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

/// Makes an empty directory, readable by its owner alone, that lives as long as the test process.
pub fn directory(name: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let directory = SWEEPER.root.join(format!("{name}-{number}"));
    DirBuilder::new().mode(0o700).create(&directory).expect("a directory for a test");
    directory
}

/// Has a child process ended with `signal` (`KILL`, `QUIT`) if this process ends before it.
pub fn watch(pid: u32, signal: &str) -> Watched {
    SWEEPER.order(format_args!("watch {pid} {signal}")).expect("the shell that clears up is there");
    Watched(pid)
}

/// A child process that does not outlive the tests. Drop it when the process has ended: its number
/// may then belong to another.
#[derive(Debug)]
pub struct Watched(u32);

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = SWEEPER.order(format_args!("forget {}", self.0));
    }
}

struct Sweeper {
    root: PathBuf,
    orders: Mutex<ChildStdin>,
}

impl Sweeper {
    #[expect(clippy::zombie_processes, reason = "the shell lives longer than this process")]
    fn start() -> Self {
        let root = tempfile::Builder::new().prefix("keystile-tests-").tempdir();
        let root = root.expect("a directory for the tests").keep();
        // PostgreSQL runs as another user, and has to reach its own directory in here.
        set_permissions(&root, Permissions::from_mode(0o711)).expect("the directory is ours");
        let mut shell = Command::new("sh")
            .args(["-c", include_str!("sweep.sh"), "sweep"])
            .arg(&root)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("a shell to clear up after the tests");
        let orders = Mutex::new(shell.stdin.take().expect("its input is a pipe"));
        Self { root, orders }
    }

    fn order(&self, order: fmt::Arguments<'_>) -> io::Result<()> {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(orders, "{order}")
    }
}

static SWEEPER: LazyLock<Sweeper> = LazyLock::new(Sweeper::start);
