//! Changes that share a commit: answered by it, and apart from each other until then.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use acceptance::{Database, on_each_database};
use keystile_domain::{ChainHash, Seq};
use keystile_storage::{Conflict, Ending, Store, StoreError, Tx};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::raw::on_raw;
use crate::samples::{draft, role};
use crate::stage::{Stage, chain, sealed};

on_each_database! {
    async fn a_change_is_answered_after_the_commit_that_holds_it(database: Database) {
        let stage = Stage::new(database).await;
        let group = Group::begin(&stage.store).await;
        let held = group.add(|tx| note(tx, "held")).await;
        let (working, is_working) = oneshot::channel();
        let (hold, is_released) = oneshot::channel();
        let last = group.add(async move |tx| {
            working.send(()).unwrap();
            is_released.await.unwrap();
            note(tx, "last").await
        });
        let last = last.await;
        let first = group.release();
        is_working.await.unwrap();
        let mut conn = stage.store.read().await.unwrap();
        assert_eq!(conn.head().await.unwrap().0, Seq(0), "others see what is not committed");
        drop(conn);
        assert!(!first.is_finished() && !held.is_finished());
        hold.send(()).unwrap();
        for change in [first, held, last] {
            change.await.unwrap().unwrap();
        }
        assert_eq!(noted(&stage, ["first", "held", "last"]).await, [true; 3]);
        assert_eq!(places(&stage).await, 3);
    }

    async fn a_change_reads_what_those_before_it_have_done(database: Database) {
        let stage = Stage::new(database).await;
        let group = Group::begin(&stage.store).await;
        let second = group.add(async |mut tx: Tx| {
            assert_eq!(tx.find_meta("first").await.unwrap().as_deref(), Some("noted"));
            assert_eq!(tx.seq(), Seq(2));
            note(tx, "second").await
        });
        let second = second.await;
        group.release().await.unwrap().unwrap();
        second.await.unwrap().unwrap();
        assert_eq!(places(&stage).await, 2);
    }

    async fn a_change_that_fails_fails_alone(database: Database) {
        let stage = Stage::furnished(database).await;
        let before = places(&stage).await;
        let group = Group::begin(&stage.store).await;
        let refused = group.add(async |mut tx: Tx| {
            tx.set_meta("refused", "noted").await.unwrap();
            let twice = tx.insert_role(&role("administrator", &[])).await;
            (tx, twice.map(|_| Ending::Leave(())))
        });
        let refused = refused.await;
        let left = group.add(async |mut tx: Tx| {
            let left = tx.set_meta("left", "noted").await;
            (tx, left.map(Ending::Leave))
        });
        let left = left.await;
        let silent = group.add(async |mut tx: Tx| {
            let silent = tx.set_meta("silent", "noted").await;
            (tx, silent.map(|()| Ending::Keep((), Vec::new())))
        });
        let silent = silent.await;
        let kept = group.add(|tx| note(tx, "kept")).await;
        group.release().await.unwrap().unwrap();
        let refused = refused.await.unwrap();
        assert!(matches!(refused, Err(StoreError::Conflict(Conflict::RoleName))), "{refused:?}");
        left.await.unwrap().unwrap();
        assert!(matches!(silent.await.unwrap(), Err(StoreError::Unaudited)));
        kept.await.unwrap().unwrap();
        let names = ["first", "refused", "left", "silent", "kept"];
        assert_eq!(noted(&stage, names).await, [true, false, false, false, true]);
        assert_eq!(places(&stage).await, before + 2);
    }

    async fn a_lost_transaction_fails_all_that_share_it_and_nobody_else(database: Database) {
        let stage = Stage::new(database).await;
        on_raw(&stage, |raw| raw.execute_each(FATAL)).await;
        let group = Group::begin(&stage.store).await;
        let other = group.add(|tx| note(tx, "other")).await;
        let fatal = group.add(|tx| note(tx, "fatal")).await;
        for change in [group.release(), other, fatal] {
            let failed = change.await.unwrap();
            assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{failed:?}");
        }
        assert_eq!(noted(&stage, ["first", "other", "fatal"]).await, [false; 3]);
        stage.store.change(|tx| note(tx, "next")).await.unwrap();
        assert_eq!(places(&stage).await, 1);
    }

    async fn a_change_that_panics_holds_nobody_up(database: Database) {
        let stage = Stage::new(database).await;
        let group = Group::begin(&stage.store).await;
        let panics = group.add(async |_: Tx| panic!("a defect")).await;
        let after = group.add(|tx| note(tx, "after")).await;
        for change in [group.release(), panics] {
            assert!(matches!(change.await.unwrap(), Err(StoreError::Unavailable(_))));
        }
        after.await.unwrap().unwrap();
        assert_eq!(noted(&stage, ["first", "after"]).await, [false, true]);
        assert_eq!(places(&stage).await, 1);
    }

    async fn a_change_whose_turn_does_not_come_is_busy_and_never_made(database: Database) {
        let stage = Stage::new(database).await;
        let hasty = stage.another(2, Duration::from_millis(200));
        let group = Group::begin(&hasty).await;
        let late: Result<(), _> = hasty.change(|tx| note(tx, "late")).await;
        assert!(matches!(late, Err(StoreError::Busy)), "{late:?}");
        group.release().await.unwrap().unwrap();
        hasty.change(|tx| note(tx, "next")).await.unwrap();
        assert_eq!(noted(&stage, ["first", "late", "next"]).await, [true, false, true]);
    }

    async fn a_change_that_nobody_waits_for_any_more_is_made_all_the_same(database: Database) {
        let stage = Stage::new(database).await;
        let group = Group::begin(&stage.store).await;
        let forgotten = group.add(|tx| note(tx, "forgotten")).await;
        forgotten.abort();
        assert!(forgotten.await.unwrap_err().is_cancelled());
        group.release().await.unwrap().unwrap();
        assert_eq!(noted(&stage, ["first", "forgotten"]).await, [true; 2]);
    }
}

