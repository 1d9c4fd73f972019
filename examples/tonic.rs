//! A gRPC service on tonic that lets in whoever holds `invoices.read`. The service is that of
//! health checks, because its code comes with tonic; put your own in its place.
//!
//! `example-tonic http://127.0.0.1:8080 /run/secrets/keystile 127.0.0.1:8000`: the server, a file
//! with a key of the role `verifier`, and where to listen.

use std::error::Error;
use std::{env, fs};

use keystile_auth::Guard;
use keystile_auth::tower::GuardLayer;
use keystile_remote::RemoteVerifier;
use tonic::transport::Server;
use tonic::transport::server::{TcpConnectInfo, TcpIncoming};
use tonic_health::server::health_reporter;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [server, key_file, address] = &arguments[..] else {
        return Err("usage: example-tonic SERVER KEY_FILE ADDRESS".into());
    };
    let key = fs::read_to_string(key_file)?;
    let keystile = RemoteVerifier::builder(server, key.trim())?.start()?;
    let readers = GuardLayer::new(Guard::new(keystile).requiring("invoices.read")?)
        .with_peer(|it| Some(it.get::<TcpConnectInfo>()?.remote_addr()?.ip()));

    let (_, service) = health_reporter();
    let incoming = TcpIncoming::bind(address.parse()?)?;
    eprintln!("listening on {}", incoming.local_addr()?);
    let service = Server::builder().layer(readers).add_service(service);
    Ok(service.serve_with_incoming(incoming).await?)
}
