//! Who is believed to be the server.

use std::sync::Arc;
use std::time::Duration;

use keystile_client::{Client, ClientBuilder, Error};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use crate::stub::{me, serve};

#[tokio::test]
async fn a_server_is_believed_by_an_authority_of_ones_own() {
    let (client, authority) = server("localhost").await;
    let client = client.authority(authority).build().unwrap();
    assert_eq!(client.me().show().await.unwrap().principal.name, "CI");
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_told_nothing() {
    let (client, _) = server("localhost").await;
    let error = client.build().unwrap().me().show().await.unwrap_err();
    assert!(matches!(error, Error::Tls(_)), "{error:?}");
    assert!(!error.may_be_done());
    assert!(error.to_string().contains("certificate"), "{error}");
}

#[tokio::test]
async fn a_server_with_the_name_of_another_is_told_nothing() {
    let (client, authority) = server("other.example.com").await;
    let error = client.authority(authority).build().unwrap().me().show().await.unwrap_err();
    assert!(matches!(error, Error::Tls(_)), "{error:?}");
}

/// A server with a certificate for this name, reached as `localhost`, and its authority.
async fn server(name: &str) -> (ClientBuilder, String) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der()).into();
    let config = ServerConfig::builder().with_no_client_auth();
    let config = config.with_single_cert(vec![cert.der().clone()], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    serve(stream, |_| me()).await;
                }
            });
        }
    });
    let client = Client::builder(&format!("https://localhost:{port}")).no_proxy();
    (client.patience(Duration::ZERO), cert.pem())
}
