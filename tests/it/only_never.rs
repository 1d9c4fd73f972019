//! One area alone.
#![cfg(test)]
mod never;
