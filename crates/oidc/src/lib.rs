//! OpenID providers as they are reached over the network: their discovery documents and keys.
//!
//! It asks only the authorities that were configured, never an address that a token names, and
//! sends nobody's credentials. What the keys prove is for `keystile_auth::jwt` to say.
//!
//! - [`Issuers`]: the key sources of all configured authorities, which outlive a change of settings.
//! - [`KeySource`]: the keys of one issuer, remembered, and asked for again when they have to be.
//! - [`Web`]: the one way out: small documents, over `https`, without redirects, within seconds.
//! - [`FetchError`]: why keys could not be fetched, for the log; [`Unavailable`]: that there are
//!   none, which is an outage and says nothing about a token.

#![warn(clippy::exhaustive_enums, clippy::exhaustive_structs)]

mod cache_control;
mod discovery;
mod error;
mod guard;
mod issuers;
mod key_source;
mod memory;
mod web;

pub use error::{FetchError, Unavailable};
pub use issuers::Issuers;
pub use key_source::KeySource;
pub use web::Web;
