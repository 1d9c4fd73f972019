//! Signing keys: what is published, when a new one takes over, and what ends with the old one.

use std::time::Duration;

use keystile_domain::JwtAlgorithm;
use keystile_service::first_start::Bootstrap;
use keystile_service::sign_in::SignIn;
use keystile_service::{KEPT_SECONDS, Keystile, Options, Rotation};
use secrecy::ExposeSecret;
use serde_json::Value;

use crate::stage::{Stage, caller, origin};

#[tokio::test(flavor = "multi_thread")]
async fn all_nodes_share_the_keys() {
    let (stage, one) = started().await;
    let other = stage.open().await;
    assert_eq!(kids(&one).await, kids(&other).await);
    assert!(works(&other, &token(&one).await).await);
    assert!(works(&one, &token(&other).await).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_nodes_that_start_at_once_one_makes_the_key() {
    let stage = empty().await;
    let nodes = futures_util::future::join_all((0..4).map(|_| stage.open())).await;
    for node in &nodes {
        assert_eq!(kids(node).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_published_longer_than_anybody_keeps_the_old_set_before_it_signs() {
    let (stage, keystile) = started().await;
    let old = kids(&keystile).await;
    keystile.rotate_signing_key(Rotation::Overlapping).await.unwrap();
    let both = kids(&keystile).await;
    assert_eq!((old.len(), both.len()), (1, 2));
    let new = both.iter().find(|kid| **kid != old[0]).unwrap();

    stage.clock.advance(Duration::from_secs(2 * KEPT_SECONDS) - Duration::from_millis(1));
    assert_eq!(kid_of(&token(&keystile).await), old[0]);
    stage.clock.advance(Duration::from_millis(1));
    assert_eq!(kid_of(&token(&keystile).await), *new);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_the_old_key_works_until_its_own_end() {
    let (stage, keystile) = started().await;
    keystile.rotate_signing_key(Rotation::Overlapping).await.unwrap();
    stage.clock.advance(Duration::from_secs(2 * KEPT_SECONDS) - Duration::from_millis(1));
    let last = token(&keystile).await;

    stage.clock.advance(Duration::from_secs(14 * 60));
    assert!(works(&keystile, &last).await);
    assert_eq!(kids(&keystile).await.len(), 2);

    stage.clock.advance(Duration::from_secs(3 * 60));
    assert!(!works(&keystile, &last).await);
    assert_eq!(kids(&keystile).await.len(), 1, "the old key is published no more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compromised_key_is_worth_nothing_at_once() {
    let (stage, keystile) = started().await;
    let other = stage.open().await;
    let old = token(&keystile).await;
    let forgotten = kids(&keystile).await;
    assert!(works(&other, &old).await);

    keystile.rotate_signing_key(Rotation::AtOnce).await.unwrap();

    assert!(!works(&keystile, &old).await);
    let new = token(&keystile).await;
    assert!(works(&keystile, &new).await);
    assert!(!kids(&keystile).await.contains(&forgotten[0]));
    // The others look again after some seconds, or when they meet the new one.
    stage.clock.advance(Duration::from_secs(1));
    assert!(works(&other, &new).await);
    assert!(!works(&other, &old).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_meets_no_new_token_learns_of_a_compromised_key_in_five_seconds() {
    let (stage, keystile) = started().await;
    let other = stage.open().await;
    let old = token(&keystile).await;
    assert!(works(&other, &old).await);
    keystile.rotate_signing_key(Rotation::AtOnce).await.unwrap();
    stage.clock.advance(Duration::from_secs(5));
    assert!(!works(&other, &old).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_replaced_after_ninety_days_and_not_before() {
    let (stage, keystile) = started().await;
    let day = Duration::from_secs(24 * 60 * 60);
    stage.clock.advance(day * 90 - Duration::from_millis(1));
    keystile.tend().await.unwrap();
    assert_eq!(kids(&keystile).await.len(), 1);

    stage.clock.advance(Duration::from_millis(1));
    for _ in 0..3 {
        keystile.tend().await.unwrap();
    }
    assert_eq!(kids(&keystile).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_signed_with_the_algorithm_that_is_set() {
    for algorithm in [JwtAlgorithm::EdDsa, JwtAlgorithm::Es256, JwtAlgorithm::Rs256] {
        let stage = empty().await;
        let keystile = stage.open_with(with(algorithm)).await;
        let token = token(&keystile).await;
        assert_eq!(header(&token)["alg"], algorithm.as_str());
        assert!(works(&keystile, &token).await, "{algorithm}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_algorithm_takes_over_with_an_overlap_and_nodes_that_differ_do_not_quarrel() {
    let (stage, keystile) = started().await;
    let old = token(&keystile).await;
    let other = stage.open_with(with(JwtAlgorithm::Es256)).await;
    assert_eq!(kids(&other).await.len(), 2);
    assert!(works(&other, &old).await);
    assert_eq!(header(&token(&other).await)["alg"], "EdDSA", "nobody knows the new one yet");

    for _ in 0..3 {
        keystile.tend().await.unwrap();
        other.tend().await.unwrap();
    }
    assert_eq!(kids(&other).await.len(), 2);

    stage.clock.advance(Duration::from_secs(2 * KEPT_SECONDS));
    for node in [&keystile, &other] {
        let token = token(node).await;
        assert_eq!(header(&token)["alg"], "ES256");
        assert!(works(&keystile, &token).await);
    }
}

async fn empty() -> Stage {
    let stage = Stage::empty().await;
    let bootstrap = Bootstrap { admin_password: Some(PASSWORD.into()), ..Bootstrap::default() };
    stage.start(bootstrap, |_| Ok(())).await.unwrap();
    stage
}

async fn started() -> (Stage, Keystile) {
    let stage = empty().await;
    let keystile = stage.open().await;
    (stage, keystile)
}

fn with(algorithm: JwtAlgorithm) -> Options {
    Options { jwt_algorithm: algorithm, ..Options::default() }
}

async fn token(keystile: &Keystile) -> String {
    let typed = SignIn { username: "admin".to_owned(), password: PASSWORD.into() };
    let signed_in = keystile.sign_in(typed, origin("127.0.0.1")).await.unwrap();
    signed_in.access_token.text.expose_secret().to_owned()
}

async fn works(keystile: &Keystile, token: &str) -> bool {
    caller(keystile, token).await.is_ok()
}

/// The names of the published keys, those made first first.
async fn kids(keystile: &Keystile) -> Vec<String> {
    let published = keystile.published_keys().await.unwrap();
    let keys = published["keys"].as_array().unwrap().iter();
    keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn kid_of(token: &str) -> String {
    header(token)["kid"].as_str().unwrap().to_owned()
}

fn header(token: &str) -> Value {
    let header = jsonwebtoken::decode_header(token).unwrap();
    serde_json::to_value(header).unwrap()
}

const PASSWORD: &str = "correct horse battery staple";
