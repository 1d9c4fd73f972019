//! What is sent again, and what is not.

use std::time::{Duration, Instant};

use keystile_client::api::auth::PasswordChange;
use keystile_client::api::roles::{NewRole, RolePatch};
use keystile_client::{Change, Error};

use crate::stub::{Deed, Stub, answer, json, me, problem, role};

#[tokio::test]
async fn a_question_is_asked_until_it_is_answered() {
    let busy = problem(503, "unavailable", &[]);
    let stub = Stub::new([Deed::Close, busy, me()]).await;
    assert_eq!(stub.client().me().show().await.unwrap().principal.name, "CI");
    assert_eq!(stub.asked().len(), 3);
}

#[tokio::test]
async fn a_create_is_sent_again_under_the_same_name() {
    let stub = Stub::new([Deed::Close, json("201 Created", &role(5))]).await;
    let new = NewRole { name: "billing".to_owned(), ..NewRole::default() };
    let made = stub.client().roles().create(&new, &Change::new()).await.unwrap();
    assert_eq!(made.id, 5);
    let asked = stub.asked();
    let [first, second] = &asked[..] else { panic!("{asked:?}") };
    assert!(first.header("idempotency-key").is_some(), "{first:?}");
    assert_eq!(first.header("idempotency-key"), second.header("idempotency-key"));
    assert_eq!(first.body, second.body);
}

#[tokio::test]
async fn two_creates_have_different_names_unless_the_caller_gives_one() {
    let stub = Stub::new([json("201 Created", &role(5))]).await;
    let (roles, new) = (stub.client().roles(), NewRole::default());
    let named = Change::new().idempotency_key("import-1");
    for change in [&Change::new(), &Change::new(), &named] {
        roles.create(&new, change).await.unwrap();
    }
    let asked = stub.asked();
    let names: Vec<_> = asked.iter().map(|asked| asked.header("idempotency-key")).collect();
    assert_ne!(names[0], names[1]);
    assert_eq!(names[2], Some("import-1"));
}

#[tokio::test]
async fn a_change_that_may_have_been_heard_is_not_sent_again() {
    for deed in [Deed::Close, problem(503, "unavailable", &[])] {
        let stub = Stub::new([deed]).await;
        let patch = RolePatch::default();
        let error = stub.client().roles().update(5, &patch, &Change::new()).await.unwrap_err();
        assert!(error.may_be_done(), "{error:?}");
        assert_eq!(stub.asked().len(), 1);
    }
}

#[tokio::test]
async fn a_password_is_not_sent_again() {
    let stub = Stub::new([Deed::Close]).await;
    let new = PasswordChange {
        current_password: "a".to_owned(),
        new_password: "b".to_owned(),
        revoke_tokens: false,
    };
    let error = stub.client().me().change_password(&new, &Change::new()).await.unwrap_err();
    assert!(matches!(error, Error::Lost(_)), "{error:?}");
    assert_eq!(stub.asked().len(), 1);
}

#[tokio::test]
async fn a_change_that_was_refused_unread_is_sent_again() {
    let busy = problem(429, "rate_limited", &["retry-after: 0"]);
    let stub = Stub::new([busy, json("200 OK", &role(5))]).await;
    let changed = stub.client().roles().update(5, &RolePatch::default(), &Change::new()).await;
    assert_eq!(changed.unwrap().id, 5);
}

#[tokio::test]
async fn a_change_that_is_only_tried_may_be_tried_again() {
    let stub = Stub::new([Deed::Close, json("200 OK", &role(5))]).await;
    let tried = Change::new().dry_run(true);
    stub.client().roles().update(5, &RolePatch::default(), &tried).await.unwrap();
    assert_eq!(stub.asked().len(), 2);
}

#[tokio::test]
async fn a_deletion_that_was_done_at_the_first_attempt_is_done() {
    let gone = problem(404, "not_found", &[]);
    let stub = Stub::new([Deed::Close, gone]).await;
    let deleted = stub.client().roles().delete(5, &Change::new()).await.unwrap();
    assert_eq!(deleted.value, None);
    assert_eq!(stub.asked().len(), 2);
}

#[tokio::test]
async fn what_was_never_there_is_not_found() {
    let stub = Stub::new([problem(404, "not_found", &[])]).await;
    let error = stub.client().roles().delete(5, &Change::new()).await.unwrap_err();
    assert!(error.is_not_found(), "{error:?}");
}

#[tokio::test]
async fn a_deletion_that_waits_for_the_cluster_is_not_sent_again() {
    let stub = Stub::new([Deed::Close]).await;
    let change = Change::new().wait_for_cluster(true);
    let error = stub.client().roles().delete(5, &change).await.unwrap_err();
    assert!(error.may_be_done(), "{error:?}");
    assert_eq!(stub.asked().len(), 1);
}

#[tokio::test]
async fn the_pause_that_the_server_asks_for_is_kept() {
    let busy = problem(503, "unavailable", &["retry-after: 1"]);
    let stub = Stub::new([busy, me()]).await;
    let began = Instant::now();
    stub.client().me().show().await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn so_is_the_pause_that_a_proxy_asks_for() {
    let busy = answer("503 Busy", "text/html", &["retry-after: 1"], "<p>Come back");
    let stub = Stub::new([busy, me()]).await;
    let began = Instant::now();
    stub.client().me().show().await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_server_that_asks_for_a_long_pause_is_left_alone() {
    let busy = problem(429, "quota_exceeded", &["retry-after: 86400"]);
    let stub = Stub::new([busy]).await;
    let error = stub.client().me().show().await.unwrap_err();
    let refusal = error.refusal().unwrap();
    assert_eq!(refusal.retry_after, Some(Duration::from_secs(86_400)));
    assert_eq!(stub.asked().len(), 1);
}

#[tokio::test]
async fn without_patience_everything_is_sent_once() {
    let stub = Stub::new([Deed::Close]).await;
    let client = stub.builder().patience(Duration::ZERO).build().unwrap();
    assert!(matches!(client.me().show().await, Err(Error::Lost(_))));
    assert_eq!(stub.asked().len(), 1);
}

#[tokio::test]
async fn a_refusal_that_stays_is_told_at_once() {
    for (status, code) in [(401, "invalid_credential"), (409, "conflict"), (500, "internal")] {
        let stub = Stub::new([problem(status, code, &[])]).await;
        let error = stub.client().me().show().await.unwrap_err();
        assert_eq!(error.status(), Some(status));
        assert_eq!(stub.asked().len(), 1, "{code}");
    }
}
