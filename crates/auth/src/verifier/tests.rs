use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use keystile_domain::{
    AllowedIps, ApiKeyId, Carrier, CredentialKind, Encoding, Expiry, HeaderName, KeyLength,
    KeySettings, Limits, Metadata, Principal, PrincipalKind, Provider, ProviderId, ProviderKind,
    ProviderSettings, QueryName, Rule, SecretFormat, Seq, Timestamp, Version,
};

use super::*;
use crate::FixedClock;

const KEY: &str = "ks_0123456789abcdefghijABCDEFGHIJ0123456789xyz3A8jxH";

/// Gives one answer to everything, and counts how often it is asked.
struct OneAnswer {
    answer: Result<Option<Found>, Outage>,
    asked: AtomicUsize,
}

#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the database is down")]
struct Outage;

impl CredentialStore for OneAnswer {
    type Error = Outage;

    async fn find(&self, _: &Secret) -> Result<Answer, Outage> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.answer.clone().map(Answer::from)
    }
}

type TestVerifier = Verifier<OneAnswer, Arc<FixedClock>>;

fn verifier(answer: Result<Option<Found>, Outage>) -> (TestVerifier, Arc<FixedClock>) {
    let clock = Arc::new(FixedClock::new(now()));
    let store = OneAnswer { answer, asked: AtomicUsize::new(0) };
    (Verifier::new(store, Arc::clone(&clock), Formats::new(vec![format()])), clock)
}

async fn check(verifier: &TestVerifier, text: &str) -> Result<Decision, Rejection<Outage>> {
    let context = Context { source: Some(Carrier::Header.into()), ..Context::default() };
    verifier.check(&Secret::parse(text).unwrap(), &context).await
}

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn format() -> SecretFormat {
    SecretFormat {
        prefix: "ks_".parse().unwrap(),
        encoding: Encoding::Base62,
        key_length: KeyLength::default(),
    }
}

fn provider() -> Provider {
    Provider {
        id: ProviderId::new(now(), [0; 10]),
        identifier: "api-keys".parse().unwrap(),
        name: "API keys".parse().unwrap(),
        kind: ProviderKind::ApiKey,
        priority: 0,
        enabled: true,
        is_default: true,
        allow_insecure_http: false,
        settings: ProviderSettings::Keys(KeySettings {
            format: format(),
            default_expiry_minutes: None,
            max_expiry_minutes: None,
            header_name: HeaderName::default(),
            accept_bearer: true,
            allow_query_string: false,
            query_parameter_name: QueryName::default(),
            admin_may_create: false,
        }),
        version: Version::FIRST,
        created_at: now(),
        updated_at: now(),
    }
}

/// A credential that ends a minute from now.
fn credential() -> Arc<Credential> {
    let id = ApiKeyId::new(now(), [0; 10]).as_uuid();
    Arc::new(Credential {
        id,
        kind: CredentialKind::ApiKey,
        name: "CI".parse().unwrap(),
        key_prefix: "ks_012345".to_owned(),
        enabled: true,
        expiry: Expiry::At(now().after(Duration::from_secs(60))),
        secret_expiry: Expiry::Never,
        allowed_ips: AllowedIps::default(),
        limits: Limits::none(id),
        external_id: None,
        metadata: Metadata::default(),
        principal: Principal { kind: PrincipalKind::ApiKey, id, name: "CI".parse().unwrap() },
        owner_enabled: None,
        signed_in: false,
        provider: Arc::new(provider()),
        roles: Arc::default(),
        scopes: None,
        rights: Arc::default(),
    })
}

fn tombstone() -> Arc<Tombstone> {
    Arc::new(Tombstone {
        id: ApiKeyId::new(now(), [0; 10]).as_uuid(),
        kind: CredentialKind::ApiKey,
        name: "CI".parse().unwrap(),
        key_prefix: "ks_012345".to_owned(),
        deleted_at: now(),
        deleted_by: None,
        reason: None,
        seq: Seq(7),
    })
}

#[tokio::test]
async fn a_known_credential_is_judged_at_the_time_of_the_clock() {
    let (verifier, clock) = verifier(Ok(Some(Found::Credential(credential()))));
    assert!(matches!(check(&verifier, KEY).await, Ok(Decision::Allow(_))));

    clock.advance(Duration::from_secs(60));
    match check(&verifier, KEY).await {
        Ok(Decision::Deny(denial)) => assert_eq!(denial.rule(), Rule::NotExpired),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_context_reaches_the_rules() {
    let (verifier, _) = verifier(Ok(Some(Found::Credential(credential()))));
    let context = Context { source: Some(Carrier::Query.into()), ..Context::default() };
    match verifier.check(&Secret::parse(KEY).unwrap(), &context).await {
        Ok(Decision::Deny(denial)) => assert_eq!(denial.rule(), Rule::SourceAllowed),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_text_of_no_known_format_is_refused_without_a_look_up() {
    let (verifier, _) = verifier(Ok(Some(Found::Credential(credential()))));
    let mistyped = KEY.replace("xyz", "xyy");
    for text in ["junk", &mistyped, &KEY[1..], &format!("{KEY}0")] {
        let rejection = check(&verifier, text).await;
        assert!(matches!(rejection, Err(Rejection::Malformed(_))), "{text}");
    }
    assert_eq!(verifier.store.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn every_check_asks_the_store() {
    let (verifier, _) = verifier(Ok(Some(Found::Credential(credential()))));
    for _ in 0..3 {
        check(&verifier, KEY).await.unwrap();
    }
    assert_eq!(verifier.store.asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn an_unknown_credential_is_told_from_a_deleted_one() {
    let (unknown, _) = verifier(Ok(None));
    assert!(matches!(check(&unknown, KEY).await, Err(Rejection::NotFound)));

    let (deleted, _) = verifier(Ok(Some(Found::Tombstone(tombstone()))));
    match check(&deleted, KEY).await {
        Err(Rejection::Deleted(tombstone)) => assert_eq!(tombstone.seq, Seq(7)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_outage_never_looks_like_an_unknown_credential() {
    let (verifier, _) = verifier(Err(Outage));
    let rejection = check(&verifier, KEY).await.unwrap_err();
    assert!(matches!(rejection, Rejection::Store(_)));
    assert_eq!(rejection.source().unwrap().to_string(), "the database is down");
}
