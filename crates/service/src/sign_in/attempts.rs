//! How often a password may be tried: the more failures in a row, the longer the wait.
//!
//! Failures are counted in the database, so they survive a restart and hold on every node. Each
//! attempt is counted before its password is looked at, and taken back if it was right: however
//! many come at once, no more are looked at than were allowed.
//!
//! A name is counted whether or not anybody has it. So that nobody can be kept out by somebody else
//! who fails with their name, attempts from an address where the user has a live session are counted
//! apart. Addresses are counted too, against those who try many names; an address of IPv6 stands for
//! its network of 64 bits, which is what one customer has. A right password takes one more failure
//! off its address, so that an office where many sign in is not slowed down by their mistakes.
//!
//! What was refused for the wait is no attempt: it neither counts nor makes the wait longer. An
//! address that was just told to wait (`waits`) is not looked up again.

use std::net::IpAddr;
use std::time::Duration;

use keystile_domain::{Lockout, Session, Timestamp};
use keystile_storage::Failures;

use crate::keys::Keys;
use crate::{Keystile, ServiceError};

/// One attempt with a password: what its failures are counted for.
#[derive(Debug)]
pub(super) struct Attempt {
    network: IpAddr,
    name: Subject,
    address: Subject,
}

#[derive(Debug)]
struct Subject {
    /// A stand-in: neither names nor addresses are kept.
    text: String,
    /// How many failures in a row make nobody wait.
    free: u32,
}

impl Attempt {
    /// An attempt with the name of this key from an address, where its user may be known by their
    /// sessions.
    pub(super) fn new(
        keys: &Keys,
        key: &str,
        address: IpAddr,
        sessions: &[Session],
        now: Timestamp,
        lockout: Lockout,
    ) -> Self {
        let is_at_home = sessions
            .iter()
            .any(|session| session.ends_at > now && session.address == Some(address));
        let name = match is_at_home {
            true => keys.stand_in(&format!("sign-in {address} {key}")),
            false => name_subject(keys, key),
        };
        let network = network(address);
        let from = keys.stand_in(&format!("sign-in from {network}"));
        Self {
            network,
            name: Subject { text: name, free: lockout.name_failures },
            address: Subject { text: from, free: lockout.address_failures },
        }
    }

    /// Everybody locks the two in the same order.
    fn subjects(&self) -> [&Subject; 2] {
        let mut subjects = [&self.name, &self.address];
        subjects.sort_by(|one, other| one.text.cmp(&other.text));
        subjects
    }

    /// How long to wait after these failures.
    fn wait(&self, failures: &[Failures], now: Timestamp) -> Option<Duration> {
        self.subjects().into_iter().filter_map(|subject| subject.wait(failures, now)).max()
    }
}

impl Subject {
    fn wait(&self, failures: &[Failures], now: Timestamp) -> Option<Duration> {
        let own = failures.iter().find(|failures| failures.subject == self.text)?;
        wait(own, self.free, now)
    }
}

impl Keystile {
    /// Refuses who was told to wait, whatever their name.
    ///
    /// # Errors
    ///
    /// [`ServiceError::TooManyAttempts`] if it is too early.
    pub(super) fn admit_address(&self, address: IpAddr) -> Result<(), ServiceError> {
        let wait = self.sign_in_waits.left(network(address), self.clock.now());
        wait.map_or(Ok(()), too_many)
    }

    /// Lets an attempt through and counts it as a failure, until it is taken back.
    ///
    /// # Errors
    ///
    /// [`ServiceError::TooManyAttempts`] if it is too early.
    pub(super) async fn admit_attempt(&self, attempt: &Attempt) -> Result<(), ServiceError> {
        let now = self.clock.now();
        let subjects = attempt.subjects();
        // Reading takes nobody's turn: those who have to wait could otherwise hold up all changes.
        let texts = subjects.map(|subject| subject.text.clone());
        let known = self.store.read().await?.find_failures(&texts).await?;
        if let Some(wait) = attempt.address.wait(&known, now) {
            self.sign_in_waits.tell(attempt.network, wait, now);
        }
        attempt.wait(&known, now).map_or(Ok(()), too_many)?;
        let mut books = self.store.books().await?;
        let mut before = Vec::new();
        for subject in subjects {
            before.push(books.count_failure(&subject.text, now).await?);
        }
        match attempt.wait(&before, now) {
            None => Ok(books.commit().await?),
            Some(wait) => {
                books.rollback().await?;
                too_many(wait)
            }
        }
    }

