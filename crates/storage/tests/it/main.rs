//! What the store promises, once per database.

#![cfg(test)]

mod api_keys;
mod audit_events;
mod changes;
mod corruption;
mod credentials;
mod facts;
mod lists;
mod locks;
mod migrations;
mod outages;
mod providers;
mod raw;
mod roles;
mod samples;
mod stage;
mod tls;
mod users;
