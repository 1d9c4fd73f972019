//! What Keystile remembers, in SQLite or PostgreSQL: one set of queries, two databases, and the
//! URL decides.
//!
//! - [`Store`] is the way in: it opens, migrates and pings, and lends connections.
//! - [`Conn`] is one lent connection. Every read is a method of it, in the file of its resource.
//! - [`Tx`] is the only way to write. It takes the one row that gives every event its place before
//!   it reads anything, so changes happen one after the other, and it cannot be committed without
//!   the events that tell of it.
//! - [`StoreError`] keeps apart what callers must tell apart: above all, an outage is never "not
//!   found".
//! - [`lock_server`] keeps a second server off one SQLite file.
//!
//! Inside, queries are values that no backend is named in; the macros of `conn.rs` paste the
//! running of one into an arm for each database. Rows are private: what goes in and out are the
//! domain's own types, parsed again on the way out.

mod api_keys;
mod audit_events;
mod columns;
mod conn;
mod credentials;
mod error;
mod formats;
mod listing;
mod lock;
mod meta;
mod migrations;
mod pattern;
mod postgres;
mod providers;
mod replays;
mod roles;
mod schema;
mod sqlite;
mod store;
mod tls;
mod tx;
mod users;

pub use conn::Conn;
pub use credentials::TombstoneDraft;
pub use error::{Conflict, OpenError, StoreError};
pub use lock::{ServerLock, lock_server};
pub use replays::Replay;
pub use store::{Store, StoreOptions, Url};
pub use tx::Tx;
