//! When keys are fetched, when they are not, and how long they serve.

use keystile_oidc::Unavailable;

use crate::idp::{DISCOVERY, Idp, KEYS, Page};
use crate::{at, source};

const DAY: i64 = 24 * 60 * 60;

#[tokio::test]
async fn keys_are_fetched_once_and_remembered_as_long_as_the_issuer_says() {
    let idp = Idp::start().await;
    idp.show(KEYS, Page::keys(&["a"]).header("cache-control", "public, max-age=3600"));
    let source = source(&idp);
    for seconds in [0, 1, 1_000, 3_599] {
        assert!(source.keys(Some("a"), at(seconds)).await.unwrap().contains("a"));
    }
    assert_eq!((idp.count(DISCOVERY), idp.count(KEYS)), (1, 1));
    source.keys(Some("a"), at(3_600)).await.unwrap();
    assert_eq!((idp.count(DISCOVERY), idp.count(KEYS)), (2, 2));
}

#[tokio::test]
async fn a_new_key_works_as_soon_as_a_token_names_it() {
    let idp = Idp::start().await;
    let source = source(&idp);
    source.keys(Some("a"), at(0)).await.unwrap();
    idp.show(KEYS, Page::keys(&["a", "b"]));
    assert!(source.keys(Some("b"), at(30)).await.unwrap().contains("b"));
    assert_eq!(idp.count(KEYS), 2);
}

#[tokio::test]
async fn a_removed_key_is_gone_with_the_next_fetch() {
    let idp = Idp::start().await;
    let source = source(&idp);
    source.keys(Some("a"), at(0)).await.unwrap();
    idp.show(KEYS, Page::keys(&["b"]));
    assert!(source.keys(Some("a"), at(299)).await.unwrap().contains("a"));
    assert!(!source.keys(Some("a"), at(300)).await.unwrap().contains("a"));
}

#[tokio::test]
async fn keys_that_move_are_found_again() {
    let idp = Idp::start().await;
    let source = source(&idp);
    source.keys(Some("a"), at(0)).await.unwrap();
    idp.discover(&idp.base(), &format!("{}/moved", idp.base()));
    idp.show("/moved", Page::keys(&["b"]));
    assert!(source.keys(Some("b"), at(30)).await.unwrap().contains("b"));
}

#[tokio::test]
async fn a_flood_of_unknown_key_ids_makes_one_request_for_each_cool_down() {
    let idp = Idp::start().await;
    let source = source(&idp);
    for n in 0..1_000 {
        let keys = source.keys(Some(&format!("random-{n}")), at(n / 10)).await.unwrap();
        assert!(keys.contains("a") && !keys.contains("random"));
    }
    // At 0, 30, 60 and 90 seconds.
    assert_eq!(idp.count(KEYS), 4);
}

#[tokio::test]
async fn callers_at_once_share_one_fetch() {
    let idp = Idp::start().await;
    idp.close();
    let source = source(&idp);
    let callers: Vec<_> = (0..50)
        .map(|n| {
            let source = source.clone();
            // Each has read the clock a little earlier or later.
            tokio::spawn(async move { source.keys(Some("a"), at(n % 3)).await })
        })
        .collect();
    idp.reached(1).await;
    idp.open();
    for caller in callers {
        assert!(caller.await.unwrap().unwrap().contains("a"));
    }
    assert_eq!((idp.count(DISCOVERY), idp.count(KEYS)), (1, 1));
}

#[tokio::test]
async fn callers_at_once_share_one_failure() {
    let idp = Idp::start().await;
    idp.close();
    idp.break_down();
    let source = source(&idp);
    let callers: Vec<_> = (0..50)
        .map(|n| {
            let source = source.clone();
            tokio::spawn(async move { source.keys(Some(&format!("k-{n}")), at(0)).await })
        })
        .collect();
    idp.reached(1).await;
    idp.open();
    for caller in callers {
        assert_eq!(caller.await.unwrap().unwrap_err(), Unavailable);
    }
    assert_eq!(idp.count(DISCOVERY), 1);
}

#[tokio::test]
async fn a_caller_that_hangs_up_does_not_end_the_fetch() {
    let idp = Idp::start().await;
    idp.close();
    let source = source(&idp);
    let caller = tokio::spawn({
        let source = source.clone();
        async move { source.keys(Some("a"), at(0)).await }
    });
    idp.reached(1).await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    idp.open();
    assert!(source.keys(Some("a"), at(0)).await.unwrap().contains("a"));
    assert_eq!(idp.count(KEYS), 1);
}

#[tokio::test]
async fn older_keys_serve_while_another_caller_waits_for_newer_ones() {
    let idp = Idp::start().await;
    let source = source(&idp);
    source.keys(Some("a"), at(0)).await.unwrap();
    idp.close();
    idp.show(KEYS, Page::keys(&["b"]));
    let waiting = tokio::spawn({
        let source = source.clone();
        async move { source.keys(Some("a"), at(300)).await }
    });
    idp.reached(3).await;
    assert!(source.keys(Some("a"), at(300)).await.unwrap().contains("a"));
    idp.open();
    assert!(!waiting.await.unwrap().unwrap().contains("a"));
}

#[tokio::test]
async fn the_last_good_keys_serve_for_a_day_if_the_provider_is_down_and_then_there_are_none() {
    let idp = Idp::start().await;
    let source = source(&idp);
    source.keys(Some("a"), at(0)).await.unwrap();
    assert!(source.failure().is_none());
    idp.break_down();
    for seconds in [300, 3_600, DAY - 1] {
        assert!(source.keys(Some("a"), at(seconds)).await.unwrap().contains("a"));
        assert!(source.failure().is_some());
    }
    assert_eq!(source.keys(Some("a"), at(DAY)).await.unwrap_err(), Unavailable);
    assert_eq!(source.keys(None, at(DAY + 60)).await.unwrap_err(), Unavailable);
}

#[tokio::test]
async fn a_provider_that_is_down_is_asked_again_only_after_the_cool_down() {
    let idp = Idp::start().await;
    idp.break_down();
    let source = source(&idp);
    for seconds in 0..30 {
        assert_eq!(source.keys(Some("a"), at(seconds)).await.unwrap_err(), Unavailable);
    }
    assert_eq!(idp.count(DISCOVERY), 1);

    idp.discover(&idp.base(), &format!("{}{KEYS}", idp.base()));
    idp.show(KEYS, Page::keys(&["a"]));
    assert!(source.keys(Some("a"), at(30)).await.unwrap().contains("a"));
    assert!(source.failure().is_none());
}

#[tokio::test]
async fn a_token_without_a_key_id_makes_no_fetch_of_its_own() {
    let idp = Idp::start().await;
    let source = source(&idp);
    for seconds in [0, 100, 299] {
        source.keys(None, at(seconds)).await.unwrap();
    }
    assert_eq!(idp.count(KEYS), 1);
}
