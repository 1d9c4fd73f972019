//! Up to where a verifier has settled the feed: it decides by nothing any more that was before.

use keystile_domain::Seq;

use super::{Settling, Trust};

/// Counts what was applied as settled once every decision that began before has ended.
#[derive(Debug)]
pub struct Settlement<'t> {
    trust: &'t Trust,
    settled: Seq,
    /// The decisions that must end first, and what is settled then.
    under_way: Option<(Settling<'t>, Seq)>,
}

impl<'t> Settlement<'t> {
    /// Nothing is settled yet.
    #[must_use]
    pub fn new(trust: &'t Trust) -> Self {
        Self { trust, settled: Seq(0), under_way: None }
    }

    /// Up to where the feed is settled, of which everything up to `applied` is applied.
    pub fn settle(&mut self, applied: Seq) -> Seq {
        self.look();
        if self.under_way.is_none() && self.settled < applied {
            self.under_way = Some((self.trust.settle(), applied));
            self.look();
        }
        self.settled
    }

    /// Whether decisions have to end before more is settled: it is worth asking again soon.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.under_way.is_some()
    }

    /// Of another history nothing is settled yet.
    pub fn begin_anew(&mut self) {
        self.settled = Seq(0);
        if let Some((_, seq)) = &mut self.under_way {
            *seq = Seq(0);
        }
    }

    fn look(&mut self) {
        if let Some((settling, seq)) = &self.under_way
            && settling.is_settled()
        {
            self.settled = *seq;
            self.under_way = None;
        }
    }
}
