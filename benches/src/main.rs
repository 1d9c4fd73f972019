//! The floor that the server is measured against: the same framework and the same bytes, with no
//! question asked.

use std::io::Write;

use actix_web::{
    App, HttpResponse, HttpServer, get, http::header::ContentType, post, web, web::Bytes,
};
use anyhow::Result;
use clap::Parser;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let app = || App::new().service(show_me).service(ask).service(verify_credential);
    let server = HttpServer::new(app).workers(arguments.workers).bind("127.0.0.1:0")?;
    for address in server.addrs() {
        writeln!(std::io::stdout(), "the floor is ready     http://{address}")?;
    }
    Ok(server.run().await?)
}

/// As the server says who asks.
#[get("/api/v1/me")]
async fn show_me() -> HttpResponse {
    answer()
}

/// As the server answers a gateway.
#[get("/api/v1/forward-auth/nginx")]
async fn ask() -> HttpResponse {
    answer()
}

/// As the server checks a credential; the body is read, and not looked at.
#[post("/api/v1/verify")]
async fn verify_credential(_body: Bytes) -> HttpResponse {
    answer()
}

fn answer() -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::json()).body(web::Bytes::from_static(ANSWER))
}

/// A bare endpoint that checks nothing.
#[derive(Parser)]
struct Arguments {
    /// How many threads answer.
    #[arg(long, default_value_t = 1)]
    workers: usize,
}

/// As many bytes as a check of an ordinary key is answered with.
const ANSWER: &[u8] = br#"{"valid":true,"code":"valid","credential":{"id":"0194e0f3-6c5e-7d5e-9f8a-2f0c7a9d4b11","kind":"api_key","name":"key-0","key_prefix":"ks_012345","expires_at":null},"principal":{"kind":"api_key"},"roles":[]}"#;
