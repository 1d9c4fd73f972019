//! Limits in time, counted across nodes: in a Redis, by a script, in one round trip.
//!
//! No check waits for a Redis that does not answer, but those that were the first to find out. Until
//! it answers again, which is tried every second, each node counts for itself.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use keystile_domain::{Cost, RateLimits};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisResult, Script};
use uuid::Uuid;

use super::standing::Taking;

/// Where a Redis or Valkey is: `redis://`, `rediss://` for TLS, or `redis+unix://`.
#[derive(Clone)]
pub struct RedisUrl(Client);

/// The text is no address of a Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedisUrlError {
    /// Its password is where it would be shown.
    #[error("must not have its password in the query")]
    Password,
    /// It is no URL, or that of something else.
    #[error("must be a URL such as redis://user:password@host:6379/0, or rediss:// for TLS")]
    Url,
}

/// Counts in a Redis.
pub(crate) struct Redis(Arc<Link>);

struct Link {
    client: Client,
    script: Script,
    /// `None` while the Redis does not answer.
    connection: ArcSwapOption<MultiplexedConnection>,
}

impl Redis {
    /// Connects, or goes on trying to if that takes too long.
    pub(crate) async fn new(RedisUrl(client): RedisUrl) -> Self {
        let script = Script::new(include_str!("redis.lua"));
        let link = Arc::new(Link { client, script, connection: ArcSwapOption::empty() });
        match link.connect().await {
            Ok(()) => tracing::info!("limits are counted across nodes"),
            Err(error) => link.lost(&error),
        }
        Self(link)
    }

    /// Takes the cost of every limit or of none; `None`: nobody there to count.
    pub(crate) async fn take(
        &self,
        holder: Uuid,
        limits: &RateLimits,
        cost: Cost,
    ) -> Option<Taking> {
        let connection = self.0.connection.load_full()?;
        match self.0.run(&connection, holder, limits, cost).await {
            Ok(taking) => Some(taking),
            Err(error) => {
                // Not a newer one, which another check may have been given meanwhile.
                let present = self.0.connection.compare_and_swap(&connection, None);
                if present.as_ref().is_some_and(|present| Arc::ptr_eq(present, &connection)) {
                    self.0.lost(&error);
                }
                None
            }
        }
    }

    /// Whether it answers, as far as anybody knows.
    pub(crate) fn answers(&self) -> bool {
        self.0.connection.load().is_some()
    }
}

impl Link {
    async fn connect(&self) -> RedisResult<()> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(ANSWER));
        let mut connection =
            self.client.get_multiplexed_async_connection_with_config(&config).await?;
        // One that only reads, is full or wants a password would fail at the first check.
        let write = redis::cmd("SET").arg("keystile:alive").arg(1).arg("EX").arg(1).to_owned();
        write.exec_async(&mut connection).await?;
        self.connection.store(Some(Arc::new(connection)));
        Ok(())
    }

    fn lost(self: &Arc<Self>, error: &redis::RedisError) {
        tracing::warn!(cause = %error, "Redis does not answer: each node counts limits for itself");
        tokio::spawn(reconnect(Arc::downgrade(self)));
    }

    async fn run(
        &self,
        connection: &MultiplexedConnection,
        holder: Uuid,
        limits: &RateLimits,
        cost: Cost,
    ) -> RedisResult<Taking> {
        let mut call = self.script.prepare_invoke();
        call.arg(cost.value());
        for limit in limits {
            let (count, interval) = (limit.limit.value(), limit.interval().as_micros());
            // The braces keep the counters of one holder on one node of a Redis cluster. A limit
            // that is changed begins anew.
            call.key(format!("keystile:rate:{{{holder}}}:{}:{count}:{interval}", limit.name));
            call.arg(count).arg(u64::try_from(interval).unwrap_or(u64::MAX));
        }
        let mut connection = connection.clone();
        let (is_taken, ahead): (bool, Vec<u64>) = call.invoke_async(&mut connection).await?;
        Ok(Taking { is_taken, ahead: ahead.into_iter().map(Duration::from_micros).collect() })
    }
}

async fn reconnect(link: Weak<Link>) {
    loop {
        tokio::time::sleep(BETWEEN_TRIES).await;
        let Some(link) = link.upgrade() else { return };
        if link.connect().await.is_ok() {
            tracing::info!("Redis answers again: limits are counted across nodes");
            return;
        }
    }
}

impl FromStr for RedisUrl {
    type Err = RedisUrlError;

    fn from_str(text: &str) -> Result<Self, RedisUrlError> {
        let url = redis::parse_redis_url(text).ok_or(RedisUrlError::Url)?;
        if url.query_pairs().any(|(name, _)| name == "pass") {
            return Err(RedisUrlError::Password);
        }
        Client::open(url).map(Self).ok().ok_or(RedisUrlError::Url)
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisUrl(..)")
    }
}

const CONNECT: Duration = Duration::from_secs(1);
/// How long the first checks wait for a Redis that has stopped answering.
const ANSWER: Duration = Duration::from_millis(100);
const BETWEEN_TRIES: Duration = Duration::from_secs(1);
