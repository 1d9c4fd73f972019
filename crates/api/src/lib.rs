//! The wire: every body that Keystile reads or writes, once, and every error code.
//!
//! Server, clients and the command line share these types. They are plain data: texts are texts
//! and times are texts, and what they must look like is checked by the server, which answers with
//! the pointer of the member that is wrong. One file per resource; [`problem`] has what goes wrong,
//! [`lists`] what all lists share, [`patch`] the difference between "absent" and `null`.
//!
//! With the feature `openapi` each type describes itself for the OpenAPI document.

pub mod api_keys;
pub mod audit_events;
pub mod auth;
pub mod changes;
pub mod health;
pub mod imports;
pub mod insights;
pub mod leases;
pub mod limits;
pub mod lists;
pub mod lookups;
pub mod me;
pub mod oauth;
pub mod patch;
pub mod problem;
pub mod providers;
pub mod roles;
pub mod rotation;
pub mod tickets;
pub mod tokens;
pub mod usage;
pub mod users;
pub mod verifiers;
pub mod verify;
pub mod well_known;
