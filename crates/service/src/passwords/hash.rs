//! One hash: how it is made at a cost, and what a stored hash is.
//!
//! The same upper limits hold for the cost that an operator sets and for what the database says, so
//! that neither can eat all the memory.

use std::fmt;

use argon2::Params;
use argon2::password_hash::Error;
use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use keystile_domain::HashCost;

use super::Password;
use super::memory::{ALGORITHM, Memory, VERSION};

/// The hash of a password as a PHC string, with a new salt of 16 bytes.
///
/// It takes tens of milliseconds and all its memory on the calling thread: for the first start and
/// the command line. A server asks a [`Hasher`](super::Hasher).
///
/// # Errors
///
/// If there is no memory for it, or no random numbers.
pub fn hash_now(password: &Password, cost: HashCost) -> Result<String, Error> {
    Ok(Hash::of(password, cost, &mut Memory::default())?.to_string())
}

/// A hash as [`hash_now`] makes them, fit to be computed once more.
pub(super) struct Hash {
    hash: PasswordHash,
    params: Params,
}

impl Hash {
    /// That of a new password, with a new salt.
    pub(super) fn of(
        password: &Password,
        cost: HashCost,
        memory: &mut Memory,
    ) -> Result<Self, Error> {
        let params = params(cost)?;
        let mut salt = [0; SALT_BYTES];
        getrandom::fill(&mut salt)?;
        let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
        memory.hash(password, &salt, &params, &mut output)?;
        let hash = PasswordHash {
            algorithm: ALGORITHM.ident(),
            version: Some(VERSION.into()),
            params: ParamsString::try_from(&params)?,
            salt: Some(Salt::new(&salt)?),
            hash: Some(Output::new(&output)?),
        };
        Ok(Self { hash, params })
    }

    /// Reads a stored hash; nothing if it is damaged, of another kind, or too dear to compute.
    pub(super) fn read(stored: &str) -> Option<Self> {
        let hash = PasswordHash::new(stored).ok()?;
        let params = Params::try_from(&hash).ok()?;
        let is_ours = hash.algorithm == ALGORITHM.ident()
            && hash.version == Some(VERSION.into())
            && hash.salt.is_some_and(|salt| salt.len() >= SALT_BYTES)
            && hash.hash.is_some()
            && is_affordable(&params);
        is_ours.then_some(Self { hash, params })
    }

    /// A hash of no password that anybody could find, to do the same work where there is none.
    pub(super) fn of_nobody(cost: HashCost) -> Result<Self, Error> {
        let text = format!("$argon2id$v=19${}${NO_SALT}${NO_HASH}", params(cost)?);
        Self::read(&text).ok_or(Error::PasswordInvalid)
    }

    /// Whether it is the hash of this password.
    pub(super) fn is_of(&self, password: &Password, memory: &mut Memory) -> Result<bool, Error> {
        let (Some(salt), Some(known)) = (&self.hash.salt, &self.hash.hash) else {
            return Ok(false);
        };
        let mut output = [0; Output::MAX_LENGTH];
        let output = output.get_mut(..known.len()).ok_or(Error::OutputSize)?;
        memory.hash(password, salt, &self.params, output)?;
        // It takes as long for those that differ as for those that do not.
        Ok(Output::new(output)? == *known)
    }

    /// Whether it was made with less memory or fewer passes than that.
    pub(super) fn is_weaker_than(&self, cost: HashCost) -> bool {
        self.params.m_cost() < cost.memory_kib() || self.params.t_cost() < cost.iterations()
    }
}

/// As a PHC string.
impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.hash.fmt(f)
    }
}

fn params(cost: HashCost) -> Result<Params, Error> {
    Ok(Params::new(cost.memory_kib(), cost.iterations(), cost.parallelism(), None)?)
}

/// What was weaker than today's least when it was stored still counts; what would be too dear does
/// not.
fn is_affordable(params: &Params) -> bool {
    HashCost::new(params.m_cost().max(LEAST_KIB), params.t_cost(), params.p_cost()).is_ok()
}

/// The least that NIST and OWASP ask for, and what is drawn.
const SALT_BYTES: usize = 16;
/// Enough for any number of passes.
const LEAST_KIB: u32 = 47_104;

/// 16 bytes of zero.
const NO_SALT: &str = "AAAAAAAAAAAAAAAAAAAAAA";
/// 32 bytes of zero.
const NO_HASH: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(algorithm: &str, version: u32, params: &str, salt: &str) -> String {
        format!("${algorithm}$v={version}${params}${salt}${NO_HASH}")
    }

    #[test]
    fn a_hash_says_what_it_cost() {
        let password: Password = "correct horse".parse().unwrap();
        let dear = HashCost::new(19_457, 3, 2).unwrap();
        let hash = hash_now(&password, dear).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19457,t=3,p=2$"), "{hash}");
        assert!(Hash::read(&hash).unwrap().is_of(&password, &mut Memory::default()).unwrap());
    }

    #[test]
    fn a_hash_is_weaker_if_it_took_less_memory_or_fewer_passes() {
        let hash = Hash::read(&stored("argon2id", 19, "m=19456,t=2,p=1", NO_SALT)).unwrap();
        for (memory, iterations, weaker) in
            [(19_456, 2, false), (19_457, 2, true), (19_456, 3, true), (47_104, 1, true)]
        {
            let cost = HashCost::new(memory, iterations, 1).unwrap();
            assert_eq!(hash.is_weaker_than(cost), weaker, "{memory} {iterations}");
        }
    }

    #[test]
    fn where_there_is_no_hash_the_work_is_that_of_a_present_one() {
        for (memory, iterations) in [(19_457, 2), (19_456, 3), (47_104, 1)] {
            let cost = HashCost::new(memory, iterations, 1).unwrap();
            let nobody = Hash::of_nobody(cost).unwrap();
            assert_eq!((nobody.params.m_cost(), nobody.params.t_cost()), (memory, iterations));
        }
    }

    #[test]
    fn a_hash_that_would_take_too_much_is_not_read() {
        assert!(Hash::read(&stored("argon2id", 19, "m=1048576,t=16,p=8", NO_SALT)).is_some());
        for params in
            ["m=1048577,t=2,p=1", "m=4294967295,t=2,p=1", "m=19456,t=17,p=1", "m=19456,t=2,p=9"]
        {
            assert!(Hash::read(&stored("argon2id", 19, params, NO_SALT)).is_none(), "{params}");
        }
    }

    #[test]
    fn a_hash_that_took_less_than_is_allowed_today_is_still_read() {
        assert!(Hash::read(&stored("argon2id", 19, "m=4096,t=1,p=1", NO_SALT)).is_some());
    }

    #[test]
    fn a_hash_of_another_kind_is_not_read() {
        let params = "m=19456,t=2,p=1";
        assert!(Hash::read(&stored("argon2id", 19, params, NO_SALT)).is_some());
        assert!(Hash::read(&stored("argon2i", 19, params, NO_SALT)).is_none());
        assert!(Hash::read(&stored("argon2id", 16, params, NO_SALT)).is_none());
        assert!(Hash::read(&stored("argon2id", 19, params, "AAAAAAAAAAA")).is_none());
        assert!(Hash::read("$argon2id$v=19$m=19456,t=2,p=1").is_none());
        assert!(Hash::read(&format!("$argon2id$v=19$m=19456,t=2,p=1${NO_SALT}")).is_none());
        assert!(Hash::read("").is_none());
    }
}
