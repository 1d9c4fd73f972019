//! What Keystile promises, held to it from outside: by the real binary on both databases, and by
//! the tree it is built from.

#![cfg(test)]

mod arrows;
mod browser;
mod docs;
mod document;
mod lifecycle;
mod never;
mod oauth;
mod oidc;
mod oidc_harness;
mod people;
mod postgres_tls;
mod process;
mod sign_in;
mod tree;
mod usage;
mod versions;
