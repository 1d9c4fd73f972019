//! The use cases without a face: what only somebody inside can arrange.

#![cfg(test)]

mod changes;
mod cluster;
mod first_start;
mod sign_in;
mod signing_keys;
mod stage;
mod tokens;
