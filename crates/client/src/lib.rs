//! A typed client of the Keystile API: every operation of its OpenAPI document, with the bodies of
//! [`keystile_api`].
//!
//! A [`Client`] belongs to one server and shows one credential, or none. From it the way leads to
//! each resource, by the name that it has everywhere, and from there to what can be done with it:
//!
//! ```no_run
//! use futures_util::TryStreamExt;
//! use keystile_client::api::api_keys::NewApiKey;
//! use keystile_client::{Change, Client, SecretString, api_keys::ApiKeyFilter};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let token = SecretString::from(std::fs::read_to_string("/run/secrets/keystile")?.trim());
//! let keystile = Client::builder("https://keys.example.com").credential(token).build()?;
//!
//! let new = NewApiKey { name: "CI pipeline".to_owned(), role_ids: vec![4], ..NewApiKey::default() };
//! let made = keystile.api_keys().create(&new, &Change::new()).await?;
//! println!("{} begins with {}", made.name, made.key_prefix);
//!
//! let temporary = ApiKeyFilter { name: Some("temp-*".to_owned()), ..ApiKeyFilter::default() };
//! let mut keys = std::pin::pin!(keystile.api_keys().stream(temporary));
//! while let Some(key) = keys.try_next().await? {
//!     keystile.api_keys().delete(key.id, &Change::new().reason("the project is over")).await?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What happens between a call and its answer
//!
//! - **It is sent again** when it fails in a way that passes (the server cannot be reached, is
//!   busy, or breaks the connection), and only if doing it twice is the same as doing it once:
//!   questions and deletions always, creates and rotations because each has an `Idempotency-Key`,
//!   everything else only if the server certainly has not heard it. The pauses grow and differ
//!   from client to client; a `Retry-After` is kept. [`ClientBuilder::patience`] bounds it all.
//! - **It has an end**: [`ClientBuilder::timeout`] for each attempt.
//! - **It fails as one type**: [`Error`]. What the server refuses is a [`Refusal`] with its code,
//!   the members that are wrong, and the id that finds the request in the server's log.
//!   [`Error::may_be_done`] tells whether a change may have been made all the same.
//! - **Nothing prints a secret**: new ones come as [`SecretString`], and the bodies that may hold
//!   one are formatted without it or not at all.
//!
//! Every method fails with [`Error`], for the reasons that its variants name; the methods do not
//! repeat them.
//!
//! # The rooms
//!
//! - [`Client`] leads to the resources, [`ClientBuilder`] makes one.
//! - One module for each resource: [`api_keys`], [`tokens`], [`users`], [`roles`], [`providers`]
//!   and so on. Lists take a filter; `list` gives one part, `stream` all of them.
//! - [`Change`] says how a change is made, [`Answer`] what came of it, [`Issued`] holds a secret
//!   that is shown once.
//! - `operations` is the table of all operations, `call` sends one, `repeat` says when again.

#![warn(clippy::exhaustive_enums)]

mod builder;
mod call;
mod change;
mod client;
mod error;
mod issued;
mod lists;
mod operations;
mod repeat;

pub mod api_keys;
pub mod audit_events;
pub mod auth;
pub mod changes;
pub mod forward_auth;
pub mod health;
pub mod insights;
pub mod lookups;
pub mod me;
pub mod oauth;
pub mod providers;
pub mod roles;
pub mod tickets;
pub mod tokens;
pub mod usage;
pub mod users;
pub mod verifiers;
pub mod verify;
pub mod well_known;

pub use keystile_api as api;
pub use secrecy::{ExposeSecret, SecretString};

pub use self::builder::{BuilderError, ClientBuilder};
pub use self::change::{Answer, Change};
pub use self::client::Client;
pub use self::error::{Code, Error, Refusal};
pub use self::issued::Issued;
pub use self::lists::Paging;

/// What a call answers.
pub type Result<T> = std::result::Result<T, Error>;

/// The page of the documentation, for its examples to be compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/client.md")]
struct Page;
