//! The certificate of our own socket, and what is spoken under it.
//!
//! The certificate is asked for anew at each handshake, so that one that has been renewed is shown
//! to whoever comes next, and no connection that is open ends for it.

mod certificate;
mod seen;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use keystile_auth::Clock;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use tokio::task::spawn_blocking;
use tokio_rustls::TlsAcceptor;

pub use certificate::{CertificateFiles, TlsError};
use seen::Seen;

/// TLS 1.2 and 1.3 with a certificate from files: HTTP/2 for clients that offer it.
pub struct Tls {
    files: CertificateFiles,
    clock: Arc<dyn Clock>,
    /// The contents that are in force.
    digest: [u8; 32],
    shown: Arc<Shown>,
    acceptor: TlsAcceptor,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// One of them is no use: it cannot be read, has expired, or is not the other's.
    pub fn open(files: CertificateFiles, clock: Arc<dyn Clock>) -> Result<Self, TlsError> {
        let pair = files.read()?;
        let shown = Arc::new(Shown(ArcSwap::from_pointee(pair.certified(&files, clock.now())?)));
        let config = config(Arc::clone(&shown)).map_err(|error| files.unusable(error))?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Self { digest: pair.digest(), files, clock, shown, acceptor })
    }

    /// Follows the files for ever: what they hold is shown from the next second on. If that is no
    /// use, the log says why, once, and the certificate stays as it is.
    pub async fn follow(&self) {
        let mut seen = Seen::new(self.digest);
        loop {
            tokio::time::sleep(BETWEEN_LOOKS).await;
            let files = self.files.clone();
            let Ok(read) = spawn_blocking(move || files.read()).await else { continue };
            match seen.news(read, &self.files, self.clock.now()) {
                None => {}
                Some(Ok(certified)) => {
                    self.shown.0.store(Arc::new(certified));
                    tracing::info!("the certificate was replaced");
                }
                Some(Err(error)) => {
                    let cause = error.to_string();
                    tracing::warn!(cause, "the certificate is not replaced");
                }
            }
        }
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }
}

/// The certificate that clients are shown.
#[derive(Debug)]
struct Shown(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

fn config(shown: Arc<Shown>) -> Result<ServerConfig, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(shown);
    config.alpn_protocols = vec![HTTP2.to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// HTTP/2, as ALPN names it (RFC 9113, section 3.1).
pub(crate) const HTTP2: &[u8] = b"h2";
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
