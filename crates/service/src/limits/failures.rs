//! Credentials that were refused, counted by the address that showed them.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;
use std::time::Duration;

use keystile_domain::{Cost, LimitCount, LimitName, LimitWindow, RateLimit, RateLimits};

use super::memory::Memory;
use super::standing::Taking;
use crate::Keystile;

/// How many refused credentials an address may show in a time: `100/min`, with `s`, `min`, `h` or
/// `day`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureLimit(RateLimit);

/// The text is no limit of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a number and a time, such as 100/min; the times are s, min, h and day")]
pub struct FailureLimitError;

/// What is counted of each address. However many there are, this takes some 20 MB at most.
pub(crate) struct Failures {
    limits: RateLimits,
    memory: Memory<IpAddr>,
}

impl Keystile {
    /// How long an address has to wait that has shown too many credentials that were refused.
    ///
    /// It has to wait with every credential, good ones too: else its answers would still tell it
    /// which of its guesses is one.
    #[must_use]
    pub fn must_wait(&self, address: IpAddr) -> Option<Duration> {
        let failures = self.failures.as_ref()?;
        let taking = failures.take(address, Cost::NOTHING, self.clock.elapsed());
        let wait = taking.exceeded(&failures.limits, Cost::ONE).retry_after;
        (!wait.is_zero()).then_some(wait)
    }

    /// Counts a credential that an address has shown and that was refused.
    pub fn count_failure(&self, address: IpAddr) {
        if let Some(failures) = &self.failures {
            failures.take(address, Cost::ONE, self.clock.elapsed());
        }
    }
}

impl Failures {
    pub(crate) fn new(FailureLimit(limit): FailureLimit) -> Self {
        // One limit has one name.
        let limits = RateLimits::try_from(vec![limit]).unwrap_or_default();
        Self { limits, memory: Memory::new(ADDRESSES) }
    }

    fn take(&self, address: IpAddr, cost: Cost, elapsed: Duration) -> Taking {
        self.memory.take(network(address), &self.limits, cost, elapsed)
    }
}

impl FromStr for FailureLimit {
    type Err = FailureLimitError;

    fn from_str(text: &str) -> Result<Self, FailureLimitError> {
        let (count, time) = text.split_once('/').ok_or(FailureLimitError)?;
        let (_, seconds) = TIMES.iter().find(|(name, _)| *name == time).ok_or(FailureLimitError)?;
        let count = count.parse::<i64>().ok().and_then(|count| LimitCount::try_from(count).ok());
        let window = LimitWindow::try_from(*seconds).ok();
        let (limit, window) = count.zip(window).ok_or(FailureLimitError)?;
        Ok(Self(RateLimit { name: LimitName::default(), limit, window }))
    }
}

impl fmt::Display for FailureLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = i64::from(self.0.window.seconds());
        let time = TIMES.iter().find(|(_, time)| *time == seconds).map_or("", |(name, _)| name);
        write!(f, "{}/{time}", self.0.limit.value())
    }
}

/// Whoever has one IPv6 address has a whole /64 of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

const TIMES: [(&str, i64); 4] = [("s", 1), ("min", 60), ("h", 3_600), ("day", 86_400)];
const ADDRESSES: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn failures(limit: &str) -> Failures {
        Failures::new(limit.parse().unwrap())
    }

    fn is_over(failures: &Failures, address: &str, elapsed: u64) -> bool {
        let elapsed = Duration::from_secs(elapsed);
        let taking = failures.take(address.parse().unwrap(), Cost::NOTHING, elapsed);
        !taking.exceeded(&failures.limits, Cost::ONE).retry_after.is_zero()
    }

    fn fail(failures: &Failures, address: &str, times: usize) {
        for _ in 0..times {
            failures.take(address.parse().unwrap(), Cost::ONE, Duration::ZERO);
        }
    }

    #[test]
    fn an_address_waits_after_too_many_failures_and_recovers() {
        let failures = failures("3/min");
        fail(&failures, "192.0.2.1", 2);
        assert!(!is_over(&failures, "192.0.2.1", 0));
        fail(&failures, "192.0.2.1", 10);
        assert!(is_over(&failures, "192.0.2.1", 19));
        assert!(!is_over(&failures, "192.0.2.1", 20), "what was refused meanwhile counts nothing");
        assert!(!is_over(&failures, "192.0.2.2", 0));
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_counted_together() {
        let failures = failures("1/h");
        fail(&failures, "2001:db8:0:1::1", 1);
        assert!(is_over(&failures, "2001:db8:0:1:ffff::2", 0));
        assert!(!is_over(&failures, "2001:db8:0:2::1", 0));
        fail(&failures, "::ffff:192.0.2.1", 1);
        assert!(is_over(&failures, "192.0.2.1", 0), "it is written as IPv6 and is none");
    }

    #[test]
    fn a_limit_reads_as_it_is_written() {
        for text in ["100/min", "1/s", "5/h", "7/day"] {
            assert_eq!(text.parse::<FailureLimit>().unwrap().to_string(), text);
        }
        for text in ["", "100", "/min", "0/min", "-1/min", "1/week", "1/ min", "1.5/s", "1/min/s"] {
            assert_eq!(text.parse::<FailureLimit>(), Err(FailureLimitError), "{text}");
        }
    }
}
