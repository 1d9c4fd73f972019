use std::net::Ipv4Addr;
use std::thread;

use keystile_domain::PermissionQuery;

use super::*;

const HOUR: i64 = 60 * 60 * 1_000;

/// What a recorder holds of a credential: hour, outcome and number of its counts, in order.
type Counts = Vec<(i64, &'static str, i64)>;

fn check(credential: u128, at: i64) -> Check<'static> {
    Check {
        credential: Uuid::from_u128(credential),
        at: Timestamp::from_millis(at),
        outcome: "valid",
        is_use: true,
        address: None,
        user_agent: None,
        by_old_secret: false,
        asked: None,
    }
}

fn refused(credential: u128, at: i64) -> Check<'static> {
    Check { outcome: "expired", is_use: false, ..check(credential, at) }
}

/// Writes all that a recorder holds: the counts of one credential, and when it was used last.
fn written(recorder: &Recorder, credential: u128) -> (Counts, Option<i64>) {
    let mut batch = recorder.take();
    let (mut counts, mut last) = (Counts::new(), None);
    while !batch.part().is_empty() {
        for (_, tally) in batch.part().iter().filter(|(id, _)| id.as_u128() == credential) {
            counts
                .extend(tally.counts.iter().map(|it| (it.hour.as_millis(), it.outcome, it.checks)));
            last = tally.last.as_ref().map(|last| last.at.as_millis());
        }
        batch.part_is_written();
    }
    counts.sort_unstable();
    (counts, last)
}

fn rights() -> Rights {
    let permissions = ["a.*", "b.read"].map(|text| text.parse().unwrap());
    Rights { permissions: permissions.into_iter().collect(), ..Rights::default() }
}

fn asking(query: &PermissionQuery) -> Context<'_> {
    Context { permission: Some(query), ..Context::default() }
}

/// Writes all that a recorder holds: what one credential needed, and when last.
fn exercises(recorder: &Recorder, credential: u128) -> Vec<(String, i64)> {
    let mut noted = Vec::new();
    for (_, tally) in all(recorder).iter().filter(|(id, _)| id.as_u128() == credential) {
        let texts = tally.exercises.iter().map(|(text, at)| (text.to_string(), at.as_millis()));
        noted.extend(texts);
    }
    noted.sort_unstable();
    noted
}

fn noted(expected: &[(&str, i64)]) -> Vec<(String, i64)> {
    expected.iter().map(|(text, at)| ((*text).to_owned(), *at)).collect()
}

/// Writes all that a recorder holds: how often and when last each client showed the old secret of
/// one credential, and whether it is known where that was.
fn old_uses(recorder: &Recorder, credential: u128) -> Vec<(i64, i64, bool)> {
    let tallies = all(recorder);
    let (_, tally) = tallies.iter().find(|(id, _)| id.as_u128() == credential).unwrap();
    let uses = tally.old_secret_uses.iter();
    uses.map(|it| (it.checks, it.last_at.as_millis(), it.address.is_some())).collect()
}

fn all(recorder: &Recorder) -> Vec<(Uuid, Tally)> {
    std::mem::take(&mut recorder.take().tallies)
}

#[test]
fn checks_add_up_by_credential_outcome_and_hour() {
    let recorder = Recorder::default();
    for check in [check(1, 5), refused(1, 6), check(1, HOUR - 1), check(1, HOUR), check(2, 7)] {
        recorder.record(&check);
    }
    let counts = vec![(0, "expired", 1), (0, "valid", 2), (HOUR, "valid", 1)];
    assert_eq!(written(&recorder, 1), (counts, Some(HOUR)));
    assert_eq!(written(&recorder, 1), (vec![], None), "what is written is not written again");
}

#[test]
fn the_last_use_is_the_latest_check_that_let_in() {
    let recorder = Recorder::default();
    let agent = UserAgent::new(b"curl/8.5.0");
    let told = Check {
        address: Some(Ipv4Addr::LOCALHOST.into()),
        user_agent: Some(&agent),
        ..check(1, 9)
    };
    for check in [check(1, 5), told, check(1, 8), refused(1, 10)] {
        recorder.record(&check);
    }
    let batch = recorder.take();
    let [(_, tally)] = batch.part() else { panic!("one credential") };
    let last = tally.last.as_ref().unwrap();
    assert_eq!(last.at.as_millis(), 9);
    assert_eq!(last.address, Some(Ipv4Addr::LOCALHOST.into()));
    assert_eq!(last.user_agent, Some(agent));
}

#[test]
fn what_was_needed_is_noted_once_and_by_uses_alone() {
    let recorder = Recorder::default();
    let rights = rights();
    let queries = ["a.read", "b.read", "a.read", "a.write"].map(|text| text.parse().unwrap());
    let contexts = queries.each_ref().map(|query| asking(query));
    for (at, context) in contexts.iter().enumerate() {
        let at = i64::try_from(at).unwrap();
        recorder.record(&Check { asked: Some((&rights, context)), ..check(1, at) });
    }
    let refused = Check { asked: Some((&rights, &contexts[3])), ..refused(2, 9) };
    recorder.record(&refused);
    assert_eq!(exercises(&recorder, 1), noted(&[("a.read", 2), ("a.write", 3), ("b.read", 1)]));
    recorder.record(&refused);
    assert_eq!(exercises(&recorder, 2), noted(&[]));
}

