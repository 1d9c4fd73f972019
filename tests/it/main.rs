//! What Keystile promises, held to it from outside: by the real binary on both databases, and by
//! the tree it is built from.

#![cfg(test)]

mod arrows;
mod browser;
mod docs;
mod document;
mod lifecycle;
mod never;
mod postgres_tls;
mod process;
mod tree;
mod versions;
