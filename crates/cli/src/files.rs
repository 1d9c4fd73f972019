//! Files of the command line: what it writes is its owner's alone, and written in one step or not
//! at all; what it reads has an end.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// Puts a file in the place of what was there, and makes the folder for it. Of a link it is the
/// end that is written: whoever keeps settings elsewhere keeps them there.
///
/// # Errors
/// It cannot be written. Then it is as it was.
pub fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let path = behind_links(path)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // Made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Reads a file whole.
///
/// # Errors
/// It cannot be read, or is larger than any that makes sense: a device without an end, say.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let told = |error: String| Failure::Usage(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(|error| told(error.to_string()))?;
    let mut text = Vec::new();
    let read = bounded(file).read_to_end(&mut text);
    read.map_err(|error| told(error.to_string()))?;
    Ok(text)
}

/// The same bytes, up to an end: behind [`LARGEST`] bytes it is an error.
pub fn bounded(reader: impl Read) -> impl Read {
    Bounded { reader, left: LARGEST }
}

struct Bounded<R> {
    reader: R,
    left: usize,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(into)?;
        self.left = self.left.checked_sub(read).ok_or_else(|| {
            io::Error::new(io::ErrorKind::FileTooLarge, "more than 256 MiB: divide it")
        })?;
        Ok(read)
    }
}

/// Where a path leads, whether or not there is anything yet.
fn behind_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&path) {
            Ok(target) => path = path.parent().unwrap_or(Path::new("")).join(target),
            Err(_no_link) => return Ok(path),
        }
    }
    Err(io::Error::other("its links go round in a circle"))
}

/// About a million keys with all that may be said of them.
const LARGEST: usize = 256 * 1024 * 1024;
/// As many as Linux follows.
const MOST_LINKS: usize = 40;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_is_written_through_even_to_what_is_not_there_yet() {
        let folder = tempfile::tempdir().unwrap();
        let [link, end] = ["link", "end"].map(|name| folder.path().join(name));
        symlink("end", &link).unwrap();
        for text in ["one", "two"] {
            replace(&link, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&end).unwrap(), text);
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        }
        let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
        symlink(&one, &other).unwrap();
        symlink(&other, &one).unwrap();
        assert!(replace(&one, b"").is_err());
    }

    #[test]
    fn what_has_no_end_is_not_read_for_ever() {
        let error = io::copy(&mut bounded(io::repeat(b'x')), &mut io::sink()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }
}
