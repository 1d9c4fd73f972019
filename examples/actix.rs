//! A service on actix-web that lets in whoever holds `invoices.read`.
//!
//! `example-actix http://127.0.0.1:8080 /run/secrets/keystile 127.0.0.1:8000`: the server, a file
//! with a key of the role `verifier`, and where to listen.

use std::error::Error;
use std::{env, fs};

use actix_web::{App, HttpServer, web};
use keystile_auth::Guard;
use keystile_auth::actix::Granted;
use keystile_remote::RemoteVerifier;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [server, key_file, address] = &arguments[..] else {
        return Err("usage: example-actix SERVER KEY_FILE ADDRESS".into());
    };
    let key = fs::read_to_string(key_file)?;
    let keystile = RemoteVerifier::builder(server, key.trim())?.start()?;
    let readers = Guard::new(keystile).requiring("invoices.read")?;

    let service = HttpServer::new(move || {
        let invoices = web::resource("/invoices").wrap(readers.clone());
        App::new().service(invoices.route(web::get().to(list_invoices)))
    });
    let service = service.workers(1).bind(address)?;
    for address in service.addrs() {
        eprintln!("listening on {address}");
    }
    Ok(service.run().await?)
}

async fn list_invoices(granted: Granted) -> String {
    format!("The invoices of {}\n", granted.credential().principal.name)
}
