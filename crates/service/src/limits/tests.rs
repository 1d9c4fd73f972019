use super::*;

fn draft(limit: i64, refill: Refill, remaining: Option<i64>) -> QuotaDraft {
    let number = |number: i64| QuotaLimit::try_from(number).unwrap();
    QuotaDraft::new(number(limit), refill, remaining.map(number)).unwrap()
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

#[test]
fn a_quota_counts_on_unless_its_refill_or_what_remains_is_set() {
    let before = draft(10, Refill::Day, None).settle(None, at(5));
    assert_eq!(before.since, at(5));
    assert_eq!(draft(20, Refill::Day, None).settle(Some(before), at(9)).since, at(5));
    assert_eq!(draft(10, Refill::Month, None).settle(Some(before), at(9)).since, at(9));
    assert_eq!(draft(10, Refill::Day, Some(1)).settle(Some(before), at(9)).since, at(9));
}

#[test]
fn a_quota_that_begins_anew_is_never_taken_for_the_one_before() {
    let before = draft(10, Refill::None, None).settle(None, at(5));
    for now in [at(5), at(4)] {
        assert!(draft(10, Refill::None, Some(3)).settle(Some(before), now).since > before.since);
    }
}

#[test]
fn a_quota_begins_with_what_remains() {
    for (remaining, used) in [(None, 0), (Some(10), 0), (Some(3), 7), (Some(0), 10)] {
        let draft = draft(10, Refill::None, remaining);
        let settled = draft.settle(None, at(5));
        assert_eq!(draft.begin(settled), QuotaUse { period: at(5), used });
    }
}
