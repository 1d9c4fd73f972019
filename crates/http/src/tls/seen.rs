//! What is new in files that are read again and again.
//!
//! Contents are compared, not times or names: Kubernetes swaps a link above the files.

use keystile_domain::Timestamp;
use rustls::sign::CertifiedKey;

use super::certificate::{CertificateFiles, Pair, TlsError};

/// What was seen of the files until now.
pub(super) struct Seen {
    in_force: [u8; 32],
    /// What was told to be of no use: contents, if they could be read, and why.
    told: Option<(Option<[u8; 32]>, String)>,
}

impl Seen {
    pub(super) fn new(in_force: [u8; 32]) -> Self {
        Self { in_force, told: None }
    }

    /// A certificate that comes into force, or why there is none, unless that was told before.
    ///
    /// What is of no use is judged again each time: its hour may come.
    pub(super) fn news(
        &mut self,
        read: Result<Pair, TlsError>,
        files: &CertificateFiles,
        now: Timestamp,
    ) -> Option<Result<CertifiedKey, TlsError>> {
        let digest = read.as_ref().ok().map(Pair::digest);
        if digest == Some(self.in_force) {
            self.told = None;
            return None;
        }
        match read.and_then(|pair| pair.certified(files, now)) {
            Ok(certified) => {
                self.in_force = digest?;
                self.told = None;
                Some(Ok(certified))
            }
            Err(error) => {
                let told = self.told.replace((digest, error.to_string()));
                (told != self.told).then_some(Err(error))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use acceptance::Certificates;
    use keystile_auth::{Clock, SystemClock};

    use super::*;

    type Spoil = fn(&Certificates);

    /// Files on a disk, and who follows them.
    struct Followed {
        certificates: Certificates,
        files: CertificateFiles,
        seen: Seen,
        _directory: tempfile::TempDir,
    }

    impl Followed {
        fn start() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let certificates = Certificates::make(directory.path());
            let files = CertificateFiles {
                certificate: certificates.certificate.clone(),
                key: certificates.key.clone(),
            };
            let seen = Seen::new(files.read().unwrap().digest());
            Self { certificates, files, seen, _directory: directory }
        }

        /// What the next look tells: `None` for nothing, else what is wrong, if anything.
        fn look(&mut self) -> Option<String> {
            let news = self.seen.news(self.files.read(), &self.files, SystemClock.now());
            news.map(|news| news.err().map(|error| error.to_string()).unwrap_or_default())
        }
    }

    #[test]
    fn files_that_did_not_change_are_no_news() {
        let mut followed = Followed::start();
        assert_eq!(followed.look(), None);
        followed.certificates.renew();
        assert_eq!(followed.look().as_deref(), Some(""));
        assert_eq!(followed.look(), None);
    }

    #[test]
    fn each_file_that_is_no_use_is_told_once() {
        let spoilt: [(Spoil, &str); 5] = [
            (Certificates::expire, "expired at 2001-01-01"),
            (Certificates::predate, "is not valid before 2999-01-01"),
            (Certificates::mismatch, "is not the key of the certificate"),
            (|it| fs::write(&it.certificate, "").unwrap(), "has no certificate in it"),
            (|it| fs::remove_file(&it.key).unwrap(), "cannot be read"),
        ];
        let mut followed = Followed::start();
        for (spoil, why) in spoilt {
            followed.certificates.renew();
            followed.look();
            spoil(&followed.certificates);
            let told = followed.look().unwrap();
            assert!(told.contains(why), "{told}");
            assert_eq!(followed.look(), None, "{why}");
        }
    }

    #[test]
    fn the_same_fault_in_other_contents_is_told_again() {
        let mut followed = Followed::start();
        for _ in 0..2 {
            followed.certificates.mismatch();
            assert!(followed.look().is_some());
        }
    }

    #[test]
    fn files_that_are_put_back_are_no_news() {
        let mut followed = Followed::start();
        let key = fs::read(&followed.files.key).unwrap();
        followed.certificates.mismatch();
        assert!(followed.look().is_some());
        fs::write(&followed.files.key, key).unwrap();
        assert_eq!(followed.look(), None);
    }
}
