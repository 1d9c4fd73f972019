//! Turns, work and answers; what a queue does by itself is tested beside it.

use std::pin::pin;
use std::sync::mpsc;
use std::task::{Context, Waker};

use super::super::hash_now;
use super::*;

fn password(text: &str) -> Password {
    text.parse().unwrap()
}

fn hasher() -> Hasher {
    Hasher::default()
}

fn cost() -> HashCost {
    HashCost::default()
}

#[tokio::test]
async fn a_password_matches_its_own_hash_alone() {
    let hasher = hasher();
    let hash = hasher.hash(&password("correct horse"), cost()).await.unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    let same = hasher.verify(&password("correct horse"), Some(&hash), cost()).await.unwrap();
    assert_eq!(same, Verified { matches: true, rehash: false });
    for other in ["correct hors", "correct horse ", "Correct horse"] {
        let other = hasher.verify(&password(other), Some(&hash), cost()).await.unwrap();
        assert_eq!(other, Verified { matches: false, rehash: false });
    }
}

#[tokio::test]
async fn a_password_matches_however_its_letters_are_composed() {
    let hasher = hasher();
    let hash = hasher.hash(&password("zw\u{f6}lf Boxk\u{e4}mpfer"), cost()).await.unwrap();
    let decomposed = password("zwo\u{308}lf\u{a0}Boxka\u{308}mpfer");
    assert!(hasher.verify(&decomposed, Some(&hash), cost()).await.unwrap().matches);
}

#[tokio::test]
async fn the_last_of_1024_bytes_counts() {
    let hasher = hasher();
    let long = "a".repeat(1023);
    let hash = hasher.hash(&password(&format!("{long}b")), cost()).await.unwrap();
    assert!(
        hasher.verify(&password(&format!("{long}b")), Some(&hash), cost()).await.unwrap().matches
    );
    assert!(
        !hasher.verify(&password(&format!("{long}c")), Some(&hash), cost()).await.unwrap().matches
    );
    assert!(!hasher.verify(&password(&"a".repeat(72)), Some(&hash), cost()).await.unwrap().matches);
}

#[tokio::test]
async fn no_two_hashes_of_a_password_are_alike() {
    let hasher = hasher();
    let one = hasher.hash(&password("correct horse"), cost()).await.unwrap();
    let other = hasher.hash(&password("correct horse"), cost()).await.unwrap();
    assert_ne!(one, other);
    assert_eq!(one.split('$').nth(4).unwrap().len(), 22, "16 bytes of salt in Base64");
}

#[tokio::test]
async fn a_hash_with_less_asks_for_a_new_one_once_the_password_matched() {
    let hasher = hasher();
    let old = hash_now(&password("correct horse"), cost()).unwrap();
    for (memory, iterations) in [(19_457, 2), (19_456, 3)] {
        let dear = HashCost::new(memory, iterations, 1).unwrap();
        let right = hasher.verify(&password("correct horse"), Some(&old), dear).await.unwrap();
        assert_eq!(right, Verified { matches: true, rehash: true }, "{dear:?}");
        let wrong = hasher.verify(&password("wrong horse"), Some(&old), dear).await.unwrap();
        assert_eq!(wrong, Verified { matches: false, rehash: false }, "{dear:?}");
        let new = hasher.hash(&password("correct horse"), dear).await.unwrap();
        let right = hasher.verify(&password("correct horse"), Some(&new), dear).await.unwrap();
        assert_eq!(right, Verified { matches: true, rehash: false }, "{dear:?}");
    }
}

#[tokio::test]
async fn a_hash_with_more_is_kept() {
    let dear = HashCost::new(19_457, 3, 1).unwrap();
    let hash = hash_now(&password("correct horse"), dear).unwrap();
    let verified = hasher().verify(&password("correct horse"), Some(&hash), cost()).await.unwrap();
    assert_eq!(verified, Verified { matches: true, rehash: false });
}

#[tokio::test]
async fn where_there_is_no_hash_or_a_damaged_one_the_same_work_is_done() {
    let hasher = hasher();
    let hash = hasher.hash(&password("correct horse"), cost()).await.unwrap();
    let dear = hash.replace("m=19456", "m=4294967295");
    let no_answer = hash.rsplit_once('$').unwrap().0;
    for stored in [Some(hash.as_str()), None, Some(""), Some(&dear), Some(no_answer)] {
        let before = hasher.computed();
        let verified = hasher.verify(&password("wrong horse"), stored, cost()).await.unwrap();
        assert_eq!(verified, Verified { matches: false, rehash: false }, "{stored:?}");
        assert_eq!(hasher.computed(), before + 1, "{stored:?}");
    }
}

#[tokio::test]
async fn a_weak_new_password_is_not_hashed() {
    let hasher = hasher();
    let rules = PasswordRules::default();
    let weak = hasher.hash_new(&password("alice-1234567890"), rules, &["alice"], cost()).await;
    assert!(matches!(weak, Err(HashError::Weak(WeakPassword::Context))));
    assert_eq!(hasher.computed(), 0);
    let strong = password("correct horse battery staple");
    let hash = hasher.hash_new(&strong, rules, &["alice"], cost()).await.unwrap();
    assert!(hasher.verify(&strong, Some(&hash), cost()).await.unwrap().matches);
}

#[tokio::test]
async fn a_full_hasher_says_so_and_computes_nothing() {
    let full = Hasher { queue: Queue::new(0, 0, PATIENCE), ..hasher() };
    let (known, rules) = (password("correct horse battery"), PasswordRules::default());
    assert!(matches!(full.verify(&known, None, cost()).await, Err(HashError::Busy)));
    assert!(matches!(full.hash(&known, cost()).await, Err(HashError::Busy)));
    assert!(matches!(full.hash_new(&known, rules, &[], cost()).await, Err(HashError::Busy)));
    assert_eq!(full.computed(), 0);
}

#[tokio::test]
async fn a_turn_ends_with_its_work() {
    let hasher = Hasher { queue: Queue::new(1, 0, PATIENCE), ..hasher() };
    for _ in 0..3 {
        assert!(!hasher.verify(&password("wrong horse"), None, cost()).await.unwrap().matches);
    }
}

#[tokio::test]
async fn a_caller_who_hangs_up_does_not_end_the_turn_of_work_that_goes_on() {
    let hasher = Hasher { queue: Queue::new(1, 0, PATIENCE), ..hasher() };
    let (begin, begun) = mpsc::channel();
    let (finish, finished) = mpsc::channel();
    {
        let mut caller = pin!(hasher.run(move |_, _| {
            begin.send(()).unwrap();
            Ok(finished.recv())
        }));
        assert!(caller.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    begun.recv().unwrap();
    let verified = hasher.verify(&password("correct horse"), None, cost()).await;
    assert!(matches!(verified, Err(HashError::Busy)));
    finish.send(()).unwrap();
}
