//! Waiting for what happens a moment later.

use std::time::Duration;

use tokio::time::{sleep, timeout};

/// Asks again and again until it is so.
///
/// # Panics
/// If it is not so within half a minute, with what was waited for.
pub async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let asking = async {
        while !is_so().await {
            sleep(PAUSE).await;
        }
    };
    timeout(DEADLINE, asking).await.unwrap_or_else(|_| panic!("not in time: {what}"));
}

const DEADLINE: Duration = Duration::from_secs(30);
/// Short beside what is waited for, and long enough to leave the processor to it.
const PAUSE: Duration = Duration::from_millis(10);
