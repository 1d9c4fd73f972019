//! PBKDF2, which everybody writes in another way.

use base64ct::{Base64Unpadded, Encoding};
use keystile_domain::HashAlgorithm;
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;

use super::{LEAST_BYTES, SlowHashError};

/// A hash of PBKDF2 (RFC 8018, section 5.2), ready to be compared.
pub(crate) struct Pbkdf2 {
    function: Function,
    iterations: u32,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

/// What the HMAC is made of.
#[derive(Clone, Copy)]
enum Function {
    Sha1,
    Sha256,
    Sha512,
}

impl Pbkdf2 {
    /// The most that may be computed.
    pub(crate) const MOST: u64 = 2_000_000;

    /// Reads `pbkdf2_sha256$<iterations>$<salt>$<base64>` as Django has it, a PHC string
    /// `$pbkdf2-sha256$i=<iterations>,l=<bytes>$<base64>$<base64>`, or that of passlib, which has
    /// the bare iterations there, and dots in its base64.
    pub(crate) fn read(text: &str) -> Result<Self, SlowHashError> {
        let form = || SlowHashError::Form(HashAlgorithm::Pbkdf2);
        let parts: Vec<_> = text.split('$').collect();
        let (name, iterations, salt, hash) = match *parts {
            ["", name, iterations, salt, hash] => {
                let name = name.strip_prefix("pbkdf2").map(|rest| rest.trim_start_matches('-'));
                (name, iterations_of(iterations), base64(salt), hash)
            }
            [name, iterations, salt, hash] => {
                (name.strip_prefix("pbkdf2_"), iterations, Some(salt.into()), hash)
            }
            _ => return Err(form()),
        };
        let function = name.and_then(Function::named).ok_or_else(form)?;
        let salt = salt.filter(|salt| !salt.is_empty()).ok_or_else(form)?;
        let hash = base64(hash).filter(|hash| (LEAST_BYTES..=64).contains(&hash.len()));
        let hash = hash.ok_or_else(form)?;
        let iterations: u32 = iterations.parse().ok().filter(|n| *n > 0).ok_or_else(form)?;
        let read = Self { function, iterations, salt, hash };
        if read.cost() > Self::MOST {
            let rule = "at most 2,000,000 iterations for each of the function's lengths";
            return Err(SlowHashError::Cost(rule));
        }
        Ok(read)
    }

    /// How many times the HMAC is computed: a hash that is longer than the function's takes all
    /// iterations for each such length.
    pub(crate) fn cost(&self) -> u64 {
        let lengths = self.hash.len().div_ceil(self.function.length());
        u64::from(self.iterations).saturating_mul(u64::try_from(lengths).unwrap_or(u64::MAX))
    }

    /// Whether it is the hash of these bytes.
    pub(crate) fn is_of(&self, input: &[u8]) -> bool {
        let derive = match self.function {
            Function::Sha1 => pbkdf2::pbkdf2_hmac::<Sha1>,
            Function::Sha256 => pbkdf2::pbkdf2_hmac::<Sha256>,
            Function::Sha512 => pbkdf2::pbkdf2_hmac::<Sha512>,
        };
        let mut hash = vec![0; self.hash.len()];
        derive(input, &self.salt, self.iterations, &mut hash);
        hash.ct_eq(&self.hash).into()
    }
}

impl Function {
    /// The bytes of one hash.
    fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// By its name; that of the first one is often left out.
    fn named(name: &str) -> Option<Self> {
        match name {
            "" | "sha1" => Some(Self::Sha1),
            "sha256" => Some(Self::Sha256),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }
}

/// The iterations among the parameters of a PHC string, or the bare number. A length says nothing
/// that the hash does not.
fn iterations_of(parameters: &str) -> &str {
    let named = parameters.split(',').find_map(|parameter| parameter.strip_prefix("i="));
    named.unwrap_or(parameters)
}

/// Base64 with padding or without, and with `.` for `+`.
fn base64(text: &str) -> Option<Vec<u8>> {
    Base64Unpadded::decode_vec(&text.trim_end_matches('=').replace('.', "+")).ok()
}
