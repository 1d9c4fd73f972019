//! Backing up a server that runs, and a server on what was restored.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use acceptance::{Database, Options, Server, scratch};

/// A backup of a server that runs.
pub async fn back_up(server: &Server) -> PathBuf {
    let file = scratch::directory("backup").join("keystile.backup");
    let ended = server.options().run(&["backup", file.to_str().unwrap()]).await;
    assert!(ended.status.success(), "{ended:#?}");
    file
}

/// Where a backup of this server can be restored: an empty database under the same master key.
pub fn target(server: &Server, database: &Database) -> Options {
    Options::on(database).env("KEYSTILE_MASTER_KEY", master_key(server))
}

/// A server on what was restored from a backup of this one.
pub async fn restored(server: &Server, database: &Database, file: &Path) -> Server {
    let target = target(server, database);
    let ended = target.run(&["restore", file.to_str().unwrap()]).await;
    assert!(ended.status.success(), "{ended:#?}");
    assert!(ended.stderr.contains("lives again"), "{ended:#?}");
    Server::start(&target).await
}

/// The master key of a server: its own, or the one that all tests on PostgreSQL share.
pub fn master_key(server: &Server) -> String {
    let own = fs::read_to_string(server.options().data().join("master.key"));
    own.map_or_else(|_| SHARED.to_owned(), |key| key.trim().to_owned())
}

/// What a backup says.
pub fn unpacked(file: &Path) -> String {
    let unpacked = Command::new("gzip").arg("-dc").stdin(fs::File::open(file).unwrap()).output();
    String::from_utf8(unpacked.unwrap().stdout).unwrap()
}

/// What a backup is made of.
pub fn packed(text: &str) -> PathBuf {
    let file = scratch::directory("backup").join("text");
    fs::write(&file, text).unwrap();
    let packing = Command::new("gzip").arg("-c").arg(&file).stdout(Stdio::piped()).output();
    let backup = file.with_extension("backup");
    fs::write(&backup, packing.unwrap().stdout).unwrap();
    backup
}

const SHARED: &str = "a2V5c3RpbGUtdGVzdHMtMzItYnl0ZXMtbG9uZy1rZXk=";
