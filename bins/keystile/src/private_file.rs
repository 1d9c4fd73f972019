//! Files that hold secrets: their owner's alone, whole or not there, and still there after a power
//! loss.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Writes a file in one step. One that is there is replaced.
///
/// # Errors
/// Whatever the file system says. Then the file is as it was.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = PrivateFile::begin(path)?;
    file.write_all(text.as_bytes())?;
    file.finish()
}

/// A file that is being written, beside the one that it will replace. Dropped, it is gone.
pub struct PrivateFile {
    file: File,
    new: PathBuf,
    path: PathBuf,
}

impl PrivateFile {
    /// Begins a file, in place of one that was not finished.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn begin(path: &Path) -> io::Result<Self> {
        let new = path.with_added_extension("unfinished");
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        Ok(Self { file, new, path: path.to_owned() })
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// Whatever the file system says. Then the one that was there is as it was.
    pub fn finish(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.new, &self.path)?;
        self.new.clear();
        // The name is in the directory, and lasts only when that does.
        let directory = match self.path.parent() {
            Some(directory) if !directory.as_os_str().is_empty() => directory,
            _ => Path::new("."),
        };
        File::open(directory)?.sync_all()
    }
}

impl Write for PrivateFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for PrivateFile {
    fn drop(&mut self) {
        if !self.new.as_os_str().is_empty() {
            // It was not finished. What cannot be removed is replaced by the next one.
            let _ = fs::remove_file(&self.new);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_private_file_is_its_owners_alone_and_replaces_one_that_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("first-admin");
        fs::write(&path, "old").unwrap();

        write(&path, "new").unwrap();

        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_was_not_finished_leaves_the_old_one_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("backup");
        fs::write(&path, "old").unwrap();

        let mut file = PrivateFile::begin(&path).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);

        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
