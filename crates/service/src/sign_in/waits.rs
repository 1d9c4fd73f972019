//! Addresses that have to wait, as they were last told: whoever asks again all the same is refused
//! without a question to the database, which a flood of sign-ins would else keep from everybody.

use std::net::IpAddr;
use std::time::Duration;

use keystile_domain::Timestamp;
use quick_cache::sync::Cache;

/// What some addresses were told. It is believed for a second: on another node, or by those who
/// were under way, failures may be taken back.
pub(crate) struct Waits(Cache<IpAddr, Wait>);

#[derive(Clone, Copy)]
struct Wait {
    told_at: Timestamp,
    length: Duration,
}

impl Waits {
    pub(super) fn tell(&self, address: IpAddr, length: Duration, now: Timestamp) {
        self.0.insert(address, Wait { told_at: now, length });
    }

    /// How much longer an address has to wait.
    pub(super) fn left(&self, address: IpAddr, now: Timestamp) -> Option<Duration> {
        let Wait { told_at, length } = self.0.get(&address)?;
        // One that was told later than now is of a clock that was set back.
        let since = now.as_millis().checked_sub(told_at.as_millis())?;
        let since = Duration::from_millis(u64::try_from(since).ok()?);
        let left = length.checked_sub(since).filter(|left| !left.is_zero())?;
        (since < BELIEVED).then_some(left)
    }
}

impl Default for Waits {
    fn default() -> Self {
        Self(Cache::new(ADDRESSES))
    }
}

const BELIEVED: Duration = Duration::from_secs(1);
/// Of those beyond, each asks the database.
const ADDRESSES: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn left(length: u64, since: i64) -> Option<u64> {
        let waits = Waits::default();
        waits.tell(ADDRESS, Duration::from_millis(length), Timestamp::from_millis(5_000));
        let left = waits.left(ADDRESS, Timestamp::from_millis(5_000 + since));
        left.map(|left| u64::try_from(left.as_millis()).unwrap())
    }

    #[test]
    fn an_address_waits_for_what_is_left() {
        assert_eq!(
            [0, 400, 999].map(|since| left(1_000, since)),
            [Some(1_000), Some(600), Some(1)]
        );
        assert_eq!(left(400, 400), None);
    }

    #[test]
    fn a_long_wait_is_asked_for_again_after_a_second() {
        assert_eq!(left(900_000, 999), Some(899_001));
        assert_eq!(left(900_000, 1_000), None);
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nobody_wait() {
        assert_eq!(left(1_000, -1), None);
    }

    #[test]
    fn nobody_waits_for_another() {
        let waits = Waits::default();
        assert!(waits.left(ADDRESS, Timestamp::from_millis(0)).is_none());
    }
}
