//! From two files to a certificate that may be shown: read and judged as a pair.

use std::path::{Path, PathBuf};
use std::{fs, io};

use keystile_domain::Timestamp;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use sha2::{Digest, Sha256};
use x509_cert::Certificate;
use x509_cert::der::{self, Decode};
use zeroize::Zeroizing;

/// Where a certificate and its private key are: PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate, followed by those that lead from it to one that clients know.
    pub certificate: PathBuf,
    /// Its private key, not encrypted.
    pub key: PathBuf,
}

/// A file that is no use for TLS.
#[derive(Debug, thiserror::Error)]
#[error("{} {fault}", path.display())]
pub struct TlsError {
    path: PathBuf,
    fault: Fault,
}

/// What is wrong with it, as a phrase that goes on from its name.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("expired at {0}")]
    Expired(Timestamp),
    #[error("is no PEM file: {0}")]
    Malformed(pem::Error),
    #[error("is not the key of the certificate")]
    Mismatch,
    #[error("has no certificate in it")]
    NoCertificate,
    #[error("has no private key in it, or an encrypted one")]
    NoKey,
    #[error("is not valid before {0}")]
    NotYetValid(Timestamp),
    #[error("is no certificate: {0}")]
    Unparsable(der::Error),
    #[error("cannot be read: {0}")]
    Unreadable(io::Error),
    #[error("cannot be used: {0}")]
    Unusable(Error),
}

impl CertificateFiles {
    pub(super) fn read(&self) -> Result<Pair, TlsError> {
        let read =
            |path: &Path| fs::read(path).map_err(|error| fault(path, Fault::Unreadable(error)));
        Ok(Pair { certificate: read(&self.certificate)?, key: read(&self.key)?.into() })
    }

    pub(super) fn unusable(&self, error: Error) -> TlsError {
        fault(&self.certificate, Fault::Unusable(error))
    }
}

/// What was in both files at one time.
pub(super) struct Pair {
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

impl Pair {
    /// Tells these contents from others.
    pub(super) fn digest(&self) -> [u8; 32] {
        let [certificate, key] = [&self.certificate, &*self.key].map(Sha256::digest);
        Sha256::new().chain_update(certificate).chain_update(key).finalize().into()
    }

    /// The certificate, if it is valid now and the key is its own.
    pub(super) fn certified(
        &self,
        files: &CertificateFiles,
        now: Timestamp,
    ) -> Result<CertifiedKey, TlsError> {
        let chain = self.chain(now).map_err(|why| fault(&files.certificate, why))?;
        let key = match PrivateKeyDer::from_pem_slice(&self.key) {
            Ok(key) => key,
            Err(pem::Error::NoItemsFound) => return Err(fault(&files.key, Fault::NoKey)),
            Err(error) => return Err(fault(&files.key, Fault::Malformed(error))),
        };
        let certified = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider());
        certified.map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                fault(&files.key, Fault::Mismatch)
            }
            Error::InvalidCertificate(_) => files.unusable(error),
            _ => fault(&files.key, Fault::Unusable(error)),
        })
    }

    /// The certificates of the file. Only the first is judged: chains are served with others that
    /// have expired, for clients that know no better.
    fn chain(&self, now: Timestamp) -> Result<Vec<CertificateDer<'static>>, Fault> {
        let chain =
            CertificateDer::pem_slice_iter(&self.certificate).collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(Fault::Malformed)?;
        let first = chain.first().ok_or(Fault::NoCertificate)?;
        let first = Certificate::from_der(first).map_err(Fault::Unparsable)?;
        let validity = first.tbs_certificate().validity();
        let (from, until) = (at(validity.not_before), at(validity.not_after));
        if now < from {
            return Err(Fault::NotYetValid(from));
        }
        if now > until {
            return Err(Fault::Expired(until));
        }
        Ok(chain)
    }
}

fn at(time: x509_cert::time::Time) -> Timestamp {
    let millis = i64::try_from(time.to_unix_duration().as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(millis)
}

fn fault(path: &Path, fault: Fault) -> TlsError {
    TlsError { path: path.to_owned(), fault }
}
