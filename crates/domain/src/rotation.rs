//! The old secret of a rotated key or token: both kinds are rotated by the same rules.

use std::time::Duration;

use crate::{Expiry, Timestamp};

/// The secret that a key or token had before it was rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a plain fact")]
pub struct OldSecret {
    /// When it was replaced.
    pub since: Timestamp,
    /// When it ends, or ended.
    pub ends_at: Timestamp,
}

impl OldSecret {
    /// The secret of a credential that ends at `expiry`, and its secrets with it.
    #[must_use]
    pub fn within(self, expiry: Expiry) -> Self {
        Self { ends_at: expiry.at().map_or(self.ends_at, |end| end.min(self.ends_at)), ..self }
    }
}

/// For how long the old secret of a rotated key or token still works: 0 seconds to 30 days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RotationOverlap(Duration);

impl RotationOverlap {
    /// The longest that there is, in seconds.
    pub const MAX_SECONDS: i64 = 30 * 24 * 60 * 60;

    /// The overlap, or nothing when it is out of range.
    #[must_use]
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        let seconds = u64::try_from(seconds).ok()?;
        let overlap = Duration::from_secs(seconds);
        (seconds <= Self::MAX_SECONDS.unsigned_abs()).then_some(Self(overlap))
    }

    /// When an overlap that begins at `now` ends.
    #[must_use]
    pub fn end(self, now: Timestamp) -> Timestamp {
        now.after(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overlap_lasts_at_most_thirty_days() {
        let now = Timestamp::from_millis(5);
        assert_eq!(RotationOverlap::from_seconds(0).unwrap().end(now), now);
        assert!(RotationOverlap::from_seconds(2_592_000).is_some());
        assert!(
            [-1, 2_592_001, i64::MAX, i64::MIN]
                .iter()
                .all(|seconds| RotationOverlap::from_seconds(*seconds).is_none())
        );
    }

    #[test]
    fn an_old_secret_ends_with_its_credential_at_the_latest() {
        let [since, ends_at] = [1, 5].map(Timestamp::from_millis);
        let old = OldSecret { since, ends_at };
        let until = |end| old.within(Expiry::At(Timestamp::from_millis(end))).ends_at.as_millis();
        assert_eq!([until(4), until(6)], [4, 5]);
        assert_eq!(old.within(Expiry::Never), old);
    }
}
