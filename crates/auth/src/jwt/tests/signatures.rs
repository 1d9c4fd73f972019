//! Whose signature it is, and over what.

use aws_lc_rs::hmac;

use super::signer::{encode, key_set};
use super::*;

#[test]
fn a_token_of_every_algorithm_is_verified() {
    for &algorithm in JwtAlgorithm::ALL {
        let signer = Signer::new(algorithm);
        assert_eq!(verify_text(&signer.token(&claims()), &signer, &EXPECTED), None, "{algorithm}");
    }
}

#[test]
fn an_algorithm_that_the_issuer_does_not_use_is_refused() {
    for &algorithm in JwtAlgorithm::ALL {
        let signer = Signer::new(algorithm);
        let others: Vec<_> =
            JwtAlgorithm::ALL.iter().copied().filter(|other| *other != algorithm).collect();
        for algorithms in [others.as_slice(), &[]] {
            let expected = Expectations { algorithms, ..EXPECTED };
            let refusal = verify_text(&signer.token(&claims()), &signer, &expected);
            assert_eq!(refusal, Some(TokenError::Algorithm), "{algorithm}");
        }
    }
}

#[test]
fn no_signature_makes_an_algorithm_of_none() {
    let signer = Signer::ed25519();
    for name in ["none", "None", "NONE", "nOnE", "noNE", "none ", ""] {
        let header = json!({"alg": name, "kid": "k-1", "typ": "at+jwt"}).to_string();
        let signed = signer.token_of(&header, &claims().to_string());
        assert_eq!(verify_text(&signed, &signer, &EXPECTED), Some(TokenError::Algorithm));

        let input = signed.rsplit_once('.').unwrap().0;
        assert!(Jwt::parse(input).is_err());
        assert!(Jwt::parse(&format!("{input}.")).is_err());
        let blank = verify_text(&format!("{input}.AA"), &signer, &EXPECTED);
        assert_eq!(blank, Some(TokenError::Algorithm));
    }
}

#[test]
fn a_public_key_is_no_hmac_secret() {
    for &algorithm in JwtAlgorithm::ALL {
        let signer = Signer::new(algorithm);
        let jwk = signer.jwk();
        let material = jwk.get("n").or(jwk.get("x")).unwrap().as_str().unwrap();
        for secret in [material, &jwk.to_string(), ""] {
            let secret = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
            for name in ["HS256", algorithm.as_str()] {
                let header = json!({"alg": name, "kid": "k-1", "typ": "at+jwt"}).to_string();
                let input = format!(
                    "{}.{}",
                    encode(header.as_bytes()),
                    encode(claims().to_string().as_bytes())
                );
                let tag = hmac::sign(&secret, input.as_bytes());
                let token = format!("{input}.{}", encode(tag.as_ref()));
                assert!(verify_text(&token, &signer, &EXPECTED).is_some(), "{name}");
            }
        }
    }
}

#[test]
fn a_key_is_used_with_its_own_algorithm_alone() {
    for (of_key, in_header) in [
        (JwtAlgorithm::Rs256, JwtAlgorithm::Ps256),
        (JwtAlgorithm::Ps256, JwtAlgorithm::Rs256),
        (JwtAlgorithm::Rs256, JwtAlgorithm::Rs512),
        (JwtAlgorithm::Ps384, JwtAlgorithm::Ps512),
    ] {
        let (key, signer) = (Signer::new(of_key), Signer::new(in_header));
        let refusal = verify_text(&signer.token(&claims()), &key, &EXPECTED);
        assert_eq!(refusal, Some(TokenError::UnknownKey), "{of_key} {in_header}");
    }
}

#[test]
fn a_header_that_names_another_algorithm_than_was_used_is_refused() {
    for (used, named) in [
        (JwtAlgorithm::Es256, JwtAlgorithm::Es384),
        (JwtAlgorithm::Es256, JwtAlgorithm::Rs256),
        (JwtAlgorithm::EdDsa, JwtAlgorithm::Es256),
        (JwtAlgorithm::Rs256, JwtAlgorithm::EdDsa),
    ] {
        let signer = Signer::new(used);
        let header = Signer::new(named).header().to_string();
        let refusal =
            verify_text(&signer.token_of(&header, &claims().to_string()), &signer, &EXPECTED);
        assert_eq!(refusal, Some(TokenError::UnknownKey), "{used} {named}");
    }
}

#[test]
fn another_issuers_key_of_the_same_id_does_not_do() {
    for algorithm in [JwtAlgorithm::EdDsa, JwtAlgorithm::Es256, JwtAlgorithm::Es384] {
        let (ours, theirs) = (Signer::new(algorithm), Signer::new(algorithm));
        let refusal = verify_text(&theirs.token(&claims()), &ours, &EXPECTED);
        assert_eq!(refusal, Some(TokenError::Signature), "{algorithm}");
    }
}

#[test]
fn a_key_in_the_header_is_refused_even_if_it_is_the_issuers() {
    let signer = Signer::ed25519();
    for (name, value) in [
        ("jwk", signer.jwk()),
        ("jku", json!("http://127.0.0.1:9/jwks")),
        ("x5u", json!("http://127.0.0.1:9/cert")),
        ("x5c", json!(["MIIB"])),
    ] {
        let mut header = signer.header();
        header[name] = value;
        let token = signer.token_of(&header.to_string(), &claims().to_string());
        assert_eq!(
            verify_text(&token, &signer, &EXPECTED),
            Some(TokenError::KeyInHeader),
            "{name}"
        );
    }
}

