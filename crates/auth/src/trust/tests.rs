use keystile_domain::{Subject, Touches};

use super::*;

fn at(seq: i64, touches: Touches) -> Effect {
    Effect { seq: Seq(seq), touches }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn subject(name: &str) -> Subject {
    Subject::named(name)
}

#[test]
fn rule_9_nothing_is_believed_before_the_first_lease_and_after_its_end() {
    let trust = Trust::default();
    assert!(!trust.begin(seconds(0)).is_trusting());
    trust.extend(seconds(10));
    assert!(trust.begin(seconds(9)).is_trusting());
    assert!(!trust.begin(seconds(10)).is_trusting(), "a lease does not hold at its own end");
    trust.end();
    assert!(!trust.begin(seconds(1)).is_trusting());
}

#[test]
fn rule_6_a_late_answer_to_an_early_look_does_not_shorten_a_lease() {
    let trust = Trust::default();
    trust.extend(seconds(10));
    trust.extend(seconds(5));
    assert_eq!(trust.lease_left(seconds(4)), seconds(6));
    assert_eq!(trust.lease_left(seconds(40)), Duration::ZERO);
}

#[test]
fn rule_10_what_was_learnt_before_a_change_of_something_it_depends_on_is_not_good() {
    let trust = Trust::default();
    let (key, role) = (Seat::of(subject("key")), Seat::of(subject("role")));
    trust.advance(Seq(4));
    let learnt = trust.learning();
    trust.raise([at(5, Touches::One(subject("another")))]);
    assert!(trust.is_good(learnt, &[key, role]));
    trust.raise([at(6, Touches::One(subject("role")))]);
    assert!(!trust.is_good(learnt, &[key, role]));
    assert!(trust.is_good(learnt, &[key]), "it does not depend on the role");
    trust.advance(Seq(6));
    assert!(trust.is_good(trust.learning(), &[key, role]), "that was learnt afterwards");
}

#[test]
fn rule_8_a_change_that_nobody_can_interpret_leaves_nothing_good() {
    let trust = Trust::default();
    let (learnt, key) = (trust.learning(), Seat::of(subject("key")));
    trust.raise([at(1, Touches::Everything)]);
    assert!(!trust.is_good(learnt, &[key]));
    assert!(!trust.is_good(learnt, &[]));
    assert!(!trust.is_still_unknown(learnt));
}

#[test]
fn a_new_secret_makes_what_was_unknown_worth_asking_again() {
    let trust = Trust::default();
    let learnt = trust.learning();
    trust.raise([at(1, Touches::One(subject("key")))]);
    assert!(trust.is_still_unknown(learnt));
    trust.raise([at(2, Touches::Secrets(subject("key")))]);
    assert!(!trust.is_still_unknown(learnt));
}

#[test]
fn rule_7_after_a_fork_nothing_of_the_other_history_counts() {
    let trust = Trust::default();
    let key = Seat::of(subject("key"));
    trust.raise([at(90, Touches::One(subject("key")))]);
    trust.advance(Seq(90));
    trust.extend(seconds(10));
    let learnt = trust.learning();

    trust.begin_anew(Seq(40));
    assert!(!trust.begin(seconds(1)).is_trusting(), "the lease is over");
    assert!(!trust.is_good(learnt, &[key]), "what was learnt there");
    assert!(!trust.is_still_unknown(learnt));
    assert_eq!(trust.position(), Seq(40));
    assert!(trust.is_good(trust.learning(), &[key]), "its floors");
}

#[test]
fn rule_20_a_position_is_settled_when_the_decisions_before_it_have_ended() {
    let trust = Trust::default();
    let before = trust.begin(seconds(0));
    let settling = trust.settle();
    let after = trust.begin(seconds(0));
    assert!(!settling.is_settled());
    drop(before);
    assert!(settling.is_settled());
    let next = trust.settle();
    assert!(!next.is_settled());
    drop(after);
    assert!(next.is_settled());
}

#[test]
fn rule_20_what_was_applied_while_decisions_were_under_way_is_settled_after_them() {
    let trust = Trust::default();
    let mut settlement = Settlement::new(&trust);
    assert_eq!(settlement.settle(Seq(3)), Seq(3));
    let before = trust.begin(seconds(0));
    assert_eq!(settlement.settle(Seq(4)), Seq(3));
    let between = trust.begin(seconds(0));
    assert_eq!(settlement.settle(Seq(5)), Seq(3));
    assert!(settlement.is_under_way());
    drop(before);
    assert_eq!(settlement.settle(Seq(5)), Seq(4), "the other began before 5 was applied");
    drop(between);
    assert_eq!(settlement.settle(Seq(5)), Seq(5));
    assert!(!settlement.is_under_way());
}

#[test]
fn rule_20_what_was_under_way_in_one_history_settles_nothing_of_another() {
    let trust = Trust::default();
    let mut settlement = Settlement::new(&trust);
    let before = trust.begin(seconds(0));
    assert_eq!(settlement.settle(Seq(90)), Seq(0));
    settlement.begin_anew();
    assert_eq!(settlement.settle(Seq(40)), Seq(0));
    drop(before);
    assert_eq!(settlement.settle(Seq(40)), Seq(40));
}