#[test]
fn who_is_let_in_without_being_asked_for_anything_may_need_more() {
    let recorder = Recorder::default();
    let rights = rights();
    recorder.record(&Check { asked: Some((&rights, &Context::default())), ..check(1, 1) });
    recorder.note(Uuid::from_u128(1), Exercise::Permission("c"), Timestamp::from_millis(2));
    assert_eq!(exercises(&recorder, 1), noted(&[("", 1), ("c", 2)]));
}

#[test]
fn more_needs_than_are_told_apart_are_told_as_more() {
    let recorder = Recorder::default();
    for number in 0..100 {
        let (name, at) = (format!("p{number}"), Timestamp::from_millis(1));
        recorder.note(Uuid::from_u128(1), Exercise::Permission(&name), at);
    }
    let noted = exercises(&recorder, 1);
    assert_eq!((noted.len(), noted[0].0.as_str()), (tally::EXERCISES + 1, ""));
}

#[test]
fn who_shows_an_old_secret_is_told_apart_by_address_and_name() {
    let recorder = Recorder::default();
    let agents = ["one", "two"].map(|name| UserAgent::new(name.as_bytes()));
    let shown = |at, agent: usize| Check {
        address: Some(Ipv4Addr::LOCALHOST.into()),
        user_agent: Some(&agents[agent]),
        by_old_secret: true,
        ..check(1, at)
    };
    let over = Check { outcome: "expired", is_use: false, ..shown(7, 0) };
    for check in [shown(5, 0), shown(6, 1), over, check(1, 8)] {
        recorder.record(&check);
    }
    assert_eq!(old_uses(&recorder, 1), [(2, 7, true), (1, 6, true)]);
    for client in 0..100 {
        let address = Some(Ipv4Addr::from_bits(client).into());
        recorder.record(&Check { address, ..shown(9, 0) });
    }
    let uses = old_uses(&recorder, 1);
    assert_eq!(uses.len(), tally::CLIENTS + 1);
    assert!(uses.contains(&(100 - 32, 9, false)), "the others are counted together: {uses:?}");
}

#[test]
fn threads_that_count_the_same_credential_lose_nothing() {
    let recorder = Recorder::default();
    thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| (0..1_000).for_each(|at| recorder.record(&check(1, at))));
        }
    });
    assert_eq!(written(&recorder, 1), (vec![(0, "valid", 8_000)], Some(999)));
}

#[test]
fn what_is_counted_while_a_batch_is_written_is_kept_for_the_next() {
    let recorder = Recorder::default();
    recorder.record(&check(1, 1));
    let mut batch = recorder.take();
    recorder.record(&check(1, 2));
    batch.part_is_written();
    drop(batch);
    assert_eq!(written(&recorder, 1), (vec![(0, "valid", 1)], Some(2)));
}

#[test]
fn what_could_not_be_written_is_added_to_what_came_meanwhile() {
    let recorder = Recorder::default();
    for check in [check(1, 1), refused(1, 2), check(2, 3)] {
        recorder.record(&check);
    }
    let batch = recorder.take();
    recorder.record(&check(1, 4));
    drop(batch);
    let counts = vec![(0, "expired", 1), (0, "valid", 2)];
    assert_eq!(written(&recorder, 1), (counts, Some(4)));
    assert_eq!(recorder.counts.load(Ordering::Relaxed), 0);
}

#[test]
fn only_the_parts_that_were_not_written_go_back() {
    let recorder = Recorder::default();
    let credentials = u128::try_from(AT_ONCE).unwrap() + 1;
    (0..credentials).for_each(|credential| recorder.record(&check(credential, 1)));
    let mut batch = recorder.take();
    assert_eq!(batch.part().len(), AT_ONCE);
    batch.part_is_written();
    drop(batch);
    assert_eq!(recorder.take().part().len(), 1);
}

#[test]
fn memory_is_bounded_and_what_finds_no_place_is_told() {
    let recorder = Recorder::default();
    let most = u128::try_from(MOST).unwrap();
    (0..most).for_each(|credential| recorder.record(&check(credential, 1)));
    for check in [check(most, 1), refused(0, 1), check(0, HOUR), check(0, 2)] {
        recorder.record(&check);
    }
    assert_eq!(recorder.take_uncounted(), 3);
    assert_eq!(recorder.take_uncounted(), 0);
    assert_eq!(recorder.counts.load(Ordering::Relaxed), MOST);
    assert_eq!(written(&recorder, most), (vec![], None));
    recorder.record(&check(most, 3));
    assert_eq!(written(&recorder, most), (vec![(0, "valid", 1)], Some(3)));
}

#[tokio::test]
async fn a_crowd_is_told_before_there_is_no_more_room() {
    let recorder = Recorder::default();
    for credential in 0..u128::try_from(CROWD).unwrap() {
        recorder.record(&check(credential, 1));
    }
    recorder.crowded().await;
}
