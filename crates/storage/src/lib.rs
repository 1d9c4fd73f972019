//! What Keystile remembers, in SQLite or PostgreSQL: one set of queries, two databases, and the
//! URL decides.
//!
//! - [`Store`] is the way in: it opens, migrates and pings, and lends connections.
//! - [`Conn`] is one lent connection. Every read is a method of it, in the file of its resource.
//! - [`Tx`] is the only way to change what anybody may do. It takes the one row that gives every
//!   event its place before it reads anything, so changes happen one after the other, and it cannot
//!   be committed without the events that tell of it.
//! - [`Books`] is for the writes that no event tells of: uses, failures, refresh tokens.
//! - [`Feed`] is how a node learns what others have changed.
//! - [`StoreError`] keeps apart what callers must tell apart: above all, an outage is never "not
//!   found".
//! - [`lock_server`] keeps a second server off one SQLite file.
//!
//! Inside, queries are values that no backend is named in; the macros of `conn.rs` paste the
//! running of one into an arm for each database. Rows are private: what goes in and out are the
//! domain's own types, parsed again on the way out.

mod administrators;
mod api_keys;
mod audit_events;
mod books;
mod bulk;
mod columns;
mod conn;
mod credentials;
mod dump;
mod durability;
mod error;
mod exercises;
mod feed;
mod formats;
mod group;
mod identities;
mod imports;
mod limits;
mod listing;
mod lock;
mod meta;
mod migrations;
mod nodes;
mod old_secret_uses;
mod pattern;
mod peppers;
mod postgres;
mod providers;
mod refresh_tokens;
mod replays;
mod restore;
mod roles;
mod schema;
mod secrets;
mod sessions;
mod sign_in_failures;
mod signing_keys;
mod spent_tokens;
mod sqlite;
mod store;
mod tickets;
mod tls;
mod tokens;
mod tombstones;
mod transaction;
mod tx;
mod upsert;
mod usage;
mod users;

pub use administrators::Except;
pub use books::Books;
pub use conn::Conn;
pub use dump::{DumpError, Moment, Sink};
pub use durability::Durability;
pub use error::{Conflict, OpenError, StoreError};
pub use exercises::Exercised;
pub use feed::{Feed, FeedEvent, FeedPlace, Look, Report, Seen};
pub use group::Ending;
pub use imports::{Import, ImportScheme, PrefixedImport};
pub use lock::{ServerLock, lock_server};
pub use nodes::{Node, NodeDraft};
pub use old_secret_uses::OldSecretUse;
pub use peppers::{StoredPepper, Straggler};
pub use refresh_tokens::{RefreshToken, Spent};
pub use replays::Replay;
pub use restore::{RestoreRefusal, RestoredTable};
pub use secrets::{NewSecret, SecretOwner};
pub use sign_in_failures::Failures;
pub use signing_keys::StoredSigningKey;
pub use store::{PoolStatus, Store, StoreOptions, Url};
pub use tickets::StoredTicket;
pub use tombstones::TombstoneDraft;
pub use tx::Tx;
pub use usage::{LastUse, UsageHour};
