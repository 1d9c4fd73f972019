use super::*;
use crate::Refusal;
use crate::testing::{BUSY, FakeRequest, Judge, KEY, OUTAGE};

fn guard() -> Guard<Judge> {
    Guard::new(Judge)
}

/// A request over plain HTTP, from this very machine.
fn request() -> FakeRequest {
    FakeRequest::new().peer("127.0.0.1")
}

fn with_key() -> FakeRequest {
    request().header("X-API-Key", KEY)
}

async fn get(guard: &Guard<Judge>, request: &FakeRequest) -> Result<Grant, Refused> {
    guard.check(request, "GET", "/invoices/7").await
}

async fn code(guard: &Guard<Judge>, request: &FakeRequest) -> &'static str {
    match get(guard, request).await {
        Ok(_) => "let in",
        Err(refused) => refused.problem().code(),
    }
}

#[tokio::test]
async fn a_guard_lets_in_whoever_shows_a_valid_credential() {
    let grant = get(&guard(), &with_key()).await.unwrap();
    assert_eq!(grant.credential().name.as_str(), "CI pipeline");
    let bearer = request().header("Authorization", format!("Bearer {KEY}"));
    assert_eq!(code(&guard(), &bearer).await, "let in");
}

#[tokio::test]
async fn whatever_is_wrong_has_one_word() {
    let guard = guard();
    for (request, expected) in [
        (request(), "missing_credential"),
        (request().header("X-API-Key", "made-up"), "invalid_credential"),
        (request().header("X-API-Key", "not one"), "invalid_credential"),
        (with_key().header("X-API-Key", KEY), "ambiguous_credentials"),
        (request().header("X-API-Key", BUSY), "rate_limited"),
        (request().header("X-API-Key", OUTAGE), "unavailable"),
        (with_key().peer("203.0.113.9"), "insecure_transport"),
    ] {
        assert_eq!(code(&guard, &request).await, expected, "{request:?}");
    }
}

#[tokio::test]
async fn a_guard_may_require_permissions_and_names_those_that_are_missing() {
    let readers = guard().requiring("invoices.read").unwrap();
    assert_eq!(code(&readers, &with_key()).await, "let in");

    let writers = readers.requiring("invoices.read and invoices.write").unwrap();
    let refused = get(&writers, &with_key()).await.unwrap_err().problem();
    assert_eq!(refused.status(), 403);
    assert_eq!(refused.text(), "The credential lacks invoices.write.");
    assert!(guard().requiring("invoices.read or").is_err());
}

#[tokio::test]
async fn a_guard_may_require_that_a_role_opens_the_endpoint() {
    let guard = guard().requiring_endpoint();
    assert_eq!(code(&guard, &with_key()).await, "let in");
    for (method, path) in [("POST", "/invoices/7"), ("GET", "/orders"), ("GET", "/invoices/%zz")] {
        let refused = guard.check(&with_key(), method, path).await.unwrap_err();
        assert_eq!(refused.problem().code(), "endpoint_not_allowed", "{method} {path}");
    }
}

#[tokio::test]
async fn a_guard_believes_the_proxies_and_networks_that_it_is_told() {
    let far = with_key().peer("10.0.0.1");
    assert_eq!(code(&guard(), &far).await, "insecure_transport");
    let networks: Networks = "10.0.0.0/8".parse().unwrap();
    assert_eq!(code(&guard().with_insecure_http_from(networks), &far).await, "let in");

    let guard = guard().with_proxies("10.0.0.0/8".parse().unwrap());
    let forwarded = |text: &str| far.clone().header("Forwarded", text);
    assert_eq!(code(&guard, &forwarded("for=203.0.113.9;proto=https")).await, "let in");
    assert_eq!(code(&guard, &forwarded("for=203.0.113.9")).await, "insecure_transport");
    assert_eq!(code(&guard, &forwarded("for=_hidden;proto=https")).await, "bad_request");
}

#[tokio::test]
async fn a_guard_may_look_at_other_places() {
    let guard = guard().with_chain(Chain::new([crate::Place::BEARER]));
    assert!(matches!(get(&guard, &with_key()).await, Err(Refused::Absent)));
    let twice = request().header("Authorization", format!("Bearer {KEY}"));
    let twice = twice.header("Authorization", format!("Bearer {KEY}"));
    let refused = get(&guard, &twice).await.unwrap_err();
    assert!(matches!(refused, Refused::Presented(Refusal::Ambiguous)));
}

#[tokio::test]
async fn what_a_client_is_told_says_when_to_come_back_and_what_to_show() {
    let busy = get(&guard(), &request().header("X-API-Key", BUSY)).await.unwrap_err().problem();
    assert_eq!((busy.status(), busy.retry_after_seconds()), (429, Some(2)), "rounded up");
    let nobody = get(&guard(), &request()).await.unwrap_err().problem();
    assert_eq!(nobody.challenge(), Some(r#"Bearer realm="keystile""#));
    assert_eq!(
        nobody.to_json(),
        r#"{"type":"https://tools.ietf.org/html/rfc7235#section-3.1","title":"Unauthorized","status":401,"code":"missing_credential","detail":"The request needs a credential."}"#
    );
}
