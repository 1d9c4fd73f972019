//! Signing in: how often it may be tried, what it costs, and when what it gave ends.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use keystile_domain::{BuiltInRole, ProviderKind, Transport, UserId};
use keystile_service::change::{Changed, Options};
use keystile_service::providers::{PasswordChange, ProviderChange, SettingsChange};
use keystile_service::sign_in::{SignIn, SignInRefusal, SignedIn};
use keystile_service::users::{UserChange, UserDraft};
use keystile_service::{Caller, Keystile, ServiceError};
use secrecy::ExposeSecret;

use crate::stage::{Stage, caller, origin};

#[tokio::test(flavor = "multi_thread")]
async fn after_five_failures_the_next_attempt_waits_twice_as_long_each_time() {
    let (stage, keystile, ..) = started().await;
    for _ in 0..5 {
        assert!(is_refused(&try_once(&keystile, "ann", WRONG).await));
    }
    for seconds in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
        let wait = Duration::from_secs(seconds);
        assert_eq!(waits(&try_once(&keystile, "ann", RIGHT).await), Some(wait));
        stage.clock.advance(wait - Duration::from_millis(1));
        let almost = waits(&try_once(&keystile, "ann", RIGHT).await);
        assert_eq!(almost, Some(Duration::from_millis(1)), "after {seconds} s");
        stage.clock.advance(Duration::from_millis(1));
        assert!(is_refused(&try_once(&keystile, "ann", WRONG).await), "after {seconds} s");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_password_ends_the_row() {
    let (_stage, keystile, ..) = started().await;
    for _ in 0..3 {
        for _ in 0..4 {
            assert!(is_refused(&try_once(&keystile, "ann", WRONG).await));
        }
        try_once(&keystile, "ann", RIGHT).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_spelling_of_a_name_is_one_name() {
    let (_stage, keystile, ..) = started().await;
    for name in ["ann", "ANN", " Ann ", "\u{ff41}nn", "a\u{ff2e}n"] {
        assert!(is_refused(&try_once(&keystile, name, WRONG).await), "{name}");
    }
    for name in ["ann", "Ann", "ANN\u{3000}"] {
        assert!(waits(&try_once(&keystile, name, RIGHT).await).is_some(), "{name}");
    }
    try_once(&keystile, "bob", WRONG).await.map(drop).unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_nobody_has_waits_like_any_other() {
    let (_stage, keystile, ..) = started().await;
    for _ in 0..5 {
        assert!(is_refused(&try_once(&keystile, "nobody", WRONG).await));
    }
    let wait = waits(&try_once(&keystile, "nobody", WRONG).await);
    assert_eq!(wait, Some(Duration::from_secs(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_count_survives_a_restart_and_holds_on_every_node() {
    let (stage, keystile, ..) = started().await;
    let other = stage.open().await;
    for node in [&keystile, &other, &keystile, &other, &keystile] {
        assert!(is_refused(&try_once(node, "ann", WRONG).await));
    }
    let later = stage.open().await;
    for node in [&keystile, &other, &later] {
        assert!(waits(&try_once(node, "ann", RIGHT).await).is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_fails_with_another_name_each_time_waits_after_fifty() {
    let (_stage, keystile, ..) = started().await;
    let attacker = async |name| attempt(&keystile, name, WRONG, "2001:db8::1").await;
    for number in 0..50 {
        assert!(is_refused(&attacker(format!("user{number}")).await), "{number}");
    }
    assert_eq!(waits(&attacker("another".into()).await), Some(Duration::from_secs(1)));
    // The same network, and another one.
    let neighbour = attempt(&keystile, "another".into(), WRONG, "2001:db8::2").await;
    assert!(waits(&neighbour).is_some());
    let other = attempt(&keystile, "ann".into(), RIGHT, "2001:db8:0:1::1").await;
    other.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_where_most_succeed_never_waits() {
    let (_stage, keystile, ..) = started().await;
    for round in 0..60 {
        let mistyped = try_once(&keystile, &format!("user{round}"), WRONG).await;
        assert!(is_refused(&mistyped), "{round}");
        try_once(&keystile, "ann", RIGHT).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_kept_out_by_somebody_else_who_fails_with_their_name() {
    let (stage, keystile, ..) = started().await;
    try_once(&keystile, "ann", RIGHT).await.unwrap();
    for _ in 0..20 {
        let _ = attempt(&keystile, "ann".into(), WRONG, "203.0.113.7").await;
        stage.clock.advance(Duration::from_secs(900));
    }
    for _ in 0..20 {
        let _ = attempt(&keystile, "ann".into(), WRONG, "203.0.113.7").await;
    }
    assert!(waits(&attempt(&keystile, "ann".into(), RIGHT, "203.0.113.8").await).is_some());

    // Where she has a session, she can sign in.
    try_once(&keystile, "ann", RIGHT).await.unwrap();

    // Her own failures count there too.
    for _ in 0..5 {
        assert!(is_refused(&try_once(&keystile, "ann", WRONG).await));
    }
    assert!(waits(&try_once(&keystile, "ann", RIGHT).await).is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_attempts_at_once_no_more_are_looked_at_than_are_free() {
    let (_stage, keystile, ..) = started().await;
    let before = keystile.passwords_hashed();
    let attempts = (0..200).map(|_| try_once(&keystile, "ann", WRONG));
    let ends = join_all(attempts).await;
    assert_eq!(ends.iter().filter(|end| is_refused(end)).count(), 5);
    assert_eq!(ends.iter().filter(|end| waits(end).is_some()).count(), 195);
    assert_eq!(keystile.passwords_hashed() - before, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_attempt_that_had_to_wait_makes_nobody_wait_longer() {
    let (stage, keystile, ..) = started().await;
    for _ in 0..5 {
        let _ = try_once(&keystile, "ann", WRONG).await;
    }
    for _ in 0..50 {
        assert!(waits(&try_once(&keystile, "ann", WRONG).await).is_some());
    }
    stage.clock.advance(Duration::from_secs(1));
    try_once(&keystile, "ann", RIGHT).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_come_in_costs_the_same_work_and_gets_the_same_answer() {
    let (_stage, keystile, admin, ann) = started().await;
    let robot = UserDraft { is_service_account: true, ..person("robot", None) };
    made(keystile.create_user(&admin, robot, Options::default()).await);
    made(keystile.create_user(&admin, person("guest", None), Options::default()).await);
    let off = UserDraft { enabled: false, ..person("off", Some(RIGHT)) };
    made(keystile.create_user(&admin, off, Options::default()).await);
    let long = "x".repeat(2_000);
    let tries: [(&str, &str); 9] = [
        ("nobody", WRONG),
        ("ann", WRONG),
        ("ann", ""),
        ("ann", "a\tb"),
        ("ann", &long),
        ("robot", WRONG),
        ("guest", WRONG),
        ("off", RIGHT),
        (&long, WRONG),
    ];
    for (name, password) in tries {
        let before = keystile.passwords_hashed();
        let end = try_once(&keystile, name, password).await;
        assert!(is_refused(&end), "{name} {password}: {end:?}");
        assert_eq!(keystile.passwords_hashed() - before, 1, "{name} {password}");
    }
    let why = try_once(&keystile, "ann", WRONG).await.unwrap_err();
    assert!(matches!(why, ServiceError::SignIn(SignInRefusal::WrongPassword(id)) if id == ann));
}

#[tokio::test(flavor = "multi_thread")]
async fn over_plain_http_nobody_signs_in_or_refreshes() {
    let (_stage, keystile, ..) = started().await;
    let signed_in = try_once(&keystile, "ann", RIGHT).await.unwrap();
    let plain = keystile_service::Origin { transport: Transport::Insecure, ..origin("192.0.2.1") };

    let typed = SignIn { username: "ann".into(), password: RIGHT.into() };
    let refused = keystile.sign_in(typed, plain.clone()).await.unwrap_err();
    assert!(matches!(refused, ServiceError::InsecureTransport), "{refused:?}");
    let refused = keystile.refresh(signed_in.refresh_token.expose(), plain).await.unwrap_err();
    assert!(matches!(refused, ServiceError::InsecureTransport), "{refused:?}");

    refresh(&keystile, &signed_in).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_ends_after_a_quarter_of_an_hour() {
    let (stage, keystile, ..) = started().await;
    let signed_in = try_once(&keystile, "ann", RIGHT).await.unwrap();
    assert_eq!(signed_in.access_token.expires_in, Duration::from_secs(900));
    stage.clock.advance(Duration::from_millis(899_999));
    assert!(works(&keystile, &signed_in).await);
    stage.clock.advance(Duration::from_millis(1));
    assert!(!works(&keystile, &signed_in).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_ends_a_week_after_it_was_made() {
    let (stage, keystile, ..) = started().await;
    let first = try_once(&keystile, "ann", RIGHT).await.unwrap();
    stage.clock.advance(WEEK - Duration::from_millis(1));
    let second = refresh(&keystile, &first).await.unwrap();
    assert!(works(&keystile, &second).await);
    stage.clock.advance(WEEK);
    assert!(is_no_token(&refresh(&keystile, &second).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_refresh_makes_a_session_longer_than_thirty_days() {
    let (stage, keystile, ..) = started().await;
    let mut current = try_once(&keystile, "ann", RIGHT).await.unwrap();
    for _ in 0..4 {
        stage.clock.advance(WEEK - Duration::from_secs(1));
        current = refresh(&keystile, &current).await.unwrap();
    }
    stage.clock.advance(Duration::from_secs(2 * 24 * 60 * 60));
    let last = refresh(&keystile, &current).await.unwrap();
    stage.clock.advance(Duration::from_secs(3));
    assert!(works(&keystile, &last).await);
    stage.clock.advance(Duration::from_secs(1));
    assert!(!works(&keystile, &last).await, "its session has ended");
    assert!(is_no_token(&refresh(&keystile, &last).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn housekeeping_forgets_what_is_over_and_nothing_else() {
    let (stage, keystile, _, ann) = started().await;
    try_once(&keystile, "ann", RIGHT).await.unwrap();
    stage.clock.advance(WEEK);
    let live = try_once(&keystile, "ann", RIGHT).await.unwrap();
    for _ in 0..5 {
        let _ = attempt(&keystile, "bob".into(), WRONG, "203.0.113.7").await;
    }
    keystile.tend().await.unwrap();
    assert_eq!(sessions(&stage, ann).await, 2);
    let wait = waits(&attempt(&keystile, "bob".into(), WRONG, "203.0.113.7").await);
    assert!(wait.is_some());

    stage.clock.advance(Duration::from_secs(24 * 24 * 60 * 60));
    keystile.tend().await.unwrap();
    assert_eq!(sessions(&stage, ann).await, 1);
    assert!(is_no_token(&refresh(&keystile, &live).await));
    for _ in 0..5 {
        let again = attempt(&keystile, "bob".into(), WRONG, "203.0.113.7").await;
        assert!(is_refused(&again), "the row began anew");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_switched_off_while_they_sign_in_does_not_come_in() {
    let (_stage, keystile, admin, ann) = started().await;
    let signed_in = try_once(&keystile, "ann", RIGHT).await.unwrap();
    let off = UserChange { enabled: Some(false), ..UserChange::default() };
    keystile.update_user(&admin, ann, None, off, Options::default()).await.unwrap();

    assert!(!works(&keystile, &signed_in).await);
    assert!(is_no_token(&refresh(&keystile, &signed_in).await));
    assert!(is_refused(&try_once(&keystile, "ann", RIGHT).await));

    // Switched on again, they sign in again: what was theirs before has ended for good.
    let on = UserChange { enabled: Some(true), ..UserChange::default() };
    keystile.update_user(&admin, ann, None, on, Options::default()).await.unwrap();
    assert!(!works(&keystile, &signed_in).await);
    assert!(is_no_token(&refresh(&keystile, &signed_in).await));
    try_once(&keystile, "ann", RIGHT).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_whose_hash_cost_too_little_is_hashed_once_more_when_it_is_used() {
    let (stage, keystile, admin, ann) = started().await;
    let dearer = PasswordChange { iterations: Some(3), ..PasswordChange::default() };
    change_provider(
        &stage,
        &keystile,
        &admin,
        ProviderChange {
            settings: Some(SettingsChange::Password(dearer)),
            ..ProviderChange::default()
        },
    )
    .await;
    for (hashed, hash) in [(2, "t=3"), (1, "t=3")] {
        let before = keystile.passwords_hashed();
        try_once(&keystile, "ann", RIGHT).await.unwrap();
        assert_eq!(keystile.passwords_hashed() - before, hashed);
        let mut conn = stage.store.read().await.unwrap();
        let stored = conn.find_password_hash(ann).await.unwrap().unwrap();
        assert!(stored.contains(hash), "{stored}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_switched_off_lets_nobody_in_and_its_sessions_rest() {
    let (stage, keystile, admin, _) = started().await;
    let signed_in = try_once(&keystile, "ann", RIGHT).await.unwrap();
    let switch = |on| ProviderChange { enabled: Some(on), ..ProviderChange::default() };

    change_provider(&stage, &keystile, &admin, switch(false)).await;
    assert!(is_refused(&try_once(&keystile, "ann", RIGHT).await));
    assert!(!works(&keystile, &signed_in).await);
    assert!(is_no_token(&refresh(&keystile, &signed_in).await));
    assert!(keystile.list_sign_in_providers().await.unwrap().is_empty());

    change_provider(&stage, &keystile, &admin, switch(true)).await;
    assert!(works(&keystile, &signed_in).await);
    refresh(&keystile, &signed_in).await.unwrap();
}

/// Changes the provider of passwords.
async fn change_provider(
    stage: &Stage,
    keystile: &Keystile,
    admin: &Caller,
    change: ProviderChange,
) {
    let mut conn = stage.store.read().await.unwrap();
    let local = conn.find_default_provider(ProviderKind::Password).await.unwrap().unwrap();
    drop(conn);
    keystile.update_provider(admin, local.id, None, change, Options::default()).await.unwrap();
}

/// A Keystile with the user `ann`.
async fn started() -> (Stage, Keystile, Caller, UserId) {
    let (stage, keystile, admin) = Stage::started().await;
    let ann =
        made(keystile.create_user(&admin, person("ann", Some(RIGHT)), Options::default()).await);
    (stage, keystile, admin, ann)
}

fn person(name: &str, password: Option<&str>) -> UserDraft {
    UserDraft {
        username: name.parse().unwrap(),
        display_name: None,
        email: None,
        password: password.map(|password| password.parse().unwrap()),
        is_service_account: false,
        enabled: true,
        roles: BTreeSet::from([BuiltInRole::Verifier.id()]),
        rate_limits: Default::default(),
        external_id: None,
        metadata: Default::default(),
    }
}

fn made(user: Result<Changed<keystile_domain::User>, ServiceError>) -> UserId {
    match user.unwrap() {
        Changed::Done(user) => user.id,
        other => panic!("made for good, not {other:?}"),
    }
}

async fn try_once(
    keystile: &Keystile,
    username: &str,
    password: &str,
) -> Result<SignedIn, ServiceError> {
    attempt(keystile, username.to_owned(), password, "127.0.0.1").await
}

async fn attempt(
    keystile: &Keystile,
    username: String,
    password: &str,
    address: &str,
) -> Result<SignedIn, ServiceError> {
    let typed = SignIn { username, password: password.into() };
    keystile.sign_in(typed, origin(address)).await
}

async fn refresh(keystile: &Keystile, signed_in: &SignedIn) -> Result<SignedIn, ServiceError> {
    keystile.refresh(signed_in.refresh_token.expose(), origin("127.0.0.1")).await
}

async fn works(keystile: &Keystile, signed_in: &SignedIn) -> bool {
    caller(keystile, signed_in.access_token.text.expose_secret()).await.is_ok()
}

async fn sessions(stage: &Stage, user: UserId) -> usize {
    stage.store.read().await.unwrap().list_sessions(user).await.unwrap().len()
}

fn is_refused(end: &Result<SignedIn, ServiceError>) -> bool {
    matches!(end, Err(ServiceError::SignIn(_)))
}

fn is_no_token(end: &Result<SignedIn, ServiceError>) -> bool {
    matches!(end, Err(ServiceError::RefreshToken(_)))
}

fn waits(end: &Result<SignedIn, ServiceError>) -> Option<Duration> {
    match end {
        Err(ServiceError::TooManyAttempts(wait)) => Some(*wait),
        _ => None,
    }
}

const RIGHT: &str = "correct horse battery staple";
const WRONG: &str = "wrong horse battery staple";
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
