//! Nodes on one database, each with a clock that stands still: what one of them believes, and when
//! another may say that it believes it no more.
//!
//! The numbers in the names of tests are those of the rules in `docs/clustering.md`.

mod believing;
mod following;
mod joining;
mod stage;
mod waiting;
