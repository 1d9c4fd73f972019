//! Changes of how people sign in with names and passwords.

use keystile_domain::{HashCost, Lockout, PasswordSettings};

use crate::ServiceError;

/// What shall be different about names with passwords.
#[derive(Clone, Debug, Default)]
pub struct PasswordChange {
    /// The fewest characters of a new password.
    pub min_length: Option<u8>,
    /// Failures in a row with one name.
    pub name_failures: Option<u32>,
    /// Failures in a row from one address.
    pub address_failures: Option<u32>,
    /// How long an access token lives, in minutes.
    pub access_minutes: Option<u32>,
    /// How long a session lives without being refreshed, in minutes.
    pub refresh_minutes: Option<u32>,
    /// How long a session lives at most, in minutes.
    pub session_minutes: Option<u32>,
    /// What argon2id takes for one password, in KiB.
    pub memory_kib: Option<u32>,
    /// How often it goes over that.
    pub iterations: Option<u32>,
    /// How many lanes it has.
    pub parallelism: Option<u32>,
}

impl PasswordChange {
    pub(super) fn apply(self, before: PasswordSettings) -> Result<PasswordSettings, ServiceError> {
        let cost = HashCost::new(
            self.memory_kib.unwrap_or(before.cost.memory_kib()),
            self.iterations.unwrap_or(before.cost.iterations()),
            self.parallelism.unwrap_or(before.cost.parallelism()),
        );
        Ok(PasswordSettings {
            min_length: self.min_length.unwrap_or(before.min_length),
            lockout: Lockout {
                name_failures: self.name_failures.unwrap_or(before.lockout.name_failures),
                address_failures: self.address_failures.unwrap_or(before.lockout.address_failures),
            },
            access_minutes: self.access_minutes.unwrap_or(before.access_minutes),
            refresh_minutes: self.refresh_minutes.unwrap_or(before.refresh_minutes),
            session_minutes: self.session_minutes.unwrap_or(before.session_minutes),
            cost: cost.map_err(|rule| ServiceError::broken("/hash_memory_kib", rule))?,
        })
    }
}
