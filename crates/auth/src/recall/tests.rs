use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::AtomicUsize;
use std::task::Poll;
use std::time::Duration;

use keystile_domain::{Effect, Touches};
use tokio::sync::oneshot;

use super::*;

/// A fact that depends on one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key(&'static str);

impl Remember for Key {
    fn subjects(&self) -> Vec<Subject> {
        vec![Subject::named(self.0)]
    }

    fn bytes(&self) -> usize {
        64
    }
}

type TestRecall = Recall<Key, &'static str>;

const FINGERPRINT: Fingerprint = Fingerprint::from_bytes([7; 32]);

fn leased() -> Trust {
    let trust = Trust::default();
    trust.extend(Duration::from_secs(10));
    trust
}

fn change(trust: &Trust, seq: i64, name: &str) {
    trust.raise([Effect { seq: Seq(seq), touches: Touches::One(Subject::named(name)) }]);
}

fn read(value: Option<Key>) -> Told<Key> {
    Told { value, holds_at: None }
}

/// Asks for a fact that a store would tell so; says what is found, and whether the store was asked.
async fn ask(
    recall: &TestRecall,
    trust: &Trust,
    told: Told<Key>,
) -> (Result<Option<Key>, Unread<&'static str>>, bool) {
    let deciding = trust.begin(Duration::ZERO);
    let asked = AtomicUsize::new(0);
    let found = recall.find(trust, &deciding, &FINGERPRINT, || {
        asked.fetch_add(1, Ordering::SeqCst);
        async { Ok(told) }
    });
    let found = found.await;
    (found, asked.load(Ordering::SeqCst) > 0)
}

#[tokio::test]
async fn a_store_is_asked_once_and_then_not_again() {
    let (recall, trust) = (TestRecall::new(1 << 20), leased());
    let (found, asked) = ask(&recall, &trust, read(Some(Key("a")))).await;
    assert_eq!((found.unwrap(), asked), (Some(Key("a")), true));
    let (found, asked) = ask(&recall, &trust, read(None)).await;
    assert_eq!((found.unwrap(), asked), (Some(Key("a")), false));
    assert_eq!((recall.recalled().hits, recall.recalled().misses), (1, 1));
}

#[tokio::test]
async fn what_is_unknown_is_remembered_until_a_secret_is_made() {
    let (recall, trust) = (TestRecall::new(1 << 20), leased());
    assert!(ask(&recall, &trust, read(None)).await.1);
    change(&trust, 1, "another");
    assert!(!ask(&recall, &trust, read(None)).await.1);
    let secret = Touches::Secrets(Subject::named("a"));
    trust.raise([Effect { seq: Seq(2), touches: secret }]);
    let (found, asked) = ask(&recall, &trust, read(Some(Key("a")))).await;
    assert_eq!((found.unwrap(), asked), (Some(Key("a")), true));
}

#[tokio::test]
async fn what_was_known_and_is_no_more_is_asked_for_once() {
    let (recall, trust) = (TestRecall::new(1 << 20), leased());
    ask(&recall, &trust, read(Some(Key("a")))).await.0.unwrap();
    change(&trust, 1, "a");
    trust.advance(Seq(1));
    assert!(ask(&recall, &trust, read(None)).await.1);
    let (found, asked) = ask(&recall, &trust, read(Some(Key("a")))).await;
    assert_eq!((found.unwrap(), asked), (None, false));
}

#[tokio::test]
async fn rule_3_a_change_of_this_node_counts_before_the_feed_has_told_of_it() {
    let (recall, trust) = (TestRecall::new(1 << 20), leased());
    ask(&recall, &trust, read(Some(Key("a")))).await.0.unwrap();
    change(&trust, 1, "a");
    assert!(ask(&recall, &trust, read(Some(Key("a")))).await.1);
    // The feed is not followed up to there yet, so what is read now may still be from before.
    assert!(ask(&recall, &trust, read(Some(Key("a")))).await.1);
}

