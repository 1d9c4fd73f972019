//! The identity providers of the tests are what they claim to be.

#![cfg(test)]

mod oidc_harness;
