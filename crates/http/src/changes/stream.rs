//! An answer that goes on: each change as it comes, for as long as the caller may see it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Bytes;
use futures_util::future::ready;
use futures_util::stream::{once, unfold};
use futures_util::{Stream, StreamExt};
use keystile_domain::Seq;
use keystile_service::Caller;
use keystile_service::followers::{FeedEvent, FeedWatch, StreamSeat};
use tokio::time::{Instant, sleep_until};

use super::change;
use crate::state::State;

/// Somebody who follows.
struct Follower {
    state: Arc<State>,
    caller: Arc<Caller>,
    feed: FeedWatch,
    /// The last change that was sent.
    last: Seq,
    /// When the next may be sent.
    due: Instant,
    /// When something is sent all the same.
    quiet_until: Instant,
}

/// The events of server-sent events. It ends when the server drains, when nobody can say what has
/// changed, when what it told turns out not to have happened, and when the caller's credential ends:
/// whoever may comes back.
pub(super) fn stream(
    state: Arc<State>,
    caller: Arc<Caller>,
    seat: StreamSeat,
    after: Seq,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let (feed, health) = (state.keystile.watch_feed(), state.health.clone());
    let due = Instant::now();
    let follower = Follower { state, caller, feed, last: after, due, quiet_until: due + QUIET };
    let hello = once(ready(Ok(Bytes::from_static(HELLO.as_bytes()))));
    hello.chain(unfold((follower, seat), move |(mut follower, seat)| {
        let health = health.clone();
        async move {
            let next = tokio::select! {
                biased;
                () = health.drained() => None,
                () = seat.forked() => None,
                next = follower.next() => next,
            };
            Some((Ok(next?), (follower, seat)))
        }
    }))
}

impl Follower {
    /// What is sent next; `None`: nothing any more.
    async fn next(&mut self) -> Option<Bytes> {
        sleep_until(self.due).await;
        loop {
            self.feed.mark_seen();
            let changes = self.state.keystile.next_changes(self.last).await.ok()?;
            if let Some(last) = changes.last() {
                self.last = last.place.seq;
                self.due = Instant::now() + GATHERED;
                return self.send(changes.iter().map(event).collect::<String>().into()).await;
            }
            tokio::select! {
                biased;
                () = sleep_until(self.quiet_until) => {
                    return self.send(Bytes::from_static(HEARTBEAT.as_bytes())).await;
                }
                () = self.feed.advanced() => {}
            }
        }
    }

    /// Sends it if the caller's credential has not ended since the last time.
    async fn send(&mut self, told: Bytes) -> Option<Bytes> {
        self.quiet_until = Instant::now() + QUIET;
        self.state.keystile.still_admits(&self.caller).await.then_some(told)
    }
}

fn event(event: &FeedEvent) -> String {
    let change = change(event);
    let data = serde_json::to_string(&change).unwrap_or_default();
    format!("id: {}\ndata: {data}\n\n", change.seq)
}

/// Tells at once that the stream has begun, and when to come back after its end.
const HELLO: &str = "retry: 1000\n\n";
/// A comment, which keeps the connection alive and shows that it is.
const HEARTBEAT: &str = ":\n\n";
/// How long changes are gathered before more of them are sent: many streams of many changes would
/// take all the time that there is. After a while without changes, the first is sent at once.
const GATHERED: Duration = Duration::from_millis(10);
/// How long nothing is sent.
const QUIET: Duration = Duration::from_secs(10);
