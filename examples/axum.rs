//! A service on axum that lets in whoever holds `invoices.read`.
//!
//! `example-axum http://127.0.0.1:8080 /run/secrets/keystile 127.0.0.1:8000`: the server, a file
//! with a key of the role `verifier`, and where to listen.

use std::error::Error;
use std::net::SocketAddr;
use std::{env, fs};

use axum::extract::{ConnectInfo, Extension};
use axum::{Router, routing};
use keystile_auth::Guard;
use keystile_auth::tower::GuardLayer;
use keystile_domain::Grant;
use keystile_remote::RemoteVerifier;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [server, key_file, address] = &arguments[..] else {
        return Err("usage: example-axum SERVER KEY_FILE ADDRESS".into());
    };
    let key = fs::read_to_string(key_file)?;
    let keystile = RemoteVerifier::builder(server, key.trim())?.start()?;
    let readers = GuardLayer::new(Guard::new(keystile).requiring("invoices.read")?)
        .with_peer(|it| Some(it.get::<ConnectInfo<SocketAddr>>()?.0.ip()));

    let service = Router::new().route("/invoices", routing::get(list_invoices)).layer(readers);
    let listener = TcpListener::bind(address).await?;
    eprintln!("listening on {}", listener.local_addr()?);
    let service = service.into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, service).await?)
}

async fn list_invoices(Extension(grant): Extension<Grant>) -> String {
    format!("The invoices of {}\n", grant.credential().principal.name)
}