#[tokio::test]
async fn rule_9_without_a_lease_everybody_reads_for_themselves() {
    let (recall, trust) = (TestRecall::new(1 << 20), Trust::default());
    assert!(ask(&recall, &trust, read(Some(Key("a")))).await.1);
    assert!(ask(&recall, &trust, read(Some(Key("a")))).await.1);

    let (deciding, asked) = (trust.begin(Duration::ZERO), AtomicUsize::new(0));
    let slow = || {
        asked.fetch_add(1, Ordering::SeqCst);
        std::future::pending()
    };
    let mut first = pin!(recall.find(&trust, &deciding, &FINGERPRINT, slow));
    let mut second = pin!(recall.find(&trust, &deciding, &FINGERPRINT, slow));
    poll_fn(|cx| {
        assert!(first.as_mut().poll(cx).is_pending() && second.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
    assert_eq!(asked.load(Ordering::SeqCst), 2, "nobody joined the other's read");
}

#[tokio::test]
async fn rule_11_an_answer_of_another_verifier_holds_up_to_the_place_that_it_says() {
    let (recall, trust) = (TestRecall::new(1 << 20), leased());
    change(&trust, 5, "a");
    trust.advance(Seq(5));
    let told = |seq| Told { value: Some(Key("a")), holds_at: Some(Seq(seq)) };
    let (found, _) = ask(&recall, &trust, told(4)).await;
    assert!(matches!(found, Err(Unread::Behind)), "it may not know of the change");
    assert!(ask(&recall, &trust, told(8)).await.0.is_ok());
    assert!(!ask(&recall, &trust, told(8)).await.1, "nothing has happened since");
    change(&trust, 8, "a");
    let (found, asked) = ask(&recall, &trust, told(8)).await;
    assert!(asked && found.is_err(), "it counts as learnt where this one was in the feed");
    trust.advance(Seq(8));
    assert!(ask(&recall, &trust, told(8)).await.0.is_ok());
}

#[tokio::test]
async fn rule_12_who_asks_at_the_same_time_shares_an_answer() {
    let (recall, trust) = (TestRecall::new(1 << 20), leased());
    let asked = AtomicUsize::new(0);
    let (answer, answered) = oneshot::channel();
    let mut answered = Some(answered);
    let first = trust.begin(Duration::ZERO);
    let mut first = pin!(recall.find(&trust, &first, &FINGERPRINT, || {
        asked.fetch_add(1, Ordering::SeqCst);
        let answered = answered.take().unwrap();
        async { Ok(answered.await.unwrap()) }
    }));
    let second = trust.begin(Duration::ZERO);
    let mut second = pin!(recall.find(&trust, &second, &FINGERPRINT, || {
        asked.fetch_add(1, Ordering::SeqCst);
        async { Err("asked twice") }
    }));
    let both_wait = poll_fn(|cx| {
        Poll::Ready(first.as_mut().poll(cx).is_pending() && second.as_mut().poll(cx).is_pending())
    });
    assert!(both_wait.await);
    answer.send(read(Some(Key("a")))).unwrap();
    assert_eq!(first.await.unwrap(), Some(Key("a")));
    assert_eq!(second.await.unwrap(), Some(Key("a")));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn rule_12_an_answer_from_before_a_change_is_not_shared_after_it() {
    let (recall, trust) = (TestRecall::new(1 << 20), leased());
    let (answer, answered) = oneshot::channel();
    let mut answered = Some(answered);
    let first = trust.begin(Duration::ZERO);
    let mut first = pin!(recall.find(&trust, &first, &FINGERPRINT, || {
        let answered = answered.take().unwrap();
        async { Ok(answered.await.unwrap()) }
    }));
    assert!(poll_fn(|cx| Poll::Ready(first.as_mut().poll(cx).is_pending())).await);

    change(&trust, 1, "a");
    let second = trust.begin(Duration::ZERO);
    let ask = || async { Ok(read(None)) };
    let mut second = pin!(recall.find(&trust, &second, &FINGERPRINT, ask));
    assert!(poll_fn(|cx| Poll::Ready(second.as_mut().poll(cx).is_pending())).await, "it joins");
    answer.send(read(Some(Key("a")))).unwrap();
    assert_eq!(first.await.unwrap(), Some(Key("a")), "that decision began before the change");
    assert_eq!(second.await.unwrap(), None, "and this one after it");
}

#[tokio::test]
async fn a_question_goes_on_when_whoever_put_it_has_left() {
    let (recall, trust) = (TestRecall::new(1 << 20), leased());
    let (answer, answered) = oneshot::channel();
    let deciding = trust.begin(Duration::ZERO);
    let ask = || async { Ok(answered.await.unwrap()) };
    let mut first = Box::pin(recall.find(&trust, &deciding, &FINGERPRINT, ask));
    let never = || async { Err("asked twice") };
    let mut second = pin!(recall.find(&trust, &deciding, &FINGERPRINT, never));
    let both_wait = poll_fn(|cx| {
        Poll::Ready(first.as_mut().poll(cx).is_pending() && second.as_mut().poll(cx).is_pending())
    });
    assert!(both_wait.await);
    drop(first);
    answer.send(read(Some(Key("a")))).unwrap();
    assert_eq!(second.await.unwrap(), Some(Key("a")));
}

#[tokio::test]
async fn rule_7_an_answer_of_the_other_history_is_not_believed() {
    let (recall, trust) = (TestRecall::new(1 << 20), leased());
    let (answer, answered) = oneshot::channel();
    let deciding = trust.begin(Duration::ZERO);
    let ask = || async { Ok(answered.await.unwrap()) };
    let mut flight = pin!(recall.find(&trust, &deciding, &FINGERPRINT, ask));
    assert!(poll_fn(|cx| Poll::Ready(flight.as_mut().poll(cx).is_pending())).await);
    trust.begin_anew(Seq(0));
    answer.send(read(Some(Key("a")))).unwrap();
    assert!(matches!(flight.await, Err(Unread::Behind)));
}

#[tokio::test]
async fn however_much_there_is_only_so_many_bytes_are_remembered() {
    let (recall, trust) = (TestRecall::new(1 << 20), leased());
    for number in 0..50_000_u32 {
        let mut fingerprint = [0; 32];
        fingerprint[..4].copy_from_slice(&number.to_le_bytes());
        let (known, unknown) = (Fingerprint::from_bytes(fingerprint), {
            fingerprint[31] = 1;
            Fingerprint::from_bytes(fingerprint)
        });
        let deciding = trust.begin(Duration::ZERO);
        let key = || async { Ok(read(Some(Key("a")))) };
        recall.find(&trust, &deciding, &known, key).await.unwrap();
        let nothing = || async { Ok(read(None)) };
        recall.find(&trust, &deciding, &unknown, nothing).await.unwrap();
    }
    let recalled = recall.recalled();
    // Each part of a table is rounded up.
    assert!(recalled.bytes <= (1 << 20) + (1 << 12), "{recalled:?}");
    assert!(recalled.entries > 1_000, "{recalled:?}");
}
