//! A PostgreSQL to throw away, with its default settings: what is committed is on the disk.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::{parts, step};

/// A running cluster, stopped and removed when it is dropped.
pub struct Postgres {
    bin: PathBuf,
    directory: PathBuf,
    owner: Option<(u32, u32)>,
    port: u16,
    process: Option<Child>,
}

impl Postgres {
    /// Makes one and starts it. Root gives it to the user `postgres`, as it must.
    pub fn start() -> Result<Self> {
        let bin = parts::postgres()?;
        let owner = owner()?;
        let directory = std::env::temp_dir().join(format!("keystile-bench-{}", std::process::id()));
        fs::create_dir_all(&directory)?;
        if let Some((user, group)) = owner {
            chown(&directory, Some(user), Some(group))?;
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut postgres = Self { bin, directory, owner, port, process: None };
        let mut initdb = postgres.command("initdb");
        initdb.args(["--no-locale", "--encoding=UTF8", "--username=keystile", "--auth=trust"]);
        let output = initdb.arg("--pgdata").arg(postgres.data()).output()?;
        ensure!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        let mut server = postgres.command("postgres");
        server.arg("-D").arg(postgres.data()).args(["-c", "listen_addresses=127.0.0.1"]);
        server.args(["-c", &format!("port={port}"), "-c", "unix_socket_directories="]);
        server.stdout(Stdio::null()).stderr(Stdio::null());
        postgres.process = Some(server.spawn()?);
        Ok(postgres)
    }

    /// Makes an empty database, as soon as it can, and tells its address.
    pub fn database(&self, name: &str) -> Result<String> {
        for _ in 0..100 {
            let mut createdb = self.command("createdb");
            createdb.args(["--host=127.0.0.1", "--username=keystile", "--port"]);
            if createdb.arg(self.port.to_string()).arg(name).output()?.status.success() {
                return Ok(format!("postgres://keystile@127.0.0.1:{}/{name}", self.port));
            }
            thread::sleep(Duration::from_millis(100));
        }
        anyhow::bail!("PostgreSQL does not start")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.current_dir(&self.directory);
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            // On QUIT it ends its own processes at once.
            step::signal("QUIT", process);
            let _ = process.wait();
        }
        // What cannot be removed is in nobody's way.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// The user that it runs as if that cannot be ours, with its group.
fn owner() -> Result<Option<(u32, u32)>> {
    let id = |flag: &str| -> Result<u32> {
        let output = Command::new("id").args([flag, "postgres"]).output()?;
        String::from_utf8(output.stdout)?.trim().parse().context("no user `postgres`")
    };
    parts::is_root().then(|| Ok((id("-u")?, id("-g")?))).transpose()
}
