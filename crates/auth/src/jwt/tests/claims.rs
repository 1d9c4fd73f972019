//! What the claims must say: each by its type, its value and its edge.

use std::time::Duration;

use super::*;

/// One value of each JSON type, and numbers that are no dates.
fn odd_values() -> [Value; 13] {
    [
        json!("text"),
        json!(""),
        json!(1),
        json!(-1),
        json!(1e300),
        json!(null),
        json!(true),
        json!(false),
        json!([]),
        json!([1]),
        json!([null, ISSUER]),
        json!({}),
        json!({"iss": ISSUER}),
    ]
}

#[test]
fn a_token_in_order_gives_its_claims() {
    let claims = verify_claims(&claims()).unwrap();
    assert_eq!((claims.issuer(), claims.subject()), (ISSUER, "u-1"));
    assert_eq!(claims.audiences().collect::<Vec<_>>(), [AUDIENCE]);
    assert_eq!(claims.expires_at(), at(NOW + 300));
    assert_eq!((claims.not_before(), claims.issued_at()), (Some(at(NOW - 10)), Some(at(NOW - 10))));
    assert_eq!((claims.id(), claims.authorized_party()), (Some("j-1"), None));
    assert_eq!(claims.scopes().collect::<Vec<_>>(), ["invoices.read", "invoices.write"]);
    assert_eq!(claims.claim("client_id"), Some(&json!("c-1")));
    assert_eq!(claims.claim("CLIENT_ID"), None);
    assert_eq!(format!("{claims:?}"), "Claims(..)");
}

#[test]
fn a_claim_of_a_wrong_type_is_refused_and_never_taken_for_absent() {
    for (name, refusal, allowed) in [
        ("iss", TokenError::Issuer, vec![]),
        ("sub", TokenError::Subject, vec![json!("text")]),
        ("aud", TokenError::Audience, vec![]),
        ("azp", TokenError::AuthorizedParty, vec![json!("text")]),
        ("exp", TokenError::Expiry, vec![json!(1)]),
        ("nbf", TokenError::NotBefore, vec![json!(1)]),
        ("iat", TokenError::IssuedAt, vec![json!(1)]),
        ("jti", TokenError::JwtId, vec![json!("text")]),
        ("scope", TokenError::Scope, vec![json!("text"), json!("")]),
    ] {
        for value in odd_values() {
            if !allowed.contains(&value) {
                let refused = verify_claims(&claims_with(name, value.clone())).err();
                assert_eq!(refused, Some(refusal), "{name}: {value}");
            }
        }
    }
}

#[test]
fn a_claim_that_is_required_is_missed() {
    for (name, refusal) in [
        ("iss", TokenError::Issuer),
        ("sub", TokenError::Subject),
        ("aud", TokenError::Audience),
        ("exp", TokenError::Expiry),
    ] {
        assert_eq!(verify_claims(&claims_without(name)).err(), Some(refusal), "{name}");
    }
    for name in ["nbf", "iat", "jti", "scope", "azp"] {
        assert!(verify_claims(&claims_without(name)).is_ok(), "{name}");
    }
}

#[test]
fn the_issuer_is_compared_to_the_last_character() {
    for issuer in [
        "https://login.example/tenant/",
        "https://login.example/Tenant",
        "https://LOGIN.example/tenant",
        "https://login.example/tenan",
        "https://login.example/tenant2",
        "https://login.example",
        "http://login.example/tenant",
        " https://login.example/tenant",
        "https://login.example/tenant\u{200b}",
        "https://lоgin.example/tenant",
    ] {
        let refusal = verify_claims(&claims_with("iss", json!(issuer))).err();
        assert_eq!(refusal, Some(TokenError::Issuer), "{issuer}");
    }
    let list = claims_with("iss", json!([ISSUER, "https://evil.example"]));
    assert_eq!(verify_claims(&list).err(), Some(TokenError::Issuer));
}

#[test]
fn one_of_our_audiences_must_be_named() {
    for audience in [
        json!(AUDIENCE),
        json!([AUDIENCE]),
        json!(["https://third.example", AUDIENCE]),
        json!("https://other.example"),
    ] {
        assert!(verify_claims(&claims_with("aud", audience.clone())).is_ok(), "{audience}");
    }
    for audience in [
        json!(&AUDIENCE[..AUDIENCE.len() - 1]),
        json!("https://invoices.example/"),
        json!("https://INVOICES.example"),
        json!("https://third.example"),
        json!(["https://third.example", "https://fourth.example"]),
        json!([AUDIENCE, 1]),
        json!([AUDIENCE, null]),
        json!([AUDIENCE, ""]),
        json!([[AUDIENCE]]),
        json!({AUDIENCE: true}),
        json!(["*"]),
    ] {
        let refusal = verify_claims(&claims_with("aud", audience.clone())).err();
        assert_eq!(refusal, Some(TokenError::Audience), "{audience}");
    }
    let nobody = Expectations { audiences: Audiences::OneOf(&[]), ..EXPECTED };
    assert_eq!(verify_claims_with(&claims(), &nobody).err(), Some(TokenError::Audience));
}

