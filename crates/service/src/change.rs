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
    Action, Actor, ChainHash, ChainKey, Credential, Effect, Event, EventDraft, EventId, Expiry,
    Power, Reason, RoleId, SealedEvent, Seq, Target, Timestamp, Version,
};
use keystile_storage::{Ending, Store, Tx};
use serde_json::Value;
use tracing::Instrument;

use crate::caller::require;
use crate::cluster::{self, News};
use crate::keys::Keys;
use crate::limits::Quotas;
use crate::spans::span;
use crate::usage::NotedRights;
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
    pub(crate) rights: NotedRights,
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
    /// Where this node tells itself of what it changes.
    news: News,
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
    Leave(T),
}

/// What became of a change, with what is to be told of it.
type Ended<T> = Result<Ending<(T, Option<Told>)>, ServiceError>;

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
        let (caller, quotas) = (caller.clone(), self.quotas.clone());
        self.make(move |scope| {
            Box::pin(async move {
                scope.quotas = quotas;
                scope.attempt(&caller, power, options, work).await
            })
        })
        .await
    }

    /// Makes a change that nobody asked for with a credential: Keystile itself acts.
    pub(crate) async fn change_unasked<T: Send + 'static>(
        &self,
        origin: Option<Origin>,
        work: impl Work<T>,
    ) -> Result<T, ServiceError> {
        self.make(move |scope| {
            Box::pin(async move {
                scope.origin = origin;
                work(scope).await.map(Attempt::Keep)
            })
        })
        .await
    }

    async fn make<T: Send + 'static>(
        &self,
        work: impl Work<Attempt<T>>,
    ) -> Result<T, ServiceError> {
        let (store, keys, clock) = (self.store.clone(), self.keys.clone(), Arc::clone(&self.clock));
        let news = self.cluster.news.clone();
        let making = async move {
            let telling = news.clone();
            let change = move |tx| async move {
                let mut scope = Scope::continuing(tx, keys, clock.now());
                scope.news = news;
                let attempt = scope.run(work).await;
                scope.end(attempt)
            };
            let (value, told) = store.change(change).await?;
            if let Some(told) = told {
                told.tell(&telling);
            }
            Ok(value)
        };
        let task = tokio::spawn(making.instrument(span!("make a change")));
        task.await.map_err(ServiceError::Vanished)?
    }
}

impl Scope {
    /// Takes the head of the log for a change by itself, with nobody's rights yet.
    pub(crate) async fn begin(
        store: &Store,
        keys: Keys,
        clock: &dyn Clock,
    ) -> Result<Self, ServiceError> {
        let mut scope = Self::continuing(store.begin().await?, keys, clock.now());
        scope.learn_peppers().await?;
        Ok(scope)
    }

    /// Continues a transaction that has the head.
    pub(crate) fn continuing(tx: Tx, keys: Keys, now: Timestamp) -> Self {
        let (seq, previous) = (tx.seq(), tx.previous());
        Self {
            tx,
            keys,
            rights: NotedRights::default(),
            caller: None,
            caller_end: Expiry::Never,
            by_old_secret: false,
            caller_roles: BTreeSet::new(),
            actor: Actor::System,
            now,
            quotas: Quotas::default(),
            news: News::default(),
            origin: None,
            seq,
            previous,
            events: Vec::new(),
        }
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
        let salts = random::salts()?;
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
        let told = Told::of(&self.events);
        self.news.raise(&self.events);
        self.tx.commit(self.events).await?;
        told.iter().for_each(|told| told.tell(&self.news));
        Ok(())
    }

    /// Gives the transaction back with how the change ends, and with what is to be told when it
    /// lasts; without an event nothing was changed, so nothing is kept.
    fn end<T>(self, attempt: Result<Attempt<T>, ServiceError>) -> (Tx, Ended<T>) {
        let ending = attempt.map(|attempt| match (attempt, Told::of(&self.events)) {
            (Attempt::Keep(value), Some(told)) => {
                self.news.raise(&self.events);
                Ending::Keep((value, Some(told)), self.events)
            }
            (Attempt::Keep(value) | Attempt::Leave(value), _) => Ending::Leave((value, None)),
        });
        (self.tx, ending)
    }

    async fn run<T: Send + 'static>(&mut self, work: impl Work<T>) -> Result<T, ServiceError> {
        self.learn_peppers().await?;
        work(self).await
    }

    async fn learn_peppers(&mut self) -> Result<(), ServiceError> {
        if self.tx.pepper() != self.keys.peppers().number() {
            self.keys.learn_peppers(&mut self.tx).await?;
        }
        Ok(())
    }

    /// Everything of a change but its end.
    async fn attempt<T: Send + 'static>(
        &mut self,
        caller: &Caller,
        power: Option<Power>,
        options: Options<T>,
        work: impl Work<T>,
    ) -> Result<Attempt<Changed<T>>, ServiceError> {
        let credential = caller.renewed(&mut self.tx, &self.keys, self.now).await?;
        if let Some(power) = power {
            require(&credential.rights, power)?;
            caller.notes().power(power);
        }
        self.rights = NotedRights::new(Arc::clone(&credential.rights), caller.notes().clone());
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
        Ok(Attempt::Keep(Changed::Done(value)))
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

/// What is told of a change that was made: to this node's own memory, to whoever follows the feed,
/// and in one line of the log, however many events there are.
struct Told {
    first: Event,
    others: usize,
    effects: Vec<Effect>,
}

impl Told {
    fn of(events: &[SealedEvent]) -> Option<Self> {
        let (first, others) = events.split_first()?;
        let effects = cluster::effects(events).collect();
        Some(Self { first: first.event.clone(), others: others.len(), effects })
    }

    fn tell(&self, news: &News) {
        news.is_made(&self.effects);
        self.log();
    }

    fn log(&self) {
        let (event, draft) = (&self.first, &self.first.draft);
        let actor = match &draft.actor {
            Actor::System => "system".to_owned(),
            Actor::Principal { principal, .. } => principal.id.to_string(),
        };
        let others = match self.others {
            0 => String::new(),
            others => format!(" and {others} more"),
        };
        tracing::info!(
            event.seq = event.seq.0,
            event.others = self.others,
            event.action = draft.action.as_str(),
            target.kind = draft.target.kind.as_str(),
            target.id = draft.target.id,
            actor,
            request.id = draft.request_id.as_ref().map_or("", |id| id.as_str()),
            "{} {}{others}",
            draft.action,
            draft.target.id,
        );
    }
}
