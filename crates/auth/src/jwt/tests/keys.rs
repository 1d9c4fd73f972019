//! Which keys of a published set are used.

use super::signer::{encode, key_set};
use super::*;

#[test]
fn a_key_that_is_not_for_our_signatures_is_skipped() {
    let ec = Signer::new(JwtAlgorithm::Es256).jwk();
    let rsa = Signer::new(JwtAlgorithm::Rs256).jwk();
    let with = |jwk: &Value, name: &str, value: Value| {
        let mut jwk = jwk.clone();
        jwk[name] = value;
        jwk
    };
    for odd in [
        json!({}),
        json!({"kty": "oct", "k": "AAAA", "alg": "HS256", "kid": "k-1"}),
        json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA"}),
        with(&ec, "kty", json!("RSA")),
        with(&ec, "kty", json!("ec")),
        with(&ec, "kty", json!(null)),
        with(&ec, "crv", json!("P-384")),
        with(&ec, "crv", json!("P-521")),
        with(&ec, "crv", json!("secp256k1")),
        with(&ec, "x", json!("AAAA")),
        with(&ec, "x", json!(["AAAA"])),
        with(&ec, "x", json!(format!("{}=", ec["x"].as_str().unwrap()))),
        with(&ec, "y", json!(null)),
        with(&ec, "d", json!("AAAA")),
        with(&ec, "alg", json!("ES384")),
        with(&ec, "alg", json!("ES521")),
        with(&ec, "alg", json!("ECDH-ES")),
        with(&ec, "alg", json!(null)),
        with(&ec, "use", json!("enc")),
        with(&ec, "use", json!("SIG")),
        with(&ec, "use", json!(null)),
        with(&ec, "key_ops", json!([])),
        with(&ec, "key_ops", json!(["sign"])),
        with(&ec, "key_ops", json!("verify")),
        with(&ec, "kid", json!(1)),
        with(&rsa, "alg", json!("ES256")),
        with(&rsa, "alg", json!("RSA-OAEP")),
        with(&rsa, "crv", json!("P-256")),
        with(&rsa, "e", json!("AQ")),
        with(&rsa, "e", json!("Ag")),
        with(&rsa, "e", json!("")),
        with(&rsa, "n", json!(encode(&[0xff; 128]))),
        with(&rsa, "n", json!(encode(&[0xff; 1_025]))),
        with(&rsa, "d", json!("AAAA")),
        with(&rsa, "k", json!("AAAA")),
    ] {
        assert!(key_set(std::slice::from_ref(&odd)).is_empty(), "{odd}");
        assert_eq!(key_set(&[odd, rsa.clone()]).len(), 1);
    }
    for fine in [
        with(&ec, "use", json!("sig")),
        with(&ec, "key_ops", json!(["verify"])),
        with(&ec, "x5c", json!(["MIIB"])),
        with(&ec, "unknown", json!({"a": 1})),
    ] {
        assert_eq!(key_set(std::slice::from_ref(&fine)).len(), 1, "{fine}");
    }
}

#[test]
fn an_rsa_key_that_names_no_algorithm_is_for_rs256() {
    let mut jwk = Signer::new(JwtAlgorithm::Rs256).jwk();
    jwk.as_object_mut().unwrap().remove("alg");
    let keys = key_set(&[jwk]);
    let judge = |algorithm| {
        let jwt = Jwt::parse(&Signer::new(algorithm).token(&claims())).unwrap();
        verify(&jwt, &keys, &EXPECTED, now()).err()
    };
    assert_eq!(judge(JwtAlgorithm::Rs256), None);
    assert_eq!(judge(JwtAlgorithm::Ps256), Some(TokenError::UnknownKey));
    assert_eq!(judge(JwtAlgorithm::Rs512), Some(TokenError::UnknownKey));
}

#[test]
fn keys_of_one_id_are_told_apart_by_their_algorithm() {
    let (ec, ed) = (Signer::new(JwtAlgorithm::Es256), Signer::ed25519());
    let keys = key_set(&[ec.jwk(), ed.jwk()]);
    for signer in [&ec, &ed] {
        let jwt = Jwt::parse(&signer.token(&claims())).unwrap();
        assert!(verify(&jwt, &keys, &EXPECTED, now()).is_ok());
    }
}

#[test]
fn keys_of_one_id_and_one_algorithm_are_ambiguous_and_not_used() {
    let (one, other) = (Signer::ed25519(), Signer::ed25519());
    for jwks in [[one.jwk(), other.jwk()], [other.jwk(), one.jwk()]] {
        let jwt = Jwt::parse(&one.token(&claims())).unwrap();
        let refusal = verify(&jwt, &key_set(&jwks), &EXPECTED, now()).err();
        assert_eq!(refusal, Some(TokenError::UnknownKey));
    }
}

#[test]
fn a_point_off_its_curve_verifies_nothing() {
    let signer = Signer::new(JwtAlgorithm::Es256);
    let mut jwk = signer.jwk();
    jwk["y"] = json!(encode(&[1; 32]));
    let jwt = Jwt::parse(&signer.token(&claims())).unwrap();
    let refusal = verify(&jwt, &key_set(&[jwk]), &EXPECTED, now()).err();
    assert_eq!(refusal, Some(TokenError::Signature));
}

#[test]
fn a_hundred_keys_are_considered() {
    let jwks: Vec<Value> = (0..150)
        .map(|n| {
            let mut jwk = Signer::ed25519().jwk();
            jwk["kid"] = json!(format!("k-{n}"));
            jwk
        })
        .collect();
    let keys = key_set(&jwks);
    assert_eq!(keys.len(), 100);
    assert!(keys.contains("k-99") && !keys.contains("k-100"));
}

#[test]
fn a_key_with_a_member_twice_is_skipped_and_the_others_are_used() {
    let fine = Signer::ed25519().jwk();
    let twice = format!("{{\"kid\":\"k-0\",{}", &fine.to_string()[1..]);
    let deep = "[".repeat(100) + &"]".repeat(100);
    let document = format!(r#"{{"keys":[{twice}, 1, null, "k", {deep}, {fine}],"more":{{}}}}"#);
    assert_eq!(KeySet::parse(document.as_bytes()).unwrap().len(), 1);
}

#[test]
fn what_is_no_set_is_told_from_an_empty_one() {
    assert!(KeySet::parse(br#"{"keys":[]}"#).unwrap().is_empty());
    for text in [
        "",
        "{}",
        "[]",
        "null",
        r#"{"keys":{}}"#,
        r#"{"keys":null}"#,
        r#"{"keys":[],"keys":[]}"#,
        "<html>",
    ] {
        assert_eq!(KeySet::parse(text.as_bytes()).err(), Some(KeySetError), "{text}");
    }
    assert_eq!(KeySet::parse(b"\xff\xfe").err(), Some(KeySetError));
}

#[test]
fn debugging_a_set_shows_ids_and_algorithms_alone() {
    let keys = Signer::ed25519().key_set();
    assert_eq!(format!("{keys:?}"), r#"KeySet [(Some("k-1"), EdDsa)]"#);
}
