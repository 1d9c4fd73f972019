//! Tokens end at their moment, to the millisecond, and with them whatever they make.

use std::time::Duration;

use keystile_auth::Clock;
use keystile_domain::{Expiry, RotationOverlap, Timestamp, User};
use keystile_service::change::{Changed, Options};
use keystile_service::tokens::{AskedEnd, IssuedToken, TokenChange, TokenDraft, TokenOwner};
use keystile_service::users::{UserChange, UserDraft};
use keystile_service::{Caller, Conflict, Keystile, ServiceError};

use crate::stage::{Stage, caller};

#[tokio::test(flavor = "multi_thread")]
async fn a_token_works_until_the_last_millisecond_before_its_end() {
    let (stage, keystile, admin) = Stage::started().await;
    let bot = bot(&keystile, &admin).await;
    let issued = issue(&keystile, &admin, &bot, ending(AskedEnd::InMinutes(1))).await.unwrap();
    let secret = issued.secret.expose();

    stage.clock.advance(Duration::from_millis(59_999));
    assert!(caller(&keystile, secret).await.is_ok());
    stage.clock.advance(Duration::from_millis(1));
    assert!(caller(&keystile, secret).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn days_and_minutes_count_from_the_moment_of_the_change() {
    let (stage, keystile, admin) = Stage::started().await;
    let bot = bot(&keystile, &admin).await;
    for (asked, span) in [
        (None, 90 * DAY),
        (Some(AskedEnd::InDays(1)), DAY),
        (Some(AskedEnd::InDays(365)), 365 * DAY),
        (Some(AskedEnd::InMinutes(365 * 24 * 60)), 365 * DAY),
        (Some(AskedEnd::At(later(&stage, 365 * DAY))), 365 * DAY),
    ] {
        let draft = TokenDraft { end: asked, ..draft() };
        let issued = issue(&keystile, &admin, &bot, draft).await.unwrap();
        assert_eq!(issued.shown.token.expiry, later(&stage, span), "{asked:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_beyond_what_the_provider_allows_is_refused_where_it_was_asked() {
    let (stage, keystile, admin) = Stage::started().await;
    let bot = bot(&keystile, &admin).await;
    for (asked, pointer) in [
        (AskedEnd::InDays(366), "/expires_in_days"),
        (AskedEnd::InMinutes(365 * 24 * 60 + 1), "/expires_in_minutes"),
        (AskedEnd::At(Expiry::At(at(&stage, 365 * DAY + Duration::from_millis(1)))), "/expires_at"),
        (AskedEnd::At(Expiry::Never), "/expires_at"),
        (AskedEnd::At(Expiry::At(stage.clock.now())), "/expires_at"),
    ] {
        let refused = issue(&keystile, &admin, &bot, ending(asked)).await.unwrap_err();
        let ServiceError::Broken(broken) = refused else { panic!("{asked:?}: {refused}") };
        assert_eq!(broken[0].pointer, pointer);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_token_makes_ends_no_later_than_itself() {
    let (stage, keystile, admin) = Stage::started().await;
    let bot = bot(&keystile, &admin).await;
    let parent = issue(&keystile, &admin, &bot, ending(AskedEnd::InDays(7))).await.unwrap();
    let end = parent.shown.token.expiry;
    let parent = caller(&keystile, parent.secret.expose()).await.unwrap();
    stage.clock.advance(DAY);

    let child = own(&keystile, &parent, draft()).await.unwrap();
    assert_eq!(child.shown.token.expiry, end, "the default is cut");
    own(&keystile, &parent, ending(AskedEnd::At(end))).await.unwrap();
    own(&keystile, &parent, ending(AskedEnd::InDays(6))).await.unwrap();
    let later = own(&keystile, &parent, ending(AskedEnd::InDays(7))).await.unwrap_err();
    assert!(matches!(later, ServiceError::Broken(_)), "{later}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_old_secret_makes_ends_with_it() {
    let (stage, keystile, admin) = Stage::started().await;
    let bot = bot(&keystile, &admin).await;
    let issued = issue(&keystile, &admin, &bot, draft()).await.unwrap();
    let old = caller(&keystile, issued.secret.expose()).await.unwrap();
    rotate(&keystile, &admin, &issued, Duration::from_secs(60)).await.unwrap();

    let child = own(&keystile, &old, draft()).await.unwrap();

    assert_eq!(child.shown.token.expiry, later(&stage, Duration::from_secs(60)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_has_ended_stays_ended() {
    let (stage, keystile, admin) = Stage::started().await;
    let bot = bot(&keystile, &admin).await;
    let alive = issue(&keystile, &admin, &bot, draft()).await.unwrap();
    let alive = caller(&keystile, alive.secret.expose()).await.unwrap();
    let ended = issue(&keystile, &admin, &bot, ending(AskedEnd::InMinutes(1))).await.unwrap();
    stage.clock.advance(Duration::from_secs(60));

    let rotated = rotate(&keystile, &admin, &ended, Duration::ZERO).await.unwrap_err();
    assert!(matches!(rotated, ServiceError::Conflict(Conflict::TokenEnded)), "{rotated}");
    let change = TokenChange { expiry: Some(later(&stage, DAY)), ..TokenChange::default() };
    let (owner, id) = (TokenOwner::Caller, ended.shown.token.id);
    let moved = keystile.update_token(&alive, owner, id, None, change, Options::default()).await;
    let moved = moved.unwrap_err();
    assert!(matches!(moved, ServiceError::Conflict(Conflict::TokenEnded)), "{moved}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_secret_never_outlives_its_token() {
    let (stage, keystile, admin) = Stage::started().await;
    let bot = bot(&keystile, &admin).await;
    let issued = issue(&keystile, &admin, &bot, ending(AskedEnd::InMinutes(2))).await.unwrap();
    let new = rotate(&keystile, &admin, &issued, DAY).await.unwrap();
    for (minutes, works) in [(1, true), (2, false)] {
        stage.clock.advance(Duration::from_secs(60));
        for secret in [&issued.secret, &new.secret] {
            let known = caller(&keystile, secret.expose()).await.is_ok();
            assert_eq!(known, works, "after {minutes} minutes");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_who_was_switched_off_meanwhile_makes_nothing() {
    let (_stage, keystile, admin) = Stage::started().await;
    let bot = bot(&keystile, &admin).await;
    let issued = issue(&keystile, &admin, &bot, draft()).await.unwrap();
    let by = caller(&keystile, issued.secret.expose()).await.unwrap();
    let off = UserChange { enabled: Some(false), ..UserChange::default() };
    keystile.update_user(&admin, bot.id, None, off, Options::default()).await.unwrap();

    let refused = own(&keystile, &by, draft()).await.unwrap_err();

    assert!(matches!(refused, ServiceError::Unauthenticated), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_have_ended_do_not_stand_in_the_way_of_their_owner() {
    let (stage, keystile, admin) = Stage::started().await;
    let bot = bot(&keystile, &admin).await;
    issue(&keystile, &admin, &bot, ending(AskedEnd::InMinutes(1))).await.unwrap();
    let remove = async || {
        let (removal, options) = (Default::default(), Options::default());
        keystile.remove_user(&admin, bot.id, None, removal, options).await
    };

    let refused = remove().await.unwrap_err();
    assert!(matches!(refused, ServiceError::Conflict(Conflict::LiveTokens(_))), "{refused}");
    stage.clock.advance(Duration::from_secs(60));
    remove().await.unwrap();
}

/// A service account without roles.
async fn bot(keystile: &Keystile, admin: &Caller) -> User {
    let draft = UserDraft {
        username: "bot".parse().unwrap(),
        display_name: None,
        email: None,
        password: None,
        is_service_account: true,
        enabled: true,
        roles: [].into(),
        rate_limits: Default::default(),
        external_id: None,
        metadata: Default::default(),
    };
    done(keystile.create_user(admin, draft, Options::default()).await).unwrap()
}

fn draft() -> TokenDraft {
    TokenDraft { name: None, description: None, provider: None, end: None, scopes: None }
}

fn ending(end: AskedEnd) -> TokenDraft {
    TokenDraft { end: Some(end), ..draft() }
}

async fn issue(
    keystile: &Keystile,
    by: &Caller,
    owner: &User,
    draft: TokenDraft,
) -> Result<IssuedToken, ServiceError> {
    let owner = TokenOwner::User(owner.id);
    done(keystile.create_token(by, owner, draft, Options::default()).await)
}

/// A token that somebody makes for themselves.
async fn own(
    keystile: &Keystile,
    by: &Caller,
    draft: TokenDraft,
) -> Result<IssuedToken, ServiceError> {
    done(keystile.create_token(by, TokenOwner::Caller, draft, Options::default()).await)
}

async fn rotate(
    keystile: &Keystile,
    by: &Caller,
    issued: &IssuedToken,
    overlap: Duration,
) -> Result<IssuedToken, ServiceError> {
    let token = &issued.shown.token;
    let seconds = overlap.as_secs().try_into().unwrap();
    let overlap = RotationOverlap::from_seconds(seconds).unwrap();
    let owner = TokenOwner::User(token.owner);
    done(keystile.rotate_token(by, owner, token.id, None, overlap, Options::default()).await)
}

fn done<T>(changed: Result<Changed<T>, ServiceError>) -> Result<T, ServiceError> {
    match changed? {
        Changed::Done(value) => Ok(value),
        _ => panic!("it was not made"),
    }
}

fn at(stage: &Stage, span: Duration) -> Timestamp {
    stage.clock.now().after(span)
}

fn later(stage: &Stage, span: Duration) -> Expiry {
    Expiry::At(at(stage, span))
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
