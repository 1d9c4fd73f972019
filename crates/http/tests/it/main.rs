//! The API in process, once per database: what depends on the time, which stands still here until a
//! test moves it; who may do what; and what the answers let a browser do.

#![cfg(test)]

mod authorisation;
mod client;
mod direct;
mod errors;
mod expiry;
mod explorer;
mod foreign_tokens;
mod formats;
mod forward_auth;
mod insights;
mod limits;
mod lists;
mod providers;
mod replays;
mod rotation;
mod stage;
mod tickets;
mod unknown_names;
mod usage;
