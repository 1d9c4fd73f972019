//! The only way to change anything.
//!
//! A change takes the head of the audit log first, so changes happen one after the other and each
//! reads what the one before it left. Then it judges its caller once more, does its work, and
//! writes rows and events in one transaction. All of that runs in a task of its own: a client that
//! hangs up half-way does not stop what must follow a commit.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use keystile_auth::Clock;
use keystile_domain::{
    Action, Actor, ChainHash, ChainKey, Credential, Event, EventDraft, EventId, Expiry, Power,
    Reason, Rights, RoleId, SealedEvent, Seq, Target, Timestamp, Version,
};
use keystile_storage::{Store, Tx};
use serde_json::Value;

use crate::caller::require;
use crate::keys::Keys;
use crate::limits::Quotas;
use crate::{Caller, Keystile, Origin, Replay, ServiceError, random};

/// How a change is to be made.
#[derive(Debug)]
pub struct Options<T> {
    /// Whether everything is checked and nothing is kept.
    pub dry_run: bool,
    /// How a repeated request finds the answer to the first one.
    pub replay: Option<Replay<T>>,
}

/// What became of a change.
#[derive(Debug)]
pub enum Changed<T> {
    /// It was made.
    Done(T),
    /// It could be made; nothing was.
    DryRun(T),
    /// It was made before: the answer of that time.
    Replayed(Vec<u8>),
}

/// A change under way: the transaction, who asks, and what the log will say.
pub(crate) struct Scope {
    pub(crate) tx: Tx,
    pub(crate) keys: Keys,
    /// What the caller may do, at this moment of the log.
    pub(crate) rights: Rights,
    /// The caller's credential, at this moment of the log; `None`: Keystile itself acts.
    pub(crate) caller: Option<Arc<Credential>>,
    /// When the secret that the caller showed ends, by itself or with its credential: what it makes
    /// must not live longer. Whoever signed in does not end.
    pub(crate) caller_end: Expiry,
    /// Whether the caller showed the old secret of a rotated key.
    pub(crate) by_old_secret: bool,
    /// The roles that the caller holds.
    pub(crate) caller_roles: BTreeSet<RoleId>,
    pub(crate) actor: Actor,
    pub(crate) now: Timestamp,
    /// What this node holds of quotas: to tell how much is left of one.
    pub(crate) quotas: Quotas,
    origin: Option<Origin>,
    seq: Seq,
    previous: ChainHash,
    events: Vec<SealedEvent>,
}

/// How a change went, before its end.
enum Attempt<T> {
    /// What was done is to be kept.
    Keep(T),
    /// Nothing is to be kept.
    Leave(Changed<T>),
}

/// The work of a change.
pub(crate) trait Work<T>:
    for<'s> FnOnce(&'s mut Scope) -> BoxFuture<'s, Result<T, ServiceError>> + Send + 'static
{
}

impl<T, F> Work<T> for F where
    F: for<'s> FnOnce(&'s mut Scope) -> BoxFuture<'s, Result<T, ServiceError>> + Send + 'static
{
}

impl<T> Default for Options<T> {
    fn default() -> Self {
        Self { dry_run: false, replay: None }
    }
}

impl Keystile {
    /// Makes a change on behalf of a caller who needs `power` for it; with `None`, the work itself
    /// judges whether the caller may. Nobody changes anything with a ticket.
    pub(crate) async fn change<T: Send + 'static>(
        &self,
        caller: &Caller,
        power: impl Into<Option<Power>>,
        options: Options<T>,
        work: impl Work<T>,
    ) -> Result<Changed<T>, ServiceError> {
        caller.may_change()?;
        let power = power.into();
        let (store, keys, clock) = (self.store.clone(), self.keys.clone(), Arc::clone(&self.clock));
        let (caller, quotas) = (caller.clone(), self.quotas.clone());
        let task = tokio::spawn(async move {
            let mut scope = Scope::begin(&store, keys, &*clock).await?;
            scope.quotas = quotas;
            match scope.attempt(&caller, power, options, work).await {
                Ok(Attempt::Keep(value)) => {
                    scope.commit().await?;
                    Ok(Changed::Done(value))
                }
                Ok(Attempt::Leave(changed)) => {
                    scope.tx.rollback().await?;
                    Ok(changed)
                }
                Err(error) => {
                    // The error that ended the change is the one to tell. Without the rollback the
                    // connection would be lost; if it fails, it is.
                    let _ = scope.tx.rollback().await;
                    Err(error)
                }
            }
        });
        task.await.map_err(ServiceError::Vanished)?
    }

    /// Makes a change that nobody asked for with a credential: Keystile itself acts.
    pub(crate) async fn change_unasked<T: Send + 'static>(
        &self,
        origin: Option<Origin>,
        work: impl Work<T>,
    ) -> Result<T, ServiceError> {
        let (store, keys, clock) = (self.store.clone(), self.keys.clone(), Arc::clone(&self.clock));
        let task = tokio::spawn(async move {
            let mut scope = Scope::begin(&store, keys, &*clock).await?;
            scope.origin = origin;
            match work(&mut scope).await {
                Ok(value) => scope.commit().await.map(|()| value),
                Err(error) => {
                    // As above: the first error is the one to tell.
                    let _ = scope.tx.rollback().await;
                    Err(error)
                }
            }
        });
        task.await.map_err(ServiceError::Vanished)?
    }
}

