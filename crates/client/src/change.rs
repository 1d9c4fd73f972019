//! How a change is to be made, and what is told of it beside its outcome.

use std::ops::{Deref, DerefMut};

use keystile_api::verifiers::Revocation;

/// How a change is to be made. The default makes it, and waits for this server alone.
///
/// ```
/// use keystile_client::Change;
///
/// let rehearsal = Change::new().dry_run(true).reason("the project is over");
/// assert!(rehearsal.dry_run);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// Whether everything is checked and nothing changed: the answer has what would be.
    pub dry_run: bool,
    /// Whether the answer comes only when the change is in force at every verifier, which takes as
    /// long as their lease at most; the answer then says so.
    pub wait_for_cluster: bool,
    /// Changes the thing only if it still has this version: otherwise the server answers
    /// `precondition_failed`. Looked at where something that exists is changed, deleted or rotated.
    pub if_match: Option<String>,
    /// Names a create or a rotation, so that the same request answers the same for 24 hours however
    /// often it is sent. Each has a name of its own unless this gives one.
    pub idempotency_key: Option<String>,
    /// Why: kept in the audit log. Only deletions take one; the server refuses it elsewhere.
    pub reason: Option<String>,
}

impl Change {
    /// A change that is made.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, only tried.
    #[must_use]
    pub fn dry_run(self, dry_run: bool) -> Self {
        Self { dry_run, ..self }
    }

    /// The same, answered when it is in force everywhere.
    #[must_use]
    pub fn wait_for_cluster(self, wait_for_cluster: bool) -> Self {
        Self { wait_for_cluster, ..self }
    }

    /// The same, if the thing still has the version that [`Answer::version`] told.
    #[must_use]
    pub fn if_match(self, version: impl Into<String>) -> Self {
        Self { if_match: Some(version.into()), ..self }
    }

    /// The same, under a name of the caller's: 1 to 255 visible ASCII characters.
    #[must_use]
    pub fn idempotency_key(self, key: impl Into<String>) -> Self {
        Self { idempotency_key: Some(key.into()), ..self }
    }

    /// The same, with a reason.
    #[must_use]
    pub fn reason(self, reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..self }
    }
}

/// A thing that the server shows or has changed, and what it tells beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer<T> {
    /// The thing.
    pub value: T,
    /// Its version (`ETag`), for [`Change::if_match`]; `None` where it has none.
    pub version: Option<String>,
    /// Since when the change is in force everywhere, if that was waited for.
    pub revocation: Option<Revocation>,
    /// Whether this is the answer to an earlier request with the same idempotency key.
    pub replayed: bool,
    /// What the server calls the request.
    pub request_id: Option<String>,
}

impl<T> Answer<T> {
    /// The thing alone.
    pub fn into_inner(self) -> T {
        self.value
    }

    pub(crate) fn map<U>(self, make: impl FnOnce(T) -> U) -> Answer<U> {
        let Self { value, version, revocation, replayed, request_id } = self;
        Answer { value: make(value), version, revocation, replayed, request_id }
    }
}

impl<T> Deref for Answer<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Answer<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}
