//! Which TLS a PostgreSQL address asks for, with the meanings that PostgreSQL's own client gives
//! to `sslmode` and `sslrootcert`; the driver knows neither `verify-ca` nor `verify-full`.
//!
//! | `sslmode` | encrypted | certificate |
//! | --- | --- | --- |
//! | `disable` | no | |
//! | `prefer` (default) | if the server can | as `require` |
//! | `require` | yes | unchecked; as `verify-ca` if `sslrootcert` is given |
//! | `verify-ca` | yes | by a known authority |
//! | `verify-full` | yes | by a known authority, and for this host |
//!
//! `sslrootcert` is a PEM file, or `system`, which only goes with `verify-full` and then is the
//! default. Without it, the system's authorities are the known ones.

use std::path::PathBuf;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres::config::SslMode;

use crate::OpenError;

/// The TLS that an address asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Tls {
    /// Whether the driver encrypts.
    pub(crate) mode: SslMode,
    check: Check,
}

impl Tls {
    /// Takes `sslmode` and `sslrootcert` out of an address, and returns the rest of it, which the
    /// driver understands.
    pub(crate) fn split_off(address: &str) -> Result<(String, Self), OpenError> {
        // The driver, too, takes everything before the first @ for the user and password.
        let host = address.find('@').unwrap_or_default();
        let query = address.get(host..).and_then(|text| text.find('?')).map(|at| host + at);
        let Some((base, query)) = query.and_then(|at| address.split_at_checked(at)) else {
            return Ok((address.to_owned(), Self::new(None, None)?));
        };
        let (mut mode, mut roots, mut rest) = (None, None, Vec::new());
        for parameter in query.trim_start_matches('?').split('&') {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
            match &*percent_decode_str(name).decode_utf8_lossy() {
                "sslmode" => mode = Some(value),
                "sslrootcert" => roots = Some(value),
                _ => rest.push(parameter),
            }
        }
        Ok((format!("{base}?{}", rest.join("&")), Self::new(mode.as_deref(), roots)?))
    }

    /// What a handshake needs; reads the root certificates.
    pub(crate) fn config(&self) -> Result<ClientConfig, OpenError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(OpenError::Tls)?;
        let lenient = |roots| Arc::new(Lenient { roots, provider });
        let builder = match &self.check {
            Check::Full(roots) => builder.with_root_certificates(roots.load()?),
            Check::Chain(roots) => {
                builder.dangerous().with_custom_certificate_verifier(lenient(Some(roots.load()?)))
            }
            Check::Nothing => builder.dangerous().with_custom_certificate_verifier(lenient(None)),
        };
        Ok(builder.with_no_client_auth())
    }

    fn new(mode: Option<&str>, roots: Option<String>) -> Result<Self, OpenError> {
        let roots = roots.map(|text| match text.as_str() {
            "system" => Roots::System,
            _ => Roots::File(text.into()),
        });
        let mode = match (mode, &roots) {
            (Some(mode), _) => mode,
            (None, Some(Roots::System)) => "verify-full",
            (None, _) => "prefer",
        };
        let (mode, check) = match (mode, roots) {
            ("disable", _) => (SslMode::Disable, Check::Nothing),
            ("verify-full", roots) => {
                (SslMode::Require, Check::Full(roots.unwrap_or(Roots::System)))
            }
            ("prefer" | "require" | "verify-ca", Some(Roots::System)) => {
                return Err(OpenError::Address(
                    "needs sslmode=verify-full with sslrootcert=system",
                ));
            }
            ("verify-ca", roots) => {
                (SslMode::Require, Check::Chain(roots.unwrap_or(Roots::System)))
            }
            ("require", Some(roots)) => (SslMode::Require, Check::Chain(roots)),
            ("require", None) => (SslMode::Require, Check::Nothing),
            ("prefer", Some(roots)) => (SslMode::Prefer, Check::Chain(roots)),
            ("prefer", None) => (SslMode::Prefer, Check::Nothing),
            _ => {
                return Err(OpenError::Address(
                    "has an sslmode that is none of disable, prefer, require, verify-ca and \
                     verify-full",
                ));
            }
        };
        Ok(Self { mode, check })
    }
}

/// What is asked of the server's certificate.
#[derive(Debug, PartialEq, Eq)]
enum Check {
    Chain(Roots),
    Full(Roots),
    Nothing,
}

