//! What must hold in every order, and that without the orders it does not.

use std::time::Duration;

use keystile_domain::Seq;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;
use ordering_model::{Learnt, Trust, change, forget_orders, is_good};

#[test]
fn rule_10_whoever_trusts_by_a_new_lease_sees_the_floors_that_were_raised_before_it() {
    loom::model(trusts_by_a_new_lease);
}

#[test]
#[should_panic(expected = "believed what had changed")]
fn rule_10_needs_the_orders() {
    forget_orders();
    loom::model(trusts_by_a_new_lease);
}

fn trusts_by_a_new_lease() {
    let trust = Arc::new(Trust::default());
    let learnt = trust.learning();
    trust.extend(seconds(10));
    let feed = {
        let trust = Arc::clone(&trust);
        thread::spawn(move || {
            trust.raise([change(1)]);
            trust.advance(Seq(1));
            trust.extend(seconds(30));
        })
    };
    let deciding = trust.begin(seconds(20));
    assert!(!deciding.is_trusting() || !is_good(&trust, learnt), "believed what had changed");
    drop(deciding);
    assert!(feed.join().is_ok());
}

#[test]
#[should_panic(expected = "believed what had changed")]
fn rule_10_needs_the_floors_raised_before_the_lease_is_extended() {
    loom::model(|| {
        let trust = Arc::new(Trust::default());
        let learnt = trust.learning();
        let feed = {
            let trust = Arc::clone(&trust);
            thread::spawn(move || {
                trust.extend(seconds(30));
                trust.raise([change(1)]);
            })
        };
        let deciding = trust.begin(seconds(20));
        assert!(!deciding.is_trusting() || !is_good(&trust, learnt), "believed what had changed");
        drop(deciding);
        assert!(feed.join().is_ok());
    });
}

#[test]
fn rule_10_whoever_sees_a_position_sees_the_floors_up_to_it() {
    loom::model(sees_a_position);
}

#[test]
#[should_panic(expected = "believed what had changed")]
fn rule_10_needs_the_orders_for_positions_too() {
    forget_orders();
    loom::model(sees_a_position);
}

fn sees_a_position() {
    let trust = Arc::new(Trust::default());
    let learnt = trust.learning();
    let feed = {
        let trust = Arc::clone(&trust);
        thread::spawn(move || {
            trust.raise([change(1)]);
            trust.advance(Seq(1));
        })
    };
    if trust.position() == Seq(1) {
        assert!(!is_good(&trust, learnt), "believed what had changed");
    }
    assert!(feed.join().is_ok());
}

#[test]
fn rule_7_floors_that_are_forgotten_make_nothing_good_again() {
    loom::model(forgets_floors);
}

#[test]
#[should_panic(expected = "believed what had changed")]
fn rule_7_needs_the_orders() {
    forget_orders();
    loom::model(forgets_floors);
}

fn forgets_floors() {
    let trust = Arc::new(Trust::default());
    let learnt = trust.learning();
    trust.raise([change(1)]);
    trust.advance(Seq(1));
    trust.extend(seconds(30));
    let feed = {
        let trust = Arc::clone(&trust);
        thread::spawn(move || trust.begin_anew(Seq(0)))
    };
    let deciding = trust.begin(seconds(20));
    assert!(!is_good(&trust, learnt), "believed what had changed");
    drop(deciding);
    assert!(feed.join().is_ok());
}

#[test]
fn rule_7_what_is_learnt_while_everything_is_forgotten_is_good_only_in_its_own_history() {
    loom::model(learns_while_forgetting);
}

#[test]
#[should_panic(expected = "believed another history")]
fn rule_7_needs_the_orders_for_what_is_learnt_too() {
    forget_orders();
    loom::model(learns_while_forgetting);
}

/// The old history was at 9. In the new one the thing changes at 5.
fn learns_while_forgetting() {
    let trust = Arc::new(Trust::default());
    trust.advance(Seq(9));
    let changed = Arc::new(AtomicBool::new(false));
    let feed = {
        let (trust, changed) = (Arc::clone(&trust), Arc::clone(&changed));
        thread::spawn(move || {
            trust.begin_anew(Seq(4));
            changed.store(true, Ordering::Release);
            trust.raise([change(5)]);
            trust.advance(Seq(5));
        })
    };
    let learnt = trust.learning();
    let knows = changed.load(Ordering::Acquire);
    assert!(feed.join().is_ok());
    assert!(knows || !is_good(&trust, learnt), "believed another history");
}