#[test]
fn a_signature_of_zeros_is_refused() {
    for &algorithm in JwtAlgorithm::ALL {
        let signer = Signer::new(algorithm);
        let token = signer.token(&claims());
        let input = token.rsplit_once('.').unwrap().0;
        for length in [1, 32, 64, 96, 132, 256] {
            for byte in [0x00, 0x01, 0xff] {
                let forged = format!("{input}.{}", encode(&vec![byte; length]));
                let refusal = verify_text(&forged, &signer, &EXPECTED);
                assert_eq!(refusal, Some(TokenError::Signature), "{algorithm} {length}");
            }
        }
    }
}

#[test]
fn an_ecdsa_signature_in_der_is_refused() {
    let signer = Signer::new(JwtAlgorithm::Es256);
    let token = signer.token(&claims());
    let input = token.rsplit_once('.').unwrap().0;
    let fixed = signer.sign(input.as_bytes());
    let integer = |half: &[u8]| [&[0x02, 33, 0], half].concat();
    let der = [&[0x30, 70][..], &integer(&fixed[..32]), &integer(&fixed[32..])].concat();
    let refusal = verify_text(&format!("{input}.{}", encode(&der)), &signer, &EXPECTED);
    assert_eq!(refusal, Some(TokenError::Signature));
}

#[test]
fn the_claims_of_one_token_and_the_signature_of_another_are_refused() {
    let signer = Signer::ed25519();
    let (one, other) = (signer.token(&claims()), signer.token(&claims_with("sub", json!("u-2"))));
    let input = one.rsplit_once('.').unwrap().0;
    let signature = other.rsplit_once('.').unwrap().1;
    let refusal = verify_text(&format!("{input}.{signature}"), &signer, &EXPECTED);
    assert_eq!(refusal, Some(TokenError::Signature));
}

#[test]
fn every_proper_prefix_and_suffix_of_a_token_is_refused() {
    for algorithm in [JwtAlgorithm::EdDsa, JwtAlgorithm::Es256, JwtAlgorithm::Rs256] {
        let signer = Signer::new(algorithm);
        let (token, keys) = (signer.token(&claims()), signer.key_set());
        let is_refused = |text: &str| {
            Jwt::parse(text).map_or(true, |jwt| verify(&jwt, &keys, &EXPECTED, now()).is_err())
        };
        for end in 0..token.len() {
            assert!(is_refused(&token[..end]), "{end}");
            assert!(is_refused(&token[end + 1..]), "{end}");
        }
        for more in ["A", "AA", "AAAA", "=", ".", " ", "\n"] {
            assert!(is_refused(&format!("{token}{more}")), "{more:?}");
            assert!(is_refused(&format!("{more}{token}")), "{more:?}");
        }
    }
}

#[test]
fn a_signature_has_one_spelling() {
    // 64 bytes end with a character of which four bits mean nothing.
    let signer = Signer::ed25519();
    let mut text = signer.token(&claims());
    let last = text.pop().unwrap();
    let next = char::from(u8::try_from(last).unwrap() + 1);
    text.push(next);
    assert_eq!(verify_text(&text, &signer, &EXPECTED), Some(TokenError::Encoding));
}

#[test]
fn a_signature_is_judged_before_any_claim() {
    let (ours, theirs) = (Signer::ed25519(), Signer::ed25519());
    let forged = theirs.token(&claims_with("exp", json!(1)));
    assert_eq!(verify_text(&forged, &ours, &EXPECTED), Some(TokenError::Signature));
}

#[test]
fn a_member_of_the_header_twice_is_refused() {
    let signer = Signer::ed25519();
    for header in [
        r#"{"alg":"EdDSA","alg":"EdDSA","kid":"k-1","typ":"at+jwt"}"#,
        r#"{"alg":"none","alg":"EdDSA","kid":"k-1","typ":"at+jwt"}"#,
        r#"{"alg":"EdDSA","kid":"k-1","typ":"at+jwt","typ":"at+jwt"}"#,
        r#"{"alg":"EdDSA","kid":"k-1","typ":"at+jwt","a":{"b":1,"b":1}}"#,
        "[]",
        "{}x",
    ] {
        let token = signer.token_of(header, &claims().to_string());
        assert_eq!(verify_text(&token, &signer, &EXPECTED), Some(TokenError::Header), "{header}");
    }
}

#[test]
fn a_token_without_a_key_id_is_verified_if_only_one_key_can_be_meant() {
    let (one, other) = (Signer::ed25519(), Signer::new(JwtAlgorithm::Es256));
    let token = one.token_of(r#"{"alg":"EdDSA","typ":"at+jwt"}"#, &claims().to_string());
    let jwt = Jwt::parse(&token).unwrap();
    let judge = |keys: &[Value]| verify(&jwt, &key_set(keys), &EXPECTED, now()).err();

    assert_eq!(judge(&[one.jwk()]), None);
    assert_eq!(judge(&[other.jwk(), one.jwk()]), None);
    assert_eq!(judge(&[one.jwk(), Signer::ed25519().jwk()]), Some(TokenError::UnknownKey));
    assert_eq!(judge(&[other.jwk()]), Some(TokenError::UnknownKey));
    assert_eq!(judge(&[]), Some(TokenError::UnknownKey));
}
