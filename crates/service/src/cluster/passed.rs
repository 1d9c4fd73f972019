//! The last events that a node has applied: it tells them to whoever follows it, and names those that
//! are missing when the database comes back with another history, after a failover that lost changes
//! or a restore. What those ended lives again until somebody ends it once more.

use std::collections::VecDeque;

use keystile_domain::{Action, Seq};
use keystile_storage::{Conn, FeedEvent, FeedPlace, StoreError};

/// The last events that a node has applied.
#[derive(Clone, Debug, Default)]
pub(crate) struct Passed {
    /// The event before them.
    since: Option<FeedPlace>,
    events: VecDeque<FeedEvent>,
}

impl Passed {
    /// Nothing yet, behind this place.
    pub(super) fn since(place: FeedPlace) -> Self {
        Self { since: Some(place), events: VecDeque::new() }
    }

    pub(super) fn extend(&mut self, events: Vec<FeedEvent>) {
        self.events.extend(events);
        let surplus = self.events.len().saturating_sub(KEPT);
        if let Some(last) = self.events.drain(..surplus).next_back() {
            self.since = Some(last.place);
        }
    }

    /// The events after a place in the feed, in order and at most so many; `None`: these here do not
    /// reach back so far.
    pub(crate) fn after(&self, seq: Seq, limit: usize) -> Option<Vec<FeedEvent>> {
        self.since.filter(|since| since.seq <= seq)?;
        let begin = self.events.partition_point(|event| event.place.seq <= seq);
        Some(self.events.iter().skip(begin).take(limit).cloned().collect())
    }

    /// Names those that the database does not have, one line for each: `ended` is what it ended.
    pub(super) async fn alarm(&self, conn: &mut Conn) -> Result<(), StoreError> {
        let there = self.count_there(conn).await?;
        let missing = self.events.len() - there;
        // Of what is before them only the seal of the last one is known.
        let and_more = match self.since {
            Some(place) if there == 0 => !has(conn, place).await?,
            _ => false,
        };
        let unnamed = missing.saturating_sub(NAMED);
        tracing::error!(
            missing,
            unnamed,
            and_more,
            "the database has another history than this node has seen; what the missing events \
             ended lives again"
        );
        for event in self.events.iter().skip(there + unnamed) {
            let ended = ends(&event.action).then_some(event.target_id.as_str());
            tracing::error!(
                event.seq = event.place.seq.0,
                event.action,
                target.id = event.target_id,
                ended,
                "missing: {} {}",
                event.action,
                event.target_id
            );
        }
        Ok(())
    }

    /// How many of them are there: all up to one, since each seals those before it.
    async fn count_there(&self, conn: &mut Conn) -> Result<usize, StoreError> {
        let (mut there, mut end) = (0, self.events.len());
        while there < end {
            let middle = there.midpoint(end);
            match self.events.get(middle) {
                Some(event) if has(conn, event.place).await? => there = middle + 1,
                _ => end = middle,
            }
        }
        Ok(there)
    }
}

async fn has(conn: &mut Conn, place: FeedPlace) -> Result<bool, StoreError> {
    let before = Seq(place.seq.0.saturating_sub(1));
    let events = conn.list_events_after(before, 1).await?;
    Ok(events.first().is_some_and(|sealed| sealed.hash == place.hash))
}

/// Whether a key, token or user, or a secret of one, ended with it: what a restore ends once more.
fn ends(action: &str) -> bool {
    matches!(
        action.parse(),
        Ok(Action::ApiKeyDeleted
            | Action::ApiKeyDisabled
            | Action::ApiKeyRotated
            | Action::ApiKeyRotationFinished
            | Action::TokenDeleted
            | Action::TokenRotated
            | Action::TokenRotationFinished
            | Action::UserDeleted
            | Action::UserDisabled)
    )
}

/// How many events are kept: 200 bytes each.
const KEPT: usize = 10_000;
/// How many of them have a line.
const NAMED: usize = 1_000;

#[cfg(test)]
mod tests {
    use keystile_domain::ChainHash;

    use super::*;

    #[test]
    fn it_tells_what_is_behind_a_place_as_far_back_as_it_reaches() {
        let mut passed = Passed::since(place(3));
        assert_eq!(told(&passed, 3), Some(vec![]));
        passed.extend((4..=6).map(event).collect());
        assert_eq!(told(&passed, 2), None);
        assert_eq!(told(&passed, 3), Some(vec![4, 5]));
        assert_eq!(told(&passed, 5), Some(vec![6]));
        assert_eq!(told(&passed, 9), Some(vec![]));

        let many = 7 + i64::try_from(KEPT).unwrap();
        passed.extend((7..many).map(event).collect());
        assert_eq!(told(&passed, 5), None);
        assert_eq!(told(&passed, 6), Some(vec![7, 8]));
    }

    #[test]
    fn it_tells_nothing_before_it_knows_where_it_begins() {
        assert_eq!(told(&Passed::default(), 0), None);
    }

    fn told(passed: &Passed, seq: i64) -> Option<Vec<i64>> {
        let events = passed.after(Seq(seq), 2)?;
        Some(events.iter().map(|event| event.place.seq.0).collect())
    }

    fn event(seq: i64) -> FeedEvent {
        let [action, target_kind, target_id] =
            ["api_key.created", "api_key", "1"].map(String::from);
        FeedEvent { place: place(seq), action, target_kind, target_id }
    }

    fn place(seq: i64) -> FeedPlace {
        FeedPlace { seq: Seq(seq), hash: ChainHash::START }
    }
}
