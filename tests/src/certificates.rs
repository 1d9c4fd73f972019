//! A certificate authority of our own, for servers that demand TLS.

use std::{
    fmt, fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};

/// A private authority and one certificate by it, for the host `localhost` alone: whoever connects
/// to `127.0.0.1` has the wrong name.
pub struct Certificates {
    /// The authority's certificate, PEM.
    pub authority: PathBuf,
    /// The server's certificate, PEM.
    pub certificate: PathBuf,
    /// The server's private key, PEM.
    pub key: PathBuf,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Certificates {
    /// Makes both and writes them into `directory`.
    pub fn make(directory: &Path) -> Self {
        let mut authority = CertificateParams::new([]).expect("no names are no wrong names");
        authority.distinguished_name.push(DnType::CommonName, "the authority of the tests");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let made = Self {
            authority: directory.join("authority.pem"),
            certificate: directory.join("server.pem"),
            key: directory.join("server.key"),
            issuer: CertifiedIssuer::self_signed(authority, key()).expect("an authority"),
        };
        write(&made.authority, &made.issuer.pem());
        made.renew();
        made
    }

    /// Writes another certificate and its key over those of the server.
    pub fn renew(&self) {
        self.issue(|_| ());
    }

    /// Writes one over them that expired long ago.
    pub fn expire(&self) {
        self.issue(|server| server.not_after = date_time_ymd(2001, 1, 1));
    }

    /// Writes one over them that is not valid for long yet.
    pub fn predate(&self) {
        self.issue(|server| server.not_before = date_time_ymd(2999, 1, 1));
    }

    /// Writes another key over that of the server, whose certificate it is not.
    pub fn mismatch(&self) {
        write(&self.key, &key().serialize_pem());
    }

    fn issue(&self, change: impl FnOnce(&mut CertificateParams)) {
        let mut server = CertificateParams::new(["localhost".to_owned()]).expect("a host name");
        change(&mut server);
        let key = key();
        let server = server.signed_by(&key, &self.issuer).expect("a certificate");
        write(&self.key, &key.serialize_pem());
        write(&self.certificate, &server.pem());
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Certificates").field(&self.certificate).finish()
    }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key pair")
}

/// Puts a new file in place of the old one: nobody reads half of it.
fn write(file: &Path, pem: &str) {
    let unfinished = file.with_extension("unfinished");
    // A private key that others may read is refused by its user.
    let mut options = fs::OpenOptions::new();
    let options = options.write(true).create_new(true).mode(0o600);
    let mut written = options.open(&unfinished).expect("the directory is ours");
    written.write_all(pem.as_bytes()).expect("room for a certificate");
    fs::rename(unfinished, file).expect("the directory is ours");
}