impl Scope {
    /// Takes the head of the log, with nobody's rights yet.
    pub(crate) async fn begin(
        store: &Store,
        keys: Keys,
        clock: &dyn Clock,
    ) -> Result<Self, ServiceError> {
        let tx = store.begin().await?;
        let (seq, previous) = (tx.seq(), tx.previous());
        Ok(Self {
            tx,
            keys,
            rights: Rights::default(),
            caller: None,
            caller_end: Expiry::Never,
            by_old_secret: false,
            caller_roles: BTreeSet::new(),
            actor: Actor::System,
            now: clock.now(),
            quotas: Quotas::default(),
            origin: None,
            seq,
            previous,
            events: Vec::new(),
        })
    }

    /// Notes an event, to be written with the rows that it tells of.
    pub(crate) fn record(
        &mut self,
        action: Action,
        target: Target,
        states: (Option<Value>, Option<Value>),
        reason: Option<Reason>,
    ) -> Result<(), ServiceError> {
        let (before, after) = states;
        let draft = EventDraft {
            actor: self.actor.clone(),
            action,
            target,
            before,
            after,
            reason,
            address: self.origin.as_ref().map(|origin| origin.address),
            request_id: self.origin.as_ref().map(|origin| origin.request_id.clone()),
        };
        let id = random::id(EventId::new, self.now)?;
        let event = Event { seq: self.seq, id, at: self.now, draft };
        let salts = [random::bytes()?, random::bytes()?, random::bytes()?];
        let sealed = self.chain().seal(event, self.previous, salts);
        self.seq = self.seq.next();
        self.previous = sealed.hash;
        self.events.push(sealed);
        Ok(())
    }

    /// The place that the next event will have.
    pub(crate) fn seq(&self) -> Seq {
        self.seq
    }

    /// Writes rows and events; without an event nothing was changed, so nothing is written.
    pub(crate) async fn commit(self) -> Result<(), ServiceError> {
        if self.events.is_empty() {
            return Ok(self.tx.rollback().await?);
        }
        let told: Vec<_> = self.events.iter().map(|sealed| sealed.event.clone()).collect();
        self.tx.commit(self.events).await?;
        told.iter().for_each(tell);
        Ok(())
    }

    /// Everything of a change but its end.
    async fn attempt<T: Send + 'static>(
        &mut self,
        caller: &Caller,
        power: Option<Power>,
        options: Options<T>,
        work: impl Work<T>,
    ) -> Result<Attempt<T>, ServiceError> {
        let credential = caller.renewed(&mut self.tx, &self.keys.pepper, self.now).await?;
        power.map_or(Ok(()), |power| require(&credential.rights, power))?;
        self.rights = credential.rights.clone();
        self.caller_end = if credential.signed_in { Expiry::Never } else { credential.end() };
        self.by_old_secret = credential.secret_expiry != Expiry::Never;
        self.caller_roles = credential.roles.iter().map(|role| role.id).collect();
        self.caller = Some(credential);
        self.actor = caller.actor();
        self.origin = Some(caller.origin().clone());
        let Options { dry_run, replay } = options;
        let replay = replay.filter(|_| !dry_run);
        if let Some(replay) = &replay
            && let Some(answer) = replay.find(self, caller).await?
        {
            return Ok(Attempt::Leave(Changed::Replayed(answer)));
        }
        let value = work(self).await?;
        if dry_run {
            return Ok(Attempt::Leave(Changed::DryRun(value)));
        }
        if let Some(replay) = &replay {
            let answer = (replay.render)(&value)?;
            replay.keep(self, caller, &answer).await?;
        }
        Ok(Attempt::Keep(value))
    }

    fn chain(&self) -> &ChainKey {
        &self.keys.chain
    }
}

/// Refuses to touch a thing that has another version than the caller expects.
pub(crate) fn expect_version(
    expected: Option<Version>,
    present: Version,
) -> Result<(), ServiceError> {
    match expected {
        Some(version) if version != present => Err(ServiceError::Outdated),
        _ => Ok(()),
    }
}

/// One line in the log for each change.
fn tell(event: &Event) {
    let draft = &event.draft;
    let actor = match &draft.actor {
        Actor::System => "system".to_owned(),
        Actor::Principal { principal, .. } => principal.id.to_string(),
    };
    tracing::info!(
        event.seq = event.seq.0,
        event.action = draft.action.as_str(),
        target.kind = draft.target.kind.as_str(),
        target.id = draft.target.id,
        actor,
        request.id = draft.request_id.as_ref().map_or("", |id| id.as_str()),
        "{} {}",
        draft.action,
        draft.target.id,
    );
}
