//! TLS as a client speaks it that knows the authority of the tests and no other.

use std::{io, net::SocketAddr, path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
    version::{TLS12, TLS13},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::Server;

/// Connects to `localhost`, for this protocol (`h2`, `http/1.1`).
///
/// # Panics
/// If the server does not speak TLS, or shows a certificate of somebody else.
pub async fn connect(server: &Server, protocol: &str) -> TlsStream<TcpStream> {
    connect_as(server, &[protocol], &[&TLS13, &TLS12]).await
}

/// The same for these protocols, none for a client that names none, and these versions of TLS.
///
/// # Panics
/// As [`connect`].
pub async fn connect_as(
    server: &Server,
    protocols: &[&str],
    versions: &[&'static SupportedProtocolVersion],
) -> TlsStream<TcpStream> {
    let authority = server.options().authority().expect("a server over TLS");
    let connected = try_connect(server.address(), authority, protocols, versions).await;
    connected.expect("a handshake")
}

/// The same at an address where somebody shows a certificate of this authority.
///
/// # Errors
/// Nobody listens there, or not as the client wants it.
pub async fn try_connect(
    address: SocketAddr,
    authority: &Path,
    protocols: &[&str],
    versions: &[&'static SupportedProtocolVersion],
) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_file(authority).expect("the authority");
    roots.add(authority).expect("a certificate");
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .expect("versions of TLS")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}
