//! One area alone.
#![cfg(test)]
mod browser;
mod docs;
mod document;
