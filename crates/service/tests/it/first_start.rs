//! The first start, and what makes a start the first one.

use std::io;
use std::sync::Arc;

use keystile_auth::Clock;
use keystile_domain::Secret;
use keystile_service::first_start::{Bootstrap, FirstStartError, initialise};

use crate::stage::{Stage, caller, master};

#[tokio::test(flavor = "multi_thread")]
async fn secrets_that_cannot_be_handed_over_are_never_in_force() {
    let stage = Stage::empty().await;

    let failed =
        stage.start(Bootstrap::default(), |_| Err(io::ErrorKind::StorageFull.into())).await;
    assert!(matches!(failed, Err(FirstStartError::Handover(_))), "{failed:?}");

    let secrets = stage.start(Bootstrap::default(), |_| Ok(())).await.unwrap();
    assert!(secrets.is_some(), "the next start is a first start again");
    let third = stage.start(Bootstrap::default(), |_| panic!("nothing to tell")).await.unwrap();
    assert!(third.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_opened_by_its_own_master_key_alone() {
    let stage = Stage::empty().await;
    stage.start(Bootstrap::default(), |_| Ok(())).await.unwrap();
    let clock: Arc<dyn Clock> = stage.clock.clone();

    let bootstrap = Bootstrap::default();
    let refused = initialise(&stage.store, &master(2), &clock, bootstrap, |_| Ok(())).await;

    assert!(matches!(refused, Err(FirstStartError::WrongMasterKey)), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_given_key_of_any_format_is_used_and_not_told_again() {
    let stage = Stage::empty().await;
    let given = "a-key-from-the-old-system";

    let secrets = stage.start(with(given), |_| Ok(())).await.unwrap().unwrap();

    assert!(secrets.admin_key.is_none() && secrets.admin_password.is_some());
    assert!(caller(&stage.open().await, given).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_given_key_that_is_one_of_ours_mistyped_stops_the_start() {
    let stage = Stage::empty().await;
    for mistyped in
        ["ks_0123456789abcdefghijABCDEFGHIJ0123456789xyz3A8jxh", "ks_tooshorttobeanykey"]
    {
        let refused = stage.start(with(mistyped), |_| Ok(())).await;
        assert!(matches!(refused, Err(FirstStartError::MistypedKey)), "{mistyped}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_given_password_that_is_weak_stops_the_start() {
    let stage = Stage::empty().await;
    for weak in ["short", "admin admin admin admin", "a\tb mulberry tractor envelope"] {
        let bootstrap = Bootstrap { admin_password: Some(weak.into()), ..Bootstrap::default() };
        let refused = stage.start(bootstrap, |_| panic!("nothing to tell")).await.unwrap_err();
        let told = refused.to_string();
        assert!(told.contains("KEYSTILE_BOOTSTRAP_ADMIN_PASSWORD"), "{told}");
    }
    assert!(stage.start(Bootstrap::default(), |_| Ok(())).await.unwrap().is_some());
}

fn with(key: &str) -> Bootstrap {
    Bootstrap { admin_key: Some(Secret::parse(key).unwrap()), ..Bootstrap::default() }
}
