//! PgBouncer, a pooler that lends its few connections to many.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    thread,
};

use crate::{free_address, owner::Owner, programs, scratch};

/// A pooler in front of one database. Dropped, it ends.
#[derive(Debug)]
pub struct PgBouncer {
    url: String,
    process: Child,
    _watched: scratch::Watched,
}

impl PgBouncer {
    /// A pooler in front of the database at this address.
    ///
    /// # Panics
    /// If PgBouncer is not here (ask [`Part::PgBouncer`](crate::Part) first) or does not start.
    pub fn to(url: &str) -> Self {
        Self::start(url, mode())
    }

    /// A pooler that lends the one connection that it has for a transaction, and keeps no prepared
    /// statements.
    ///
    /// # Panics
    /// As [`to`](Self::to).
    pub fn forgetting(url: &str) -> Self {
        Self::start(url, "pool_mode = transaction\ndefault_pool_size = 1\n")
    }

    /// The address of the database through it.
    pub fn url(&self) -> &str {
        &self.url
    }

    fn start(url: &str, mode: &str) -> Self {
        let port = free_address().port();
        let (credentials, rest) = url.split_once('@').expect("an address with a password");
        let (host, database) = rest.split_once('/').expect("an address of a database");
        let (host, behind) = host.split_once(':').expect("an address with a port");
        let named = credentials.trim_start_matches("postgres://");
        let (user, password) = named.split_once(':').expect("an address with a password");
        let directory = scratch::directory("pgbouncer");
        let file = directory.join("pgbouncer.ini");
        let settings = format!(
            "[databases]\n\
             {database} = host={host} port={behind} user={user} password={password}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = any\n{mode}\n"
        );
        fs::write(&file, settings).expect("the directory is ours");
        let mut command = Command::new(programs::gateway("pgbouncer").expect("PgBouncer"));
        if let Some(owner) = Owner::needed() {
            owner.take(&directory).expect("root may give files away");
            owner.run(&mut command);
        }
        let mut process = command
            .arg(&file)
            .current_dir(&directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("PgBouncer runs");
        let watched = scratch::watch(process.id(), "KILL");
        let mut log = BufReader::new(process.stderr.take().expect("a pipe")).lines();
        let is_up = log.by_ref().any(|line| line.is_ok_and(|line| line.contains("process up")));
        assert!(is_up, "PgBouncer does not start");
        // A full pipe would stop it.
        thread::spawn(move || log.for_each(drop));
        let url = format!("{credentials}@127.0.0.1:{port}/{database}");
        Self { url, process, _watched: watched }
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Each transaction on another connection, as soon as its version keeps prepared statements then.
fn mode() -> &'static str {
    let told = Command::new(programs::gateway("pgbouncer").expect("PgBouncer")).arg("-V").output();
    let told = String::from_utf8(told.expect("PgBouncer runs").stdout).expect("text");
    let minor = told.split_whitespace().find_map(|word| word.strip_prefix("1."));
    let minor = minor.and_then(|minor| minor.split('.').next()?.parse::<u32>().ok());
    match minor {
        Some(21..) => "pool_mode = transaction\nmax_prepared_statements = 200",
        _ => "pool_mode = session",
    }
}
