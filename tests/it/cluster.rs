//! Several servers on one PostgreSQL, and a revocation that holds on all of them: whatever happens
//! to the servers, to the database, and to the ways between them.
//!
//! The numbers in the names of tests are those of the rules in `docs/clustering.md`.

mod clocks;
mod commands;
mod cut_off;
mod failover;
mod forks;
mod frozen;
mod leases;
mod lookups;
mod members;
mod outages;
mod pooler;
mod readiness;
mod rounds;
mod rules;
mod stage;

use stage::Stage;