    /// Ends a row of failures with a password that was right.
    pub(super) async fn forgive(&self, attempt: &Attempt) -> Result<(), ServiceError> {
        let mut books = self.store.books().await?;
        for subject in attempt.subjects() {
            match subject.text == attempt.name.text {
                true => books.clear_failures(&subject.text).await?,
                false => books.forgive_failures(&subject.text, 2).await?,
            }
        }
        Ok(books.commit().await?)
    }

    /// Takes an attempt back whose password nobody looked at.
    pub(super) async fn take_back(&self, attempt: &Attempt) -> Result<(), ServiceError> {
        let mut books = self.store.books().await?;
        for subject in attempt.subjects() {
            books.forgive_failures(&subject.text, 1).await?;
        }
        Ok(books.commit().await?)
    }
}

/// What failures with a name are counted for, from wherever it is not known.
pub(super) fn name_subject(keys: &Keys, key: &str) -> String {
    keys.stand_in(&format!("sign-in {key}"))
}

fn too_many(wait: Duration) -> Result<(), ServiceError> {
    Err(ServiceError::TooManyAttempts(wait))
}

/// A second after the last of the free failures, and twice as long after each one more.
fn wait(failures: &Failures, free: u32, now: Timestamp) -> Option<Duration> {
    let beyond = u32::try_from(failures.failures).ok()?.checked_sub(free)?;
    let longest = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(beyond)).min(LONGEST_WAIT);
    let since = now.as_millis().saturating_sub(failures.last_at.as_millis());
    // A clock that was set back makes nobody wait longer than that.
    let since = Duration::from_millis(u64::try_from(since).unwrap_or(0));
    longest.checked_sub(since).filter(|wait| !wait.is_zero())
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        address => address,
    }
}

/// How long failures are remembered, counted from the last one of a row.
pub(crate) const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(failures: i32, since: u64) -> Option<u64> {
        let last_at = Timestamp::from_millis(1_000_000);
        let failures = Failures { subject: String::new(), failures, last_at };
        let wait = wait(&failures, 5, last_at.after(Duration::from_millis(since)));
        wait.map(|wait| u64::try_from(wait.as_millis()).unwrap())
    }

    #[test]
    fn the_free_failures_make_nobody_wait() {
        assert_eq!((0..5).find_map(|failures| waiting(failures, 0)), None);
    }

    #[test]
    fn each_failure_beyond_them_doubles_the_wait_up_to_a_quarter_of_an_hour() {
        let waits: Vec<_> = (5..17).filter_map(|failures| waiting(failures, 0)).collect();
        let seconds = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900];
        assert_eq!(waits, seconds.map(|seconds| seconds * 1_000));
        assert_eq!(waiting(i32::MAX, 0), Some(900_000));
    }

    #[test]
    fn the_wait_ends_with_its_last_millisecond() {
        assert_eq!(waiting(5, 999), Some(1));
        assert_eq!(waiting(5, 1_000), None);
        assert_eq!(waiting(5, u64::MAX), None);
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nobody_wait_longer() {
        let last_at = Timestamp::from_millis(1_000_000);
        let failures = Failures { subject: String::new(), failures: 5, last_at };
        assert_eq!(wait(&failures, 5, Timestamp::from_millis(0)), Some(FIRST_WAIT));
    }

    #[test]
    fn one_customer_has_one_network() {
        let network = |text: &str| super::network(text.parse().unwrap()).to_string();
        assert_eq!(network("192.0.2.7"), "192.0.2.7");
        assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }
}
