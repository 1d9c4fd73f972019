//! The API of Keystile over HTTP: handlers, and the OpenAPI document that is made from them.
//!
//! A request passes, from the outside in:
//!
//! - `server`: the socket, under TLS if there is a certificate (`tls`), and either version of HTTP
//!   on it.
//! - `edge::connection`: beneath HTTP/1.1, gives what the framework refuses by itself its document
//!   (`edge::refusal`), has it refuse a target that it would cut (`edge::request_line`), and ends a
//!   connection on which a client only waits.
//! - `edge`: names the request, bounds it, gives every answer its headers, turns every error
//!   into a problem document, writes the one line in the log.
//! - `direct`: the short way to the handlers that are asked all the time. All others stand behind
//!   the framework's router (`app`, filled by `routing`), and so do these, for requests that are
//!   written in another way.
//! - `authenticate`: finds the credential and judges it, before the body is read.
//! - `forward_auth`, instead, if a gateway asks about a request to somebody else.
//! - the handler of its resource, in the file of that name. `authorized::Authorized` in its
//!   signature is its policy; `body::Body`, `params::Params` and `path::Id` read the rest.
//!   A handler parses what came into the domain's types (`fields`), asks one use case of
//!   [`keystile_service`], and shows the outcome.
//!
//! No rule and no query stands here.

mod answer;
mod api_keys;
mod app;
mod asked;
mod audit_events;
mod auth;
mod authenticate;
mod authorized;
mod body;
mod changes;
mod conditional;
mod direct;
mod edge;
mod error;
mod explorer;
mod fields;
mod forward_auth;
mod health;
mod insights;
mod leases;
mod limits;
mod lookups;
mod me;
mod metrics;
mod oauth;
mod openapi;
mod paging;
mod params;
mod path;
mod providers;
mod replays;
mod roles;
mod rotation;
mod routing;
mod server;
mod state;
mod tickets;
mod tls;
mod tokens;
mod trace;
mod usage;
mod users;
mod verifiers;
mod verify;
mod wait;
mod well_known;

pub use app::{document, service};
pub use health::Health;
pub use metrics::{Metrics, serve_metrics};
pub use server::serve;
pub use state::{Batches, Limits, State};
pub use tls::{CertificateFiles, Tls, TlsError};
