//! The audit log: what can be asked of it.

use keystile_domain::{
    ChainError, ChainHash, ChainKey, EventFilter, EventSort, Listing, PageRequest, Power,
    SealedEvent, Seq,
};

use crate::{Caller, Keystile, ServiceError, StoreError};

/// What a walk along the sealed log found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainReport {
    /// How many events were read.
    pub checked: i64,
    /// Where the log ends: the place and the seal of its newest event.
    pub head: (Seq, ChainHash),
    /// The first event that is wrong, and why.
    pub broken: Option<(Seq, ChainBreak)>,
}

/// What is wrong with the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainBreak {
    /// An event is not what was sealed.
    #[error(transparent)]
    Event(#[from] ChainError),
    /// Events are missing.
    #[error("it is missing")]
    Missing,
    /// An event is no event any more.
    #[error("it cannot be read")]
    Unreadable,
}

impl Keystile {
    /// The events that match.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Lacking`] without `keystile.audit.read`.
    pub async fn list_audit_events(
        &self,
        caller: &Caller,
        filter: &EventFilter,
        page: &PageRequest<EventSort>,
    ) -> Result<Listing<SealedEvent>, ServiceError> {
        caller.require(Power::AuditRead)?;
        Ok(self.store.read().await?.list_events(filter, page).await?)
    }

    /// Walks the whole log and checks each seal.
    ///
    /// A log that was cut short at its end is whole in itself: compare `head` with one that you
    /// kept elsewhere.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] while another walk is under way; [`ServiceError::Lacking`] without
    /// `keystile.audit.read`.
    pub async fn verify_audit_events(&self, caller: &Caller) -> Result<ChainReport, ServiceError> {
        caller.require(Power::AuditRead)?;
        // A walk reads the whole log: one at a time, and none holds a connection between pages.
        let _turn = self.walks.try_acquire().or(Err(StoreError::Busy))?;
        let head = self.store.read().await?.head().await?;
        let mut last = (Seq(0), ChainHash::START);
        let mut report = ChainReport { checked: 0, head, broken: None };
        let mut page = PAGE;
        while last.0 < head.0 {
            let read = self.store.read().await?.list_events_after(last.0, page).await;
            let events = match read {
                // Which of them it is shows one by one.
                Err(StoreError::Corrupt(_)) if page > 1 => {
                    page = 1;
                    continue;
                }
                Err(StoreError::Corrupt(_)) => {
                    report.broken = Some((last.0.next(), ChainBreak::Unreadable));
                    return Ok(report);
                }
                events => events?,
            };
            if events.first().is_none_or(|sealed| sealed.event.seq > head.0) {
                report.broken = Some((last.0.next(), ChainBreak::Missing));
                return Ok(report);
            }
            for sealed in events.into_iter().take_while(|sealed| sealed.event.seq <= head.0) {
                report.checked += 1;
                if let Err(broken) = follows(&self.keys.chain, &sealed, last) {
                    report.broken = Some(broken);
                    return Ok(report);
                }
                last = (sealed.event.seq, sealed.hash);
            }
        }
        if last != head {
            report.broken = Some((head.0, ChainBreak::Event(ChainError::Link)));
        }
        Ok(report)
    }
}

/// Whether an event is what was sealed, and follows the one before.
pub(crate) fn follows(
    chain: &ChainKey,
    sealed: &SealedEvent,
    last: (Seq, ChainHash),
) -> Result<(), (Seq, ChainBreak)> {
    let expected = last.0.next();
    if sealed.event.seq != expected {
        return Err((expected, ChainBreak::Missing));
    }
    chain.check(sealed, last.1).map_err(|error| (sealed.event.seq, ChainBreak::Event(error)))
}

/// How many events are read at a time.
const PAGE: i64 = 500;
