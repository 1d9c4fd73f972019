//! The user that PostgreSQL runs as when the tests run as root, which it refuses.

use std::{
    fs, io,
    os::unix::{fs::chown, process::CommandExt},
    path::Path,
    process::Command,
};

use rustix::process::geteuid;

/// Another user of this machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    user: u32,
    group: u32,
}

impl Owner {
    /// `postgres`, or else `nobody`; none if the tests do not run as root.
    pub(crate) fn needed() -> Option<Self> {
        if !geteuid().is_root() {
            return None;
        }
        let users = fs::read_to_string("/etc/passwd").expect("a list of users");
        let owner = Self::named("postgres", &users).or_else(|| Self::named("nobody", &users));
        Some(owner.expect("a user that is not root"))
    }

    fn named(name: &str, users: &str) -> Option<Self> {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2).map(|field| field.parse().ok());
        Some(Self { user: fields.next()??, group: fields.next()?? })
    }

    /// Gives this user the directory and the files in it.
    pub(crate) fn take(self, directory: &Path) -> io::Result<()> {
        chown(directory, Some(self.user), Some(self.group))?;
        fs::read_dir(directory)?
            .try_for_each(|entry| chown(entry?.path(), Some(self.user), Some(self.group)))
    }

    /// Has this user run the command.
    pub(crate) fn run(self, command: &mut Command) {
        command.uid(self.user).gid(self.group);
    }
}
