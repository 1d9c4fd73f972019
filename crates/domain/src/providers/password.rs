//! What providers of names with passwords have.

/// How people sign in with a name and a password, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "storage and service build it field by field")]
pub struct PasswordSettings {
    /// The fewest characters of a new password: 8 to 64 (NIST SP 800-63B-4, section 3.1.1.2).
    pub min_length: u8,
    /// When attempts are slowed down.
    pub lockout: Lockout,
    /// How long an access token lives: 1 to 15 minutes.
    pub access_minutes: u32,
    /// How long a session lives on without being refreshed, in minutes.
    pub refresh_minutes: u32,
    /// How long a session lives at most, in minutes.
    pub session_minutes: u32,
    /// What a password costs to check.
    pub cost: HashCost,
}

/// After how many failures in a row attempts are slowed down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a plain pair")]
pub struct Lockout {
    /// With one name, known or not.
    pub name_failures: u32,
    /// From one address.
    pub address_failures: u32,
}

/// What argon2id is asked to spend on one password (RFC 9106).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashCost {
    memory_kib: u32,
    iterations: u32,
    parallelism: u32,
}

/// The parameters are weaker than anything that is recommended, or too strong to be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be at least 1 iteration with 47104 KiB, 2 with 19456 or 3 with 12288, and at most \
     1 GiB, 16 iterations and 8 lanes"
)]
#[expect(clippy::exhaustive_structs, reason = "it says one thing, by its name")]
pub struct HashCostError;

impl HashCost {
    /// The parameters, if they are no weaker than the OWASP Password Storage Cheat Sheet asks.
    ///
    /// # Errors
    ///
    /// [`HashCostError`] if they are, or if they are out of all proportion.
    pub fn new(memory_kib: u32, iterations: u32, parallelism: u32) -> Result<Self, HashCostError> {
        let least = match iterations {
            0 => return Err(HashCostError),
            1 => 47_104,
            2 => 19_456,
            _ => 12_288,
        };
        let within = (least..=1024 * 1024).contains(&memory_kib)
            && iterations <= 16
            && (1..=8).contains(&parallelism);
        if within { Ok(Self { memory_kib, iterations, parallelism }) } else { Err(HashCostError) }
    }

    /// The memory, in KiB.
    #[must_use]
    pub fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// How often it goes over the memory.
    #[must_use]
    pub fn iterations(self) -> u32 {
        self.iterations
    }

    /// How many lanes.
    #[must_use]
    pub fn parallelism(self) -> u32 {
        self.parallelism
    }
}

impl Default for HashCost {
    fn default() -> Self {
        Self { memory_kib: 19_456, iterations: 2, parallelism: 1 }
    }
}

impl Default for PasswordSettings {
    fn default() -> Self {
        Self {
            min_length: 15,
            lockout: Lockout { name_failures: 5, address_failures: 50 },
            access_minutes: 15,
            refresh_minutes: 7 * 24 * 60,
            session_minutes: 30 * 24 * 60,
            cost: HashCost::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_never_costs_less_than_what_is_recommended() {
        for (memory, iterations, lanes) in [(47_104, 1, 1), (19_456, 2, 1), (12_288, 3, 8)] {
            assert!(HashCost::new(memory, iterations, lanes).is_ok());
            assert_eq!(HashCost::new(memory - 1, iterations, lanes), Err(HashCostError));
        }
        for (memory, iterations, lanes) in
            [(19_456, 0, 1), (1_048_577, 1, 1), (47_104, 17, 1), (47_104, 1, 0), (47_104, 1, 9)]
        {
            assert_eq!(HashCost::new(memory, iterations, lanes), Err(HashCostError));
        }
        let HashCost { memory_kib, iterations, parallelism } = HashCost::default();
        assert!(HashCost::new(memory_kib, iterations, parallelism).is_ok());
    }
}
