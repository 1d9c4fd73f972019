//! The harness of the acceptance tests: it starts the real server on real databases and talks to
//! it as a stranger would.
//!
//! - [`keystile`] is the binary under test;
//! - [`Server`] is one running `keystile serve`, with [`Options`] for how it is started;
//! - [`started`] is such a server with the [`Api`] of its administrator, [`Key`] a key of it;
//! - [`Database`] is where it keeps its data, and [`on_each_database!`] runs the same sentences on
//!   both kinds;
//! - [`Postgres`] is a throw-away cluster, found and made here, as a user that is not root;
//! - [`PgBouncer`] is a pooler in front of one;
//! - [`Proxy`] is a way to a database on which nothing moves, or that leads elsewhere;
//! - [`Redis`] is a throw-away server for shared counters;
//! - [`oidc`] has identity providers of others, whose tokens the server is to trust;
//! - [`Api`] speaks the HTTP API as some [`Caller`], [`Connection`] speaks bare bytes, [`tls`]
//!   under TLS;
//! - [`Gateway`] is a gateway of others between a client and an [`Upstream`];
//! - [`Collector`] takes the traces that a server sends;
//! - [`Example`] is one of the examples, a service of others;
//! - [`free_address`] is one at which nobody listens unless told to;
//! - [`until`] waits for what happens a moment later;
//! - [`languages`] runs programs that are no part of the project: those of the documentation;
//! - [`Part`] is what a machine may lack, and what is then said about it;
//! - [`scratch`] holds all files and processes, and clears them away however the tests end.
//!
//! The harness reports as tests do, by panicking with what it saw. It knows nothing of the inside:
//! no crate of the server is among its dependencies.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a harness reports by panicking, as a test does"
)]

mod binary;
mod certificates;
mod client;
mod collector;
mod database;
mod example;
mod free_address;
mod gateway;
mod key;
pub mod languages;
pub mod oidc;
mod options;
mod output;
mod owner;
mod parts;
mod pgbouncer;
mod postgres;
mod programs;
mod proxy;
mod raw;
mod redis;
pub mod scratch;
mod server;
pub mod tls;
mod until;
mod upstream;

pub use binary::keystile;
pub use certificates::Certificates;
pub use client::{Answer, Api, Caller};
pub use collector::{Collector, Sent};
pub use database::Database;
pub use example::Example;
pub use free_address::free_address;
pub use gateway::{Addresses, Gateway, GatewayKind};
pub use key::Key;
pub use options::Options;
pub use output::Output;
pub use parts::Part;
pub use pgbouncer::PgBouncer;
pub use postgres::{Postgres, Setup};
pub use proxy::Proxy;
pub use raw::Connection;
pub use redis::{Redis, RedisWatch};
pub use server::{Ended, Server, started};
pub use until::until;
pub use upstream::Upstream;