#[test]
fn rule_7_a_lease_of_the_old_history_is_over_before_anything_is_forgotten() {
    loom::model(|| {
        let trust = Arc::new(Trust::default());
        let old = trust.learning();
        trust.extend(seconds(30));
        let feed = {
            let trust = Arc::clone(&trust);
            thread::spawn(move || trust.begin_anew(Seq(0)))
        };
        if trust.learning() != old {
            let deciding = trust.begin(seconds(20));
            assert!(!deciding.is_trusting(), "trusted the old lease in the new history");
        }
        assert!(feed.join().is_ok());
    });
}

#[test]
fn rule_3_a_change_here_is_in_force_here_whatever_the_feed_is_doing() {
    loom::model(|| {
        let trust = Arc::new(Trust::default());
        trust.extend(seconds(30));
        let learnt = trust.learning();
        let answered = Arc::new(AtomicBool::new(false));
        let writer = {
            let (trust, answered) = (Arc::clone(&trust), Arc::clone(&answered));
            thread::spawn(move || {
                trust.raise([change(2)]);
                answered.store(true, Ordering::Release);
            })
        };
        let feed = {
            let trust = Arc::clone(&trust);
            thread::spawn(move || {
                trust.raise([change(1)]);
                trust.advance(Seq(1));
                trust.extend(seconds(40));
            })
        };
        if answered.load(Ordering::Acquire) {
            let deciding = trust.begin(seconds(20));
            assert!(!deciding.is_trusting() || !is_good(&trust, learnt), "believed");
        }
        assert!(writer.join().is_ok());
        assert!(feed.join().is_ok());
        assert_eq!(trust.position(), Seq(1), "its own change does not advance its position");
    });
}

#[test]
fn rule_20_what_is_settled_is_decided_no_more() {
    loom::model(|| decides_while_settling(Ends::AfterIt));
}

#[test]
#[should_panic(expected = "decided after it was settled")]
fn rule_20_needs_the_orders() {
    forget_orders();
    loom::model(|| decides_while_settling(Ends::AfterIt));
}

#[test]
#[should_panic(expected = "decided after it was settled")]
fn rule_20_needs_decisions_to_be_counted_until_they_have_ended() {
    loom::model(|| decides_while_settling(Ends::BeforeIt));
}

#[test]
fn rule_20_a_second_settling_waits_for_what_began_after_the_first() {
    loom::model(|| {
        let trust = Arc::new(Trust::default());
        let learnt = trust.learning();
        let settled = Arc::new(AtomicBool::new(false));
        let feed = {
            let (trust, settled) = (Arc::clone(&trust), Arc::clone(&settled));
            thread::spawn(move || {
                wait_until_settled(&trust);
                trust.raise([change(1)]);
                wait_until_settled(&trust);
                settled.store(true, Ordering::Release);
            })
        };
        decide(&trust, learnt, &settled, Ends::AfterIt);
        assert!(feed.join().is_ok());
    });
}

#[derive(Clone, Copy, PartialEq)]
enum Ends {
    AfterIt,
    BeforeIt,
}

fn decides_while_settling(ends: Ends) {
    let trust = Arc::new(Trust::default());
    let learnt = trust.learning();
    let settled = Arc::new(AtomicBool::new(false));
    let feed = {
        let (trust, settled) = (Arc::clone(&trust), Arc::clone(&settled));
        thread::spawn(move || {
            trust.raise([change(1)]);
            trust.advance(Seq(1));
            wait_until_settled(&trust);
            settled.store(true, Ordering::Release);
        })
    };
    decide(&trust, learnt, &settled, ends);
    assert!(feed.join().is_ok());
}

/// Decides by what was learnt before anything had changed.
fn decide(trust: &Trust, learnt: Learnt, settled: &AtomicBool, ends: Ends) {
    let mut deciding = Some(trust.begin(seconds(20)));
    let accepts = is_good(trust, learnt);
    if ends == Ends::BeforeIt {
        deciding.take();
    }
    let too_late = settled.load(Ordering::Acquire);
    assert!(!accepts || !too_late, "decided after it was settled");
}

fn wait_until_settled(trust: &Trust) {
    let settling = trust.settle();
    while !settling.is_settled() {
        thread::yield_now();
    }
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