#[test]
fn a_token_that_is_only_told_about_may_be_addressed_to_anybody_but_not_to_nobody() {
    let expected = Expectations { audiences: Audiences::Any, ..EXPECTED };
    let judge = |claims: &Value| verify_claims_with(claims, &expected).err();
    assert_eq!(judge(&claims_with("aud", json!("https://third.example"))), None);
    for claims in
        [claims_without("aud"), claims_with("aud", json!([])), claims_with("aud", json!(""))]
    {
        assert_eq!(judge(&claims), Some(TokenError::Audience), "{claims}");
    }
}

#[test]
fn an_authorized_party_is_compared_if_there_is_one_and_one_is_expected() {
    let expected = Expectations { authorized_party: Some("c-1"), ..EXPECTED };
    let judge = |claims: &Value| verify_claims_with(claims, &expected).err();
    assert_eq!(judge(&claims()), None);
    assert_eq!(judge(&claims_with("azp", json!("c-1"))), None);
    assert_eq!(judge(&claims_with("azp", json!("c-2"))), Some(TokenError::AuthorizedParty));
    assert!(verify_claims(&claims_with("azp", json!("c-2"))).is_ok());
}

#[test]
fn each_time_holds_to_the_second_and_its_leeway() {
    let minute = Leeway::MAX;
    let half = Leeway::try_from(Duration::from_secs(30)).unwrap();
    for (leeway, seconds) in [(Leeway::NONE, 0), (half, 30), (minute, 60)] {
        let expected = Expectations { leeway, ..EXPECTED };
        let judge = |name: &str, time: i64| {
            verify_claims_with(&claims_with(name, json!(time)), &expected).err()
        };
        for (name, refusal) in
            [("nbf", TokenError::NotYetValid), ("iat", TokenError::IssuedInFuture)]
        {
            assert_eq!(judge(name, NOW + seconds - 1), None, "{name} {seconds}");
            assert_eq!(judge(name, NOW + seconds), None, "{name} {seconds}");
            assert_eq!(judge(name, NOW + seconds + 1), Some(refusal), "{name} {seconds}");
        }
        assert_eq!(judge("exp", NOW - seconds + 1), None, "{seconds}");
        assert_eq!(judge("exp", NOW - seconds), Some(TokenError::Expired), "{seconds}");
        assert_eq!(judge("exp", NOW - seconds - 1), Some(TokenError::Expired), "{seconds}");
    }
}

#[test]
fn a_time_may_have_a_fraction() {
    let just_valid = claims_with("exp", json!(1_800_000_000.25));
    assert_eq!(
        verify_claims(&just_valid).unwrap().expires_at(),
        Timestamp::from_millis(1_800_000_000_250)
    );
    let just_early = claims_with("nbf", json!(1_800_000_000.5));
    assert_eq!(verify_claims(&just_early).err(), Some(TokenError::NotYetValid));
}

#[test]
fn a_time_lies_between_the_years_1970_and_9999() {
    for time in [json!(253_402_300_799_u64), json!(253_402_300_799.9)] {
        assert!(verify_claims(&claims_with("exp", time)).is_ok());
    }
    for time in [
        json!(253_402_300_800_u64),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(-1),
        json!(-0.5),
        json!(1e18),
        json!("1800000300"),
        json!("2027-01-15T08:00:00Z"),
    ] {
        let refusal = verify_claims(&claims_with("exp", time.clone())).err();
        assert_eq!(refusal, Some(TokenError::Expiry), "{time}");
    }
}

#[test]
fn a_subject_and_a_token_id_have_1_to_255_bytes_without_control_characters() {
    for (name, refusal) in [("sub", TokenError::Subject), ("jti", TokenError::JwtId)] {
        for text in ["u", "auth0|5f7c8ec7", "repo:o/r:ref:refs/heads/main", &"é".repeat(127)] {
            assert!(verify_claims(&claims_with(name, json!(text))).is_ok(), "{name} {text}");
        }
        for text in ["", &"u".repeat(256), &"é".repeat(128), "a\0", "a\nb", "\u{7f}", "\u{9b}"] {
            let refused = verify_claims(&claims_with(name, json!(text))).err();
            assert_eq!(refused, Some(refusal), "{name} {text:?}");
        }
    }
}

