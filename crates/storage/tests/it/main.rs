//! What the store promises, once per database.

#![cfg(test)]

mod administrators;
mod api_keys;
mod audit_events;
mod books;
mod changes;
mod corruption;
mod credentials;
mod dump;
mod exercises;
mod facts;
mod feed;
mod formats;
mod groups;
mod identities;
mod imports;
mod limits;
mod lists;
mod locks;
mod migrations;
mod nodes;
mod old_secret_uses;
mod outages;
mod peppers;
mod providers;
mod raw;
mod refresh_tokens;
mod roles;
mod samples;
mod sessions;
mod sign_in_failures;
mod signing_keys;
mod spent_tokens;
mod stage;
mod tickets;
mod tls;
mod tokens;
mod usage;
mod users;
