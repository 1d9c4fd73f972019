//! What Keystile promises, held to it from outside: by the real binary on both databases, and by
//! the tree it is built from.

#![cfg(test)]

mod arrows;
mod browser;
mod docs;
mod document;
mod gateways;
mod import;
mod lifecycle;
mod limits;
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
mod transport;
mod tree;
mod usage;
mod versions;
