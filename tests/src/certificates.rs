//! A certificate authority of our own, for servers that demand TLS.

use std::{
    fs::OpenOptions,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// A private authority and one certificate by it, for the host `localhost` alone: whoever connects
/// to `127.0.0.1` has the wrong name.
#[derive(Debug)]
pub struct Certificates {
    /// The authority's certificate, PEM.
    pub authority: PathBuf,
    /// The server's certificate, PEM.
    pub certificate: PathBuf,
    /// The server's private key, PEM.
    pub key: PathBuf,
}

impl Certificates {
    /// Makes both and writes them into `directory`.
    pub fn make(directory: &Path) -> Self {
        let mut authority = CertificateParams::new([]).expect("no names are no wrong names");
        authority.distinguished_name.push(DnType::CommonName, "the authority of the tests");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, key()).expect("an authority");
        let server_key = key();
        let server = CertificateParams::new(["localhost".to_owned()]).expect("a host name");
        let server = server.signed_by(&server_key, &authority).expect("a certificate");
        let write = |name: &str, pem: String| {
            let file = directory.join(name);
            // A private key that others may read is refused by its user.
            let mut options = OpenOptions::new();
            let options = options.write(true).create_new(true).mode(0o600);
            let mut written = options.open(&file).expect("the directory is ours");
            written.write_all(pem.as_bytes()).expect("room for a certificate");
            file
        };
        Self {
            authority: write("authority.pem", authority.pem()),
            certificate: write("server.pem", server.pem()),
            key: write("server.key", server_key.serialize_pem()),
        }
    }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key pair")
}
