//! What Keystile promises, held to it from outside: by the real binary on both databases, and by
//! the tree it is built from.

#![cfg(test)]

mod arrows;
mod backup;
mod browser;
mod cli;
mod cli_tools;
mod client;
mod cluster;
mod docs;
mod document;
mod embedding;
mod gateways;
mod import;
mod insights;
mod key_rotation;
mod lifecycle;
mod limits;
mod metrics;
mod never;
mod oauth;
mod oidc;
mod oidc_harness;
mod people;
mod places;
mod postgres_tls;
mod process;
mod reference_jim;
mod reference_jitterbit;
mod reference_jobnimbus;
mod reference_justiam;
mod sign_in;
mod tickets;
mod tracing;
mod transport;
mod tree;
mod usage;
mod versions;
