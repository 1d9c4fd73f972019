//! The only place where a server computes password hashes: beside its worker threads, in turns,
//! and with the same work whether or not there is anything to compare with.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use argon2::password_hash::Error;
use keystile_domain::HashCost;
use tokio::task;

use super::hash::Hash;
use super::memory::Memory;
use super::queue::Queue;
use super::threads::Threads;
use super::{Password, PasswordRules, WeakPassword};

/// Hashes passwords and checks them against stored hashes.
///
/// At most on half of the cores at once, and no more than 4: that many times
/// [`HashCost::memory_kib`] is all the memory that sign-ins can take. Up to 64 more wait, for up to
/// 5 seconds. Whatever else there is to do goes first.
pub struct Hasher {
    work: Arc<Work>,
    queue: Queue,
    threads: Threads,
}

impl Default for Hasher {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let at_once = (cores / 2).clamp(1, MAX_AT_ONCE);
        Self {
            work: Arc::default(),
            queue: Queue::new(at_once, MAX_WAITING, PATIENCE),
            threads: Threads::new(at_once),
        }
    }
}

impl Hasher {
    /// The hash of a new password as a PHC string, if the rules find it strong enough; `context`
    /// as for [`PasswordRules::judge`].
    ///
    /// # Errors
    ///
    /// [`HashError::Weak`] if it is too weak, else as for [`hash`](Self::hash).
    pub async fn hash_new(
        &self,
        password: &Password,
        rules: PasswordRules,
        context: &[&str],
        cost: HashCost,
    ) -> Result<String, HashError> {
        let password = password.clone();
        let context: Vec<String> = context.iter().copied().map(String::from).collect();
        self.run(move |work, memory| {
            let context: Vec<&str> = context.iter().map(String::as_str).collect();
            rules.judge(&password, &context)?;
            work.hash(&password, cost, memory)
        })
        .await
    }

    /// The hash of a password as a PHC string, without a question about its strength: to keep one
    /// that was just verified at the present cost.
    ///
    /// # Errors
    ///
    /// [`HashError::Busy`] if too many wait; [`HashError::Failed`] if there is no memory or no
    /// random numbers.
    pub async fn hash(&self, password: &Password, cost: HashCost) -> Result<String, HashError> {
        let password = password.clone();
        self.run(move |work, memory| work.hash(&password, cost, memory)).await
    }

    /// Compares a password with a stored hash. Where there is none, or none that can be read, it
    /// does not match, after the same work at the present cost.
    ///
    /// # Errors
    ///
    /// [`HashError::Busy`] if too many wait; [`HashError::Failed`] if there is no memory.
    pub async fn verify(
        &self,
        password: &Password,
        stored: Option<&str>,
        cost: HashCost,
    ) -> Result<Verified, HashError> {
        let password = password.clone();
        let stored = stored.map(String::from);
        self.run(move |work, memory| work.verify(&password, stored.as_deref(), cost, memory)).await
    }

    /// How many hashes were computed to answer callers.
    #[must_use]
    pub fn computed(&self) -> u64 {
        self.work.computed.load(Ordering::Relaxed)
    }

    /// What it is at.
    #[must_use]
    pub fn hashing(&self) -> Hashing {
        let (running, waiting) = self.queue.length();
        Hashing { running, waiting, computed: self.computed() }
    }

    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Work, &mut Memory) -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let turn = self.queue.turn().await?;
        let work = Arc::clone(&self.work);
        // The turn goes along: the work goes on after a caller who hung up.
        let task = self.threads.spawn(move |memory| {
            let _turn = turn;
            job(&work, memory)
        });
        task.await.map_err(HashError::Vanished)?
    }
}

/// What a hasher is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hashing {
    /// How many hashes are being computed.
    pub running: usize,
    /// How many wait for their turn.
    pub waiting: usize,
    /// How many were computed since the start.
    pub computed: u64,
}

/// What comparing a password with a stored hash says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Verified {
    /// It is the password.
    pub matches: bool,
    /// It is, and its hash cost less than the present cost: hash it once more.
    pub rehash: bool,
}

/// Why no answer was computed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HashError {
    /// Too many passwords are being hashed. It may work in some seconds.
    #[error("too many passwords are being hashed")]
    Busy,
    /// There were no random numbers.
    #[error("no random numbers")]
    Entropy(#[from] getrandom::Error),
    /// There was no memory for it, or there were no random numbers.
    #[error("a password could not be hashed")]
    Failed(#[from] Error),
    /// The task that computed it ended without an answer.
    #[error("hashing a password ended without an answer")]
    Vanished(#[source] task::JoinError),
    /// The new password is too weak.
    #[error(transparent)]
    Weak(#[from] WeakPassword),
}

/// What every job needs.
#[derive(Default)]
struct Work {
    computed: AtomicU64,
}

impl Work {
    fn hash(
        &self,
        password: &Password,
        cost: HashCost,
        memory: &mut Memory,
    ) -> Result<String, HashError> {
        self.computed.fetch_add(1, Ordering::Relaxed);
        Ok(Hash::of(password, cost, memory)?.to_string())
    }

    fn verify(
        &self,
        password: &Password,
        stored: Option<&str>,
        cost: HashCost,
        memory: &mut Memory,
    ) -> Result<Verified, HashError> {
        let known = stored.and_then(Hash::read);
        if stored.is_some() && known.is_none() {
            tracing::error!("a stored password hash is damaged; it matches no password");
        }
        self.computed.fetch_add(1, Ordering::Relaxed);
        let is_known = known.is_some();
        let hash = known.map_or_else(|| Hash::of_nobody(cost), Ok)?;
        let matches = hash.is_of(password, memory)? && is_known;
        Ok(Verified { matches, rehash: matches && hash.is_weaker_than(cost) })
    }
}

const MAX_AT_ONCE: usize = 4;
const MAX_WAITING: usize = 64;
const PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests;