/// Which authorities are known.
#[derive(Debug, PartialEq, Eq)]
enum Roots {
    File(PathBuf),
    System,
}

impl Roots {
    fn load(&self) -> Result<RootCertStore, OpenError> {
        let mut store = RootCertStore::empty();
        match self {
            Self::File(path) => {
                let failed = |error: rustls::pki_types::pem::Error| OpenError::Certificates {
                    path: path.clone(),
                    source: Some(error.into()),
                };
                for certificate in CertificateDer::pem_file_iter(path).map_err(failed)? {
                    store.add(certificate.map_err(failed)?).map_err(|error| {
                        OpenError::Certificates { path: path.clone(), source: Some(error.into()) }
                    })?;
                }
            }
            // Systems carry certificates that no verifier understands; the others are enough.
            Self::System => {
                store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        if store.is_empty() {
            let path = match self {
                Self::File(path) => path.clone(),
                Self::System => "system".into(),
            };
            return Err(OpenError::Certificates { path, source: None });
        }
        Ok(store)
    }
}

/// Checks less of a certificate than whom it belongs to: only who vouches for it, or nothing.
#[derive(Debug)]
struct Lenient {
    /// The known authorities; `None`: anybody.
    roots: Option<RootCertStore>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some(roots) = &self.roots {
            verify_server_cert_signed_by_trust_anchor(
                &ParsedCertificate::try_from(end_entity)?,
                roots,
                intermediates,
                now,
                self.provider.signature_verification_algorithms.all,
            )?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Roots {
        Roots::File("/etc/ca.pem".into())
    }

    #[test]
    fn the_modes_mean_what_they_mean_to_postgresql() {
        use Check::{Chain, Full, Nothing};
        use SslMode::{Disable, Prefer, Require};
        let by_file = "sslrootcert=/etc/ca.pem";
        for (query, mode, check) in [
            (String::new(), Prefer, Nothing),
            ("?sslmode=disable".to_owned(), Disable, Nothing),
            ("?sslmode=prefer".to_owned(), Prefer, Nothing),
            (format!("?{by_file}"), Prefer, Chain(file())),
            ("?sslmode=require".to_owned(), Require, Nothing),
            (format!("?sslmode=require&{by_file}"), Require, Chain(file())),
            ("?sslmode=verify-ca".to_owned(), Require, Chain(Roots::System)),
            (format!("?{by_file}&sslmode=verify-ca"), Require, Chain(file())),
            ("?sslmode=verify-full".to_owned(), Require, Full(Roots::System)),
            (format!("?sslmode=verify-full&{by_file}"), Require, Full(file())),
            ("?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem".to_owned(), Require, Full(file())),
            ("?sslrootcert=system".to_owned(), Require, Full(Roots::System)),
        ] {
            let (_, tls) = Tls::split_off(&format!("postgres://u:p?w@h/d{query}")).unwrap();
            assert_eq!(tls, Tls { mode, check }, "{query}");
        }
    }

    #[test]
    fn the_rest_of_the_address_stays_as_it_was() {
        for (address, rest) in [
            ("postgres://u:p?w@h/d", "postgres://u:p?w@h/d"),
            ("postgres://h/d?sslmode=require", "postgres://h/d?"),
            (
                "postgres://u:p@h/d?a=%41&sslmode=disable&sslrootcert=x&b=c",
                "postgres://u:p@h/d?a=%41&b=c",
            ),
        ] {
            assert_eq!(Tls::split_off(address).unwrap().0, rest);
        }
    }

    #[test]
    fn a_mode_that_promises_what_it_does_not_keep_is_refused() {
        for query in [
            "sslmode=allow",
            "sslmode=verify_full",
            "sslmode=",
            "sslmode=require&sslrootcert=system",
            "sslmode=verify-ca&sslrootcert=system",
        ] {
            let refused = Tls::split_off(&format!("postgres://h/d?{query}"));
            assert!(matches!(refused, Err(OpenError::Address(_))), "{query}");
        }
    }

    #[test]
    fn root_certificates_that_cannot_be_read_stop_the_start() {
        let none = tempfile::NamedTempFile::new().unwrap();
        for path in ["/no/such/file".to_owned(), none.path().display().to_string()] {
            let address = format!("postgres://h/d?sslmode=verify-full&sslrootcert={path}");
            let (_, tls) = Tls::split_off(&address).unwrap();
            assert!(matches!(tls.config(), Err(OpenError::Certificates { .. })), "{path}");
        }
    }
}
