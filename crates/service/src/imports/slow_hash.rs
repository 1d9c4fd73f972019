//! Slow hashes of other stores: what their texts say, and how much of it is affordable.
//!
//! A text that is read is one whose hash can be computed within the limits, so that an import
//! refuses what no check could bear later.

mod pbkdf2;

use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, Params};
use keystile_domain::HashAlgorithm;
use sha2::{Digest, Sha256};

use self::pbkdf2::Pbkdf2;

/// A slow hash, ready to be compared.
pub(crate) enum SlowHash {
    Argon2(Box<PasswordHash>),
    Bcrypt {
        hash: String,
        /// Whether it is a hash of the SHA-256 in hexadecimal digits, which is how Django keeps
        /// more than 72 bytes apart.
        hashed_before: bool,
    },
    Pbkdf2(Pbkdf2),
}

impl SlowHash {
    /// The weight of what takes about a second.
    pub(crate) const HEAVIEST: i32 = 4;

    /// Reads the text of a hash: as PHC strings and Django have them, of bcrypt in its own form.
    pub(crate) fn read(algorithm: HashAlgorithm, text: &str) -> Result<Self, SlowHashError> {
        match algorithm {
            HashAlgorithm::Argon2 => read_argon2(text),
            HashAlgorithm::Bcrypt => read_bcrypt(text),
            HashAlgorithm::Pbkdf2 => Pbkdf2::read(text).map(Self::Pbkdf2),
            _ => Err(SlowHashError::Form(algorithm)),
        }
    }

    /// What it costs to compare it: as much as a fast hash, up to [`HEAVIEST`](Self::HEAVIEST).
    pub(crate) fn weight(&self) -> i32 {
        let (cost, most) = match self {
            Self::Argon2(hash) => (argon2_cost(hash).unwrap_or(MOST_KIB_PASSES), MOST_KIB_PASSES),
            Self::Bcrypt { hash, .. } => {
                (1 << bcrypt_cost(hash).unwrap_or(MOST_BCRYPT), 1 << MOST_BCRYPT)
            }
            Self::Pbkdf2(hash) => (hash.cost(), Pbkdf2::MOST),
        };
        i32::try_from((cost * 4).div_ceil(most)).unwrap_or(Self::HEAVIEST)
    }

    /// Whether it is the hash of these bytes. It takes up to a second.
    pub(crate) fn is_of(&self, input: &[u8]) -> bool {
        match self {
            Self::Argon2(hash) => Argon2::default().verify_password(input, &**hash).is_ok(),
            Self::Bcrypt { hash, hashed_before: false } => is_bcrypt_of(input, hash),
            Self::Bcrypt { hash, hashed_before: true } => {
                let before = Sha256::digest(input);
                let digits: String = before.iter().map(|byte| format!("{byte:02x}")).collect();
                is_bcrypt_of(digits.as_bytes(), hash)
            }
            Self::Pbkdf2(hash) => hash.is_of(input),
        }
    }
}

/// Why a slow hash is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SlowHashError {
    /// It would take more than a check can bear.
    #[error("costs too much: {0}")]
    Cost(&'static str),
    /// It is no hash of this kind.
    #[error("is no text of a hash of {0}")]
    Form(HashAlgorithm),
}

fn read_argon2(text: &str) -> Result<SlowHash, SlowHashError> {
    let form = SlowHashError::Form(HashAlgorithm::Argon2);
    let hash = PasswordHash::new(text.strip_prefix("argon2").unwrap_or(text)).ok().ok_or(form)?;
    let params = Params::try_from(&hash).ok().ok_or(form)?;
    let is_whole = hash.algorithm.as_str().starts_with("argon2") && hash.salt.is_some();
    if !is_whole || hash.hash.is_none_or(|hash| hash.len() < LEAST_BYTES) {
        return Err(form);
    }
    let affordable = params.m_cost() <= MOST_KIB && params.p_cost() <= 16;
    if !affordable || argon2_cost(&hash).is_none_or(|cost| cost > MOST_KIB_PASSES) {
        let rule = "at most 16 lanes and 128 MiB, and 512 MiB times its passes";
        return Err(SlowHashError::Cost(rule));
    }
    Ok(SlowHash::Argon2(Box::new(hash)))
}

/// How many KiB it goes over, as often as it does.
fn argon2_cost(hash: &PasswordHash) -> Option<u64> {
    let params = Params::try_from(hash).ok()?;
    Some(u64::from(params.m_cost()) * u64::from(params.t_cost()))
}

fn read_bcrypt(text: &str) -> Result<SlowHash, SlowHashError> {
    let hashed = text.strip_prefix("bcrypt_sha256$");
    let hash = hashed.or_else(|| text.strip_prefix("bcrypt$")).unwrap_or(text);
    let cost = bcrypt_cost(hash).ok_or(SlowHashError::Form(HashAlgorithm::Bcrypt))?;
    if cost > MOST_BCRYPT {
        return Err(SlowHashError::Cost("at most 13"));
    }
    Ok(SlowHash::Bcrypt { hash: hash.to_owned(), hashed_before: hashed.is_some() })
}

/// The cost that a text in the form of bcrypt says. The broken variant `$2x$` is none.
fn bcrypt_cost(text: &str) -> Option<u32> {
    let ["", "2a" | "2b" | "2y", cost, rest] = *text.split('$').collect::<Vec<_>>() else {
        return None;
    };
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"./".contains(&byte);
    let fits = cost.len() == 2 && rest.len() == 53 && rest.bytes().all(is_letter);
    cost.parse().ok().filter(|cost| fits && *cost >= 4)
}

/// Never of more bytes than bcrypt looks at: it would take any end for the right one.
fn is_bcrypt_of(input: &[u8], hash: &str) -> bool {
    bcrypt::non_truncating_verify(input, hash).unwrap_or(false)
}

/// Fewer tell too little.
const LEAST_BYTES: usize = 16;
const MOST_BCRYPT: u32 = 13;
const MOST_KIB: u32 = 128 * 1024;
const MOST_KIB_PASSES: u64 = 512 * 1024;

#[cfg(test)]
mod tests;
