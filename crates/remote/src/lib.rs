//! Lets a service check credentials by itself, with what a Keystile server knows of them.
//!
//! A [`RemoteVerifier`] remembers what it looked up and answers from memory in microseconds. It
//! follows the server's feed of changes, so that a revocation reaches it in milliseconds, and holds
//! a lease, so that it never decides by what is long over: cut off from the server, it stops
//! believing what it remembers when the lease ends. A server that is asked to wait for everybody
//! (`?wait=cluster`) waits for this verifier too.
//!
//! A key itself does not leave the service: the server is asked by its fingerprint, except for a
//! key that was imported into Keystile and is seen for the first time. A JWT is shown to the server
//! once, which alone can verify it.
//!
//! Everything that is not about the server is in [`keystile_auth`]: a
//! [`Guard`](keystile_auth::Guard) puts a verifier in front of a service, as a middleware for
//! actix-web (its feature `actix`) or a layer for axum and tonic (its feature `tower`).
//!
//! ```no_run
//! use actix_web::{App, HttpServer, web};
//! use keystile_auth::Guard;
//! use keystile_auth::actix::Granted;
//! use keystile_remote::RemoteVerifier;
//!
//! async fn list_invoices(granted: Granted) -> String {
//!     format!("The invoices of {}", granted.credential().principal.name)
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // A key with the role `verifier`.
//!     let key = std::fs::read_to_string("/run/secrets/keystile")?;
//!     let keystile = RemoteVerifier::builder("https://keystile.example.com", key.trim())?.start()?;
//!     let readers = Guard::new(keystile).requiring("invoices.read")?;
//!     let app = move || {
//!         let invoices = web::resource("/invoices").wrap(readers.clone());
//!         App::new().service(invoices.route(web::get().to(list_invoices)))
//!     };
//!     Ok(HttpServer::new(app).bind("127.0.0.1:8000")?.run().await?)
//! }
//! ```
//!
//! # What is asked at the server
//!
//! - A key, token or JWT that is not remembered, once.
//! - One with a rate limit or a quota, at every check that it passes: its uses are counted in one
//!   place.
//! - Everything, as long as there is no lease: if the server does not answer, nobody is let in, and
//!   the client is told to come back (503).
//!
//! # The rooms
//!
//! - [`RemoteVerifier`] judges, [`Builder`] says how.
//! - `follower` follows the feed and holds the lease; `feed` is the stream that wakes it.
//! - `uses` tells the server which credentials are used.
//! - `server` speaks HTTP; `store` asks it about keys, `tokens` about JWTs, and `facts` turns what it
//!   says into what can be judged.

#![warn(clippy::exhaustive_enums, clippy::exhaustive_structs)]

mod builder;
mod facts;
mod feed;
mod follower;
mod server;
mod store;
mod tokens;
mod uses;
mod verifier;

pub use builder::{Builder, BuilderError};
pub use server::ServerError;
pub use verifier::RemoteVerifier;