/// Changes that wait for their turn behind one that holds it.
struct Group<'s> {
    store: &'s Store,
    release: oneshot::Sender<()>,
    first: JoinHandle<Result<(), StoreError>>,
}

impl<'s> Group<'s> {
    async fn begin(store: &'s Store) -> Self {
        let (has_turn, begun) = oneshot::channel();
        let (release, is_released) = oneshot::channel();
        let first = ask(store, async move |tx| {
            has_turn.send(()).unwrap();
            is_released.await.unwrap();
            note(tx, "first").await
        });
        let first = first.await;
        begun.await.unwrap();
        Self { store, release, first }
    }

    async fn add<F>(
        &self,
        work: impl FnOnce(Tx) -> F + Send + 'static,
    ) -> JoinHandle<Result<(), StoreError>>
    where
        F: Future<Output = Worked> + Send + 'static,
    {
        ask(self.store, work).await
    }

    fn release(self) -> JoinHandle<Result<(), StoreError>> {
        self.release.send(()).unwrap();
        self.first
    }
}

type Worked = (Tx, Result<Ending<()>, StoreError>);

/// Asks for a change, which has its place in line when this returns.
async fn ask<F>(
    store: &Store,
    work: impl FnOnce(Tx) -> F + Send + 'static,
) -> JoinHandle<Result<(), StoreError>>
where
    F: Future<Output = Worked> + Send + 'static,
{
    let store = store.clone();
    let mut asked = Box::pin(async move { store.change(work).await });
    let waits = poll_fn(|cx| Poll::Ready(asked.as_mut().poll(cx).is_pending())).await;
    assert!(waits, "nobody is answered at once");
    tokio::spawn(asked)
}

/// Writes a name, and keeps it with one event.
async fn note(mut tx: Tx, name: &str) -> Worked {
    let noted = tx.set_meta(name, "noted").await;
    let events = sealed(tx.seq(), tx.previous(), [draft()]);
    (tx, noted.map(|()| Ending::Keep((), events)))
}

/// Which of the names were written.
async fn noted<const N: usize>(stage: &Stage, names: [&str; N]) -> [bool; N] {
    let mut conn = stage.store.read().await.unwrap();
    let mut noted = [false; N];
    for (name, noted) in names.into_iter().zip(&mut noted) {
        *noted = conn.find_meta(name).await.unwrap().is_some();
    }
    noted
}

/// How many events there are, in an unbroken chain without gaps.
async fn places(stage: &Stage) -> i64 {
    let mut conn = stage.store.read().await.unwrap();
    let mut end = (Seq(0), ChainHash::START);
    for sealed in conn.list_events_after(Seq(0), 100).await.unwrap() {
        chain().check(&sealed, end.1).unwrap();
        assert_eq!(sealed.event.seq, end.0.next());
        end = (sealed.event.seq, sealed.hash);
    }
    assert_eq!(conn.head().await.unwrap(), end);
    end.0.0
}

/// Ends the whole transaction of whoever writes the name: SQLite does so when its disk is full,
/// PostgreSQL with the connection.
const FATAL: [&str; 2] = [
    "CREATE TRIGGER fatal BEFORE INSERT ON meta WHEN NEW.name = 'fatal'
     BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END",
    "DO $do$ BEGIN
        CREATE FUNCTION fatal() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END';
        CREATE TRIGGER fatal BEFORE INSERT ON meta FOR EACH ROW WHEN (NEW.name = 'fatal')
            EXECUTE FUNCTION fatal();
     END $do$",
];
