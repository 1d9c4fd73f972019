use super::*;

const MARGIN: Duration = Duration::from_millis(70);

fn at(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The first request of a follower that has applied and settled this much.
fn ask(applied: i64) -> Ask {
    Ask {
        lease: None,
        holder: Uuid::from_bytes([1; 16]),
        counter: 1,
        applied: Some(Seq(applied)),
        settled: Seq(applied),
        staleness: Duration::ZERO,
    }
}

fn offer(told: i64, ends: u64) -> Offer {
    Offer { told: Seq(told), ends: Some(at(ends)) }
}

/// Somebody who follows with a lease until 2,000, and has applied 5.
fn follower() -> (Leases, Ask) {
    let mut leases = Leases::default();
    let (id, extended) = leases.note(ask(5), offer(5, 2_000), at(0), MARGIN).unwrap();
    assert!(extended);
    (leases, Ask { lease: Some(id), counter: 2, ..ask(5) })
}

#[test]
fn rule_16_a_node_has_settled_what_its_followers_have_applied_until_their_leases_end() {
    let (mut leases, next) = follower();
    assert_eq!(leases.settled(Seq(9), at(0), MARGIN), Seq(5));
    assert_eq!(leases.settled(Seq(4), at(0), MARGIN), Seq(4), "itself among them");
    assert_eq!(leases.settled(Seq(9), at(2_069), MARGIN), Seq(5), "its clock may be slower");
    assert_eq!(leases.settled(Seq(9), at(2_070), MARGIN), Seq(9));

    leases
        .note(
            Ask { applied: Some(Seq(8)), settled: Seq(8), ..next },
            offer(9, 3_000),
            at(1_000),
            MARGIN,
        )
        .unwrap();
    assert_eq!(leases.settled(Seq(9), at(1_000), MARGIN), Seq(8));
}

#[test]
fn rule_16_a_follower_that_is_to_forget_has_settled_no_more_than_before() {
    let (mut leases, next) = follower();
    let lost = Ask { applied: None, settled: Seq(0), ..next };
    let (_, extended) = leases.note(lost, offer(9, 3_000), at(0), MARGIN).unwrap();
    assert!(extended);
    assert_eq!(leases.settled(Seq(9), at(0), MARGIN), Seq(5), "it has not been answered yet");
    let anew = Ask { counter: 3, ..ask(9) };
    leases.note(Ask { lease: next.lease, ..anew }, offer(9, 3_000), at(0), MARGIN).unwrap();
    assert_eq!(leases.settled(Seq(9), at(0), MARGIN), Seq(9));
}

#[test]
fn rule_20_a_follower_counts_by_what_it_has_settled() {
    let (mut leases, next) = follower();
    let deciding = Ask { applied: Some(Seq(9)), settled: Seq(7), ..next };
    let (_, extended) = leases.note(deciding, offer(9, 3_000), at(0), MARGIN).unwrap();
    assert!(extended, "it has applied all");
    assert_eq!(leases.settled(Seq(9), at(0), MARGIN), Seq(7));
}

#[test]
fn rule_17_a_follower_counts_before_it_is_answered() {
    let mut leases = Leases::default();
    assert_eq!(leases.settled(Seq(9), at(0), MARGIN), Seq(9));
    leases.note(ask(3), offer(9, 2_000), at(0), MARGIN).unwrap();
    assert_eq!(leases.settled(Seq(9), at(0), MARGIN), Seq(3));
}

#[test]
fn rule_18_a_follower_behind_what_it_was_told_gets_no_lease() {
    let (mut leases, next) = follower();
    let (_, extended) = leases.note(next, offer(7, 2_500), at(500), MARGIN).unwrap();
    assert!(extended, "it has applied what it was told before");
    let behind = Ask { counter: 3, applied: Some(Seq(6)), ..next };
    let (_, extended) = leases.note(behind, offer(7, 3_000), at(1_000), MARGIN).unwrap();
    assert!(!extended);
    assert_eq!(leases.settled(Seq(9), at(2_570), MARGIN), Seq(9), "the lease of before has ended");
    let caught_up = Ask { counter: 4, applied: Some(Seq(7)), ..next };
    let (_, extended) = leases.note(caught_up, offer(7, 5_000), at(3_000), MARGIN).unwrap();
    assert!(extended);
}

#[test]
fn rule_18_without_a_lease_of_the_node_nobody_gets_one() {
    let (mut leases, next) = follower();
    let nothing = Offer { told: Seq(5), ends: None };
    let (_, extended) = leases.note(next, nothing, at(1_900), MARGIN).unwrap();
    assert!(!extended);
    let (_, extended) = Leases::default().note(ask(5), nothing, at(0), MARGIN).unwrap();
    assert!(!extended);
}

#[test]
fn rule_19_a_lease_belongs_to_its_credential() {
    let (mut leases, next) = follower();
    let other = Ask { holder: Uuid::from_bytes([2; 16]), ..next };
    let (id, _) = leases.note(other, offer(5, 3_000), at(0), MARGIN).unwrap();
    assert_ne!(Some(id), next.lease, "it is taken for somebody new");
    assert_eq!(leases.followers.len(), 2);
}

#[test]
fn rule_19_a_request_that_was_overtaken_changes_nothing() {
    let (mut leases, next) = follower();
    let late = Ask { lease: next.lease, ..ask(9) };
    let (_, extended) = leases.note(late, offer(9, 9_000), at(0), MARGIN).unwrap();
    assert!(!extended);
    assert_eq!(leases.settled(Seq(9), at(0), MARGIN), Seq(5));
    assert_eq!(leases.settled(Seq(9), at(2_070), MARGIN), Seq(9));
}

#[test]
fn rule_19_only_so_many_follow_with_one_credential() {
    let mut leases = Leases::default();
    for _ in 0..MAX_OF_ONE {
        leases.note(ask(1), offer(1, 2_000), at(0), MARGIN).unwrap();
    }
    let more = leases.note(ask(1), offer(1, 2_000), at(0), MARGIN);
    assert!(matches!(more, Err(ServiceError::TooManyFollowers)));
    let other = Ask { holder: Uuid::from_bytes([2; 16]), ..ask(1) };
    leases.note(other, offer(1, 2_000), at(0), MARGIN).unwrap();
    leases.note(ask(1), offer(1, 90_000), at(61_000), MARGIN).unwrap();
    assert_eq!(leases.followers.len(), 1, "whoever is gone makes room");
}

#[test]
fn rule_19_only_so_many_follow_a_node() {
    let mut leases = Leases::default();
    let holder = |number: usize| Uuid::from_u128(u128::try_from(number / MAX_OF_ONE).unwrap());
    let mut follow = |number| {
        let ask = Ask { holder: holder(number), ..ask(1) };
        leases.note(ask, offer(1, 2_000), at(0), MARGIN)
    };
    for number in 0..MAX {
        follow(number).unwrap();
    }
    assert!(matches!(follow(MAX), Err(ServiceError::TooManyFollowers)));
}

#[test]
fn rule_19_a_node_that_starts_anew_knows_no_lease() {
    let (mut leases, next) = follower();
    leases.clear(MARGIN);
    let (id, _) = leases.note(next, offer(5, 3_000), at(0), MARGIN).unwrap();
    assert_ne!(Some(id), next.lease);
}

#[test]
fn whoever_goes_on_after_its_lease_is_unproven_and_holds_nobody_up() {
    let mut leases = Leases::default();
    let stale = Ask { staleness: at(60_000), ..ask(5) };
    leases.note(stale, offer(5, 2_000), at(0), MARGIN).unwrap();
    let counts = |followers, unproven| FollowerCounts { followers, unproven };
    assert_eq!(leases.counts(at(0), MARGIN), counts(1, 1));
    assert_eq!(leases.settled(Seq(9), at(2_070), MARGIN), Seq(9));
    assert_eq!(leases.counts(at(62_000), MARGIN), counts(1, 1));
    assert_eq!(leases.counts(at(62_070), MARGIN), counts(0, 0));
}

#[test]
fn whoever_goes_on_is_unproven_also_when_the_node_starts_anew() {
    let mut leases = Leases::default();
    let stale = Ask { staleness: at(60_000), ..ask(5) };
    leases.note(stale, offer(5, 2_000), at(0), MARGIN).unwrap();
    leases.note(ask(5), offer(5, 2_000), at(0), MARGIN).unwrap();
    leases.clear(MARGIN);
    let counts = |followers, unproven| FollowerCounts { followers, unproven };
    assert_eq!(leases.counts(at(1_000), MARGIN), counts(1, 1));
    leases.forget(at(62_070), MARGIN);
    assert_eq!(leases.counts(at(62_070), MARGIN), counts(0, 0));
}

#[test]
fn a_lease_is_named_in_one_way_and_shown_by_nothing() {
    let id = LeaseId([0xab; 16]);
    assert_eq!(id.to_string(), "ab".repeat(16));
    assert_eq!(id.to_string().parse(), Ok(id));
    assert_eq!(format!("{id:?}"), "LeaseId(..)");
    for text in ["", "ab", &"AB".repeat(16), &format!("+{}", "a".repeat(31)), &"g".repeat(32)] {
        assert_eq!(text.parse::<LeaseId>(), Err(IdError), "{text}");
    }
}

#[test]
fn whoever_crashes_and_goes_on_after_its_lease_keeps_no_seat() {
    let week = Duration::from_secs(7 * 24 * 60 * 60);
    let mut leases = Leases::default();
    for _ in 0..MAX_OF_ONE {
        leases.note(Ask { staleness: week, ..ask(5) }, offer(5, 2_000), at(0), MARGIN).unwrap();
    }
    let refused = leases.note(ask(5), offer(5, 3_000), at(1_000), MARGIN);
    assert!(matches!(refused, Err(ServiceError::TooManyFollowers)), "{refused:?}");

    leases.note(ask(5), offer(5, 70_000), KEPT + at(2_070), MARGIN).unwrap();
    let counts = leases.counts(KEPT + at(2_070), MARGIN);
    assert_eq!(counts, FollowerCounts { followers: 1_001, unproven: 1_000 });
    let counts = leases.counts(week + at(2_070), MARGIN);
    assert_eq!(counts, FollowerCounts { followers: 0, unproven: 0 }, "they have ended too");
}

#[test]
fn whoever_never_had_a_lease_believes_nothing() {
    let mut leases = Leases::default();
    let none = Offer { told: Seq(9), ends: None };
    let lasting = Ask { staleness: Duration::from_secs(600), ..ask(5) };
    leases.note(lasting, none, at(0), MARGIN).unwrap();
    assert_eq!(leases.counts(at(1), MARGIN), FollowerCounts::default());
}
