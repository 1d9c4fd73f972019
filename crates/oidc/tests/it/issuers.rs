//! Several issuers, and what is kept of them when settings change.

use keystile_oidc::{Issuers, Web};

use crate::idp::{Idp, KEYS, Page};
use crate::{COOL_DOWN, at};

#[tokio::test]
async fn a_source_outlives_a_change_of_settings_and_not_its_authority() {
    let (kept, dropped) = (Idp::start().await, Idp::start().await);
    let issuers = Issuers::new(Web::new()).with_cool_down(COOL_DOWN);
    for idp in [&kept, &dropped] {
        issuers.source(&idp.authority()).keys(Some("a"), at(0)).await.unwrap();
    }
    issuers.retain(|authority| *authority == kept.authority());
    for idp in [&kept, &dropped] {
        issuers.source(&idp.authority()).keys(Some("a"), at(1)).await.unwrap();
    }
    assert_eq!((kept.count(KEYS), dropped.count(KEYS)), (1, 2));
}

#[tokio::test]
async fn each_issuer_has_its_own_keys_whatever_their_ids() {
    let (one, other) = (Idp::start().await, Idp::start().await);
    one.show(KEYS, Page::keys(&["shared", "one"]));
    other.show(KEYS, Page::keys(&["shared", "other"]));
    for issuers in [Issuers::new(Web::new()), Issuers::new(Web::new())] {
        let ours = issuers.source(&one.authority()).keys(Some("shared"), at(0)).await.unwrap();
        let theirs = issuers.source(&other.authority()).keys(Some("shared"), at(0)).await.unwrap();
        assert!(ours.contains("one") && !ours.contains("other"));
        assert!(theirs.contains("other") && !theirs.contains("one"));
    }
}

#[tokio::test]
async fn authorities_that_differ_by_a_slash_are_two() {
    let idp = Idp::start().await;
    let issuers = Issuers::new(Web::new());
    assert!(issuers.source(&idp.authority()).keys(None, at(0)).await.is_ok());
    let slashed = format!("{}/", idp.base()).parse().unwrap();
    assert!(issuers.source(&slashed).keys(None, at(0)).await.is_err());
}