#[test]
fn an_id_token_is_no_access_token() {
    for name in ["nonce", "at_hash", "c_hash"] {
        let claims = claims_with(name, json!("x"));
        assert_eq!(verify_claims(&claims).err(), Some(TokenError::IdToken), "{name}");
        let identity = Expectations { token_use: TokenUse::Identity, ..EXPECTED };
        assert!(verify_claims_with(&claims, &identity).is_ok(), "{name}");
    }
}

#[test]
fn a_type_that_is_not_expected_is_refused() {
    let signer = Signer::ed25519();
    for (header, refusal) in [
        (json!({"alg": "EdDSA", "typ": "at+jwt"}), None),
        (json!({"alg": "EdDSA", "typ": "application/AT+JWT"}), None),
        (json!({"alg": "EdDSA", "typ": "JWT"}), Some(TokenError::Type)),
        (json!({"alg": "EdDSA", "typ": "logout+jwt"}), Some(TokenError::Type)),
        (json!({"alg": "EdDSA", "typ": "secevent+jwt"}), Some(TokenError::Type)),
        (json!({"alg": "EdDSA", "typ": null}), Some(TokenError::Type)),
        (json!({"alg": "EdDSA"}), Some(TokenError::Type)),
        (json!({"alg": "EdDSA", "typ": "at+jwt", "crit": ["exp"]}), Some(TokenError::Critical)),
        (json!({"alg": "EdDSA", "typ": "at+jwt", "crit": []}), Some(TokenError::Critical)),
        (json!({"alg": "EdDSA", "typ": "at+jwt", "b64": false}), Some(TokenError::Transformed)),
        (json!({"alg": "EdDSA", "typ": "at+jwt", "zip": "DEF"}), Some(TokenError::Transformed)),
    ] {
        let token = signer.token_of(&header.to_string(), &claims().to_string());
        assert_eq!(verify_text(&token, &signer, &EXPECTED), refusal, "{header}");
    }
}

#[test]
fn a_member_twice_is_refused_in_private_claims_too() {
    let signer = Signer::ed25519();
    let plain = claims().to_string();
    for (name, value) in [("scope", "\"admin\""), ("exp", "9999999999"), ("client_id", "\"c\"")] {
        let twice = format!("{{\"{name}\":{value},{}", &plain[1..]);
        let token = signer.token_of(&signer.header().to_string(), &twice);
        assert_eq!(verify_text(&token, &signer, &EXPECTED), Some(TokenError::Claims), "{name}");
    }
}

#[test]
fn claims_that_are_no_object_are_refused() {
    let signer = Signer::ed25519();
    let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
    for text in ["[]", "null", "\"a\"", "1", "{}{}", "{\"iss\"", "eyJh.eyJh.c2ln", &deep] {
        let token = signer.token_of(&signer.header().to_string(), text);
        assert_eq!(verify_text(&token, &signer, &EXPECTED), Some(TokenError::Claims), "{text}");
    }
}

#[test]
fn scopes_are_the_scope_or_else_the_scp() {
    let scopes = |scope: Option<Value>, scp: Option<Value>| {
        let mut claims = claims_without("scope");
        for (name, value) in [("scope", scope), ("scp", scp)] {
            if let Some(value) = value {
                claims[name] = value;
            }
        }
        verify_claims(&claims).map(|claims| claims.scopes().collect::<Vec<_>>().join("|"))
    };
    assert_eq!(scopes(None, None).unwrap(), "");
    assert_eq!(scopes(Some(json!("a B a.b")), None).unwrap(), "a|B|a.b");
    assert_eq!(scopes(Some(json!("a  b ")), None).unwrap(), "a|b");
    assert_eq!(scopes(Some(json!("a\tb,c")), None).unwrap(), "a\tb,c");
    assert_eq!(scopes(None, Some(json!("a b"))).unwrap(), "a|b");
    assert_eq!(scopes(None, Some(json!(["a", "b c"]))).unwrap(), "a|b c");
    assert_eq!(scopes(Some(json!("a")), Some(json!(["b"]))).unwrap(), "a");
    for scp in [json!(null), json!(1), json!({}), json!(["a", 1]), json!(true)] {
        assert_eq!(scopes(None, Some(scp.clone())).err(), Some(TokenError::Scope), "{scp}");
    }
}
