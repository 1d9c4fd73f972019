//! Verifies JSON Web Tokens strictly, without I/O and without a clock: keys, expectations and the
//! time are handed in.
//!
//! A module of its own because nothing else in this crate trusts a signature instead of a look-up.
//! A token is refused unless every step says yes:
//!
//! 1. [`Jwt`](keystile_domain::Jwt): the shape and size of the text.
//! 2. [`Unverified`]: header and claims are JSON objects without duplicate members. Its issuer and
//!    key id only choose the keys to try.
//! 3. The header's algorithm and type are among those expected, and the one key of the issuer's
//!    [`KeySet`] that it means has made the signature.
//! 4. Each registered claim has its JSON type and the value that [`Expectations`] ask. One of
//!    another type is refused, never taken for absent.
//!
//! Only then there are [`Claims`]. The rules are those of RFC 7515, 7517, 7519, 8725 and 9068.
//! Algorithms are asymmetric only: there is no way to configure HMAC or `none`.

mod algorithm;
mod claims;
mod error;
mod expectations;
mod header;
mod json;
mod jws;
mod key;
mod key_set;
mod rsa;
mod unverified;

pub use claims::Claims;
pub use error::TokenError;
pub use expectations::{Audiences, Expectations, Leeway, LeewayError, TokenUse};
pub use key_set::{KeySet, KeySetError};
pub use unverified::{Unverified, verify};

#[cfg(test)]
mod tests;
