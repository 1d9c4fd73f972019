//! One area alone.
#![cfg(test)]
mod lifecycle;
