//! What happens between the beginning of a request and its change.

use std::time::Duration;

use keystile_auth::Clock;
use keystile_domain::{Expiry, RotationOverlap};
use keystile_service::api_keys::{ApiKeyChange, ApiKeyDraft, IssuedApiKey};
use keystile_service::change::{Changed, Options};
use keystile_service::{Caller, Conflict, Keystile, Replay, ServiceError};

use crate::stage::{Stage, caller, draft, issue, secret_of};

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_lost_the_role_meanwhile_changes_nothing() {
    let (_stage, keystile, admin) = Stage::started().await;
    let (manager, key) = manager(&keystile, &admin).await;
    let change = ApiKeyChange { roles: Some([].into()), ..ApiKeyChange::default() };
    let id = key.shown.api_key.id;
    keystile.update_api_key(&admin, id, None, change, Options::default()).await.unwrap();

    let refused = issue(&keystile, &manager, draft("child")).await.unwrap_err();

    assert!(matches!(refused, ServiceError::Lacking(_)), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_was_deleted_meanwhile_is_nobody() {
    let (_stage, keystile, admin) = Stage::started().await;
    let (manager, key) = manager(&keystile, &admin).await;
    let id = key.shown.api_key.id;
    keystile.remove_api_key(&admin, id, None, None, Options::default()).await.unwrap();

    let refused = issue(&keystile, &manager, draft("child")).await.unwrap_err();

    assert!(matches!(refused, ServiceError::Unauthenticated), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_whose_time_ran_out_meanwhile_is_nobody() {
    let (stage, keystile, admin) = Stage::started().await;
    let end = Expiry::At(stage.clock.now().after(Duration::from_secs(60)));
    let short = ApiKeyDraft { expiry: Some(end), ..draft("short") };
    let key = issue(&keystile, &admin, short).await.unwrap();
    let short = caller(&keystile, secret_of(&key)).await.unwrap();
    stage.clock.advance(Duration::from_secs(60));

    let refused = issue(&keystile, &short, draft("child")).await.unwrap_err();

    assert!(matches!(refused, ServiceError::Unauthenticated), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_kept_for_the_secret_that_asked_and_for_no_other_of_the_same_key() {
    let (_stage, keystile, admin) = Stage::started().await;
    let (old, key) = manager(&keystile, &admin).await;
    let id = key.shown.api_key.id;
    let overlap = RotationOverlap::from_seconds(600).unwrap();
    let rotated =
        keystile.rotate_api_key(&admin, id, None, overlap, Options::default()).await.unwrap();
    let Changed::Done(rotated) = rotated else { panic!("rotated for good") };
    let new = caller(&keystile, secret_of(&rotated)).await.unwrap();
    let ask = async |by: &Caller| keystile.create_api_key(by, draft("once"), replayed()).await;

    let first = ask(&old).await.unwrap();
    let again = ask(&old).await.unwrap();
    let other = ask(&new).await.unwrap_err();

    let Changed::Done(issued) = first else { panic!("made for good") };
    let Changed::Replayed(kept) = again else { panic!("made once") };
    assert_eq!(kept, secret_of(&issued).as_bytes());
    let unreadable = matches!(other, ServiceError::Conflict(Conflict::ReplayUnreadable));
    assert!(unreadable, "{other:?}");
}

async fn manager(keystile: &Keystile, admin: &Caller) -> (Caller, IssuedApiKey) {
    let key = issue(keystile, admin, draft("manager")).await.unwrap();
    (caller(keystile, secret_of(&key)).await.unwrap(), key)
}

/// The same request, by whoever makes it.
fn replayed() -> Options<IssuedApiKey> {
    let replay = Replay {
        key: "request-1".parse().unwrap(),
        request: [7; 32],
        render: |issued: &IssuedApiKey| Ok(secret_of(issued).as_bytes().to_vec()),
    };
    Options { dry_run: false, replay: Some(replay) }
}
