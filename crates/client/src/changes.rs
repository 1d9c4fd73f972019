//! The feed of changes: what was changed, for whoever remembers something of it.

mod events;

use std::time::Duration;

use futures_util::{Stream, stream};
use keystile_api::changes::{Change as Seen, Changes as Part};
use reqwest::header::{ACCEPT, HeaderName};
use serde::Serialize;
use tokio::time::sleep;

use self::events::Events;
use crate::{Client, Result, operations};

/// The feed of a server.
#[derive(Clone, Debug)]
pub struct Changes(pub(crate) Client);

#[derive(Serialize)]
struct Place {
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<i64>,
}

impl Changes {
    /// The changes behind a place: at most 500. Without one there are none, but the place at which
    /// the feed ends.
    pub async fn list(&self, after: Option<i64>) -> Result<Part> {
        self.0.call(operations::list_changes, &[]).query(&Place { after }).read().await
    }

    /// Follows the feed behind a place, or from now on, as it grows.
    ///
    /// When the connection breaks it is made again and goes on where it was; the stream ends only
    /// with an error that stays, such as a credential that has ended.
    pub fn follow(&self, after: Option<i64>) -> impl Stream<Item = Result<Seen>> + Send + use<> {
        let follower = Follower { changes: self.clone(), last: after, events: None };
        stream::try_unfold(follower, |mut follower| async move {
            let seen = follower.next().await?;
            Ok(Some((seen, follower)))
        })
    }
}

struct Follower {
    changes: Changes,
    /// The last change that was seen.
    last: Option<i64>,
    events: Option<Events>,
}

impl Follower {
    async fn next(&mut self) -> Result<Seen> {
        loop {
            match self.step().await {
                Ok(Some(seen)) => {
                    self.last = Some(seen.seq);
                    return Ok(seen);
                }
                Ok(None) => {}
                Err(error) if !error.may_pass() => return Err(error),
                Err(error) => sleep(error.retry_after().unwrap_or_default().max(PAUSE)).await,
            }
        }
    }

    /// The next change on the present connection; `None`: it has ended.
    async fn step(&mut self) -> Result<Option<Seen>> {
        if self.last.is_none() {
            // Nothing that happens while the connection is made shall be missed.
            self.last = Some(self.changes.list(None).await?.position);
        }
        let events = match &mut self.events {
            Some(events) => events,
            None => self.events.insert(self.changes.open(self.last).await?),
        };
        let next = events.next().await;
        if !matches!(next, Ok(Some(_))) {
            self.events = None;
        }
        next
    }
}

impl Changes {
    async fn open(&self, last: Option<i64>) -> Result<Events> {
        let call = self.0.call(operations::list_changes, &[]).header(ACCEPT, "text/event-stream");
        let call = match last {
            Some(last) => call.header(LAST_EVENT_ID, &last.to_string()),
            None => call,
        };
        Ok(Events::new(call.open().await?))
    }
}

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Between a connection that broke and the next.
const PAUSE: Duration = Duration::from_secs(1);
