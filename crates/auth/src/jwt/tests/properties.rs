//! What holds for every token, not only for those that somebody thought of.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

struct Issued {
    token: String,
    keys: KeySet,
}

static ISSUED: LazyLock<Vec<Issued>> = LazyLock::new(|| {
    [JwtAlgorithm::EdDsa, JwtAlgorithm::Es256, JwtAlgorithm::Ps256]
        .map(Signer::new)
        .iter()
        .map(|signer| Issued { token: signer.token(&claims()), keys: signer.key_set() })
        .collect()
});

proptest! {
    #[test]
    fn a_token_with_any_byte_changed_is_refused(
        issued in 0_usize..3,
        place in any::<prop::sample::Index>(),
        byte in prop::sample::select(&b"ABCXYZabcxyz0189-_."[..]),
    ) {
        let Issued { token, keys } = &ISSUED[issued];
        let mut bytes = token.clone().into_bytes();
        let place = place.index(bytes.len());
        prop_assume!(bytes[place] != byte);
        bytes[place] = byte;
        let changed = String::from_utf8(bytes).unwrap();
        let accepted = Jwt::parse(&changed)
            .is_ok_and(|jwt| verify(&jwt, keys, &EXPECTED, now()).is_ok());
        prop_assert!(!accepted, "{changed}");
    }

    #[test]
    fn a_token_with_any_bit_of_its_signature_changed_is_refused(
        issued in 0_usize..3,
        place in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let Issued { token, keys } = &ISSUED[issued];
        let (input, signature) = token.rsplit_once('.').unwrap();
        let mut signature = decode(signature);
        let place = place.index(signature.len());
        signature[place] ^= 1 << bit;
        let jwt = Jwt::parse(&format!("{input}.{}", signer::encode(&signature))).unwrap();
        let refusal = verify(&jwt, keys, &EXPECTED, now()).err();
        prop_assert_eq!(refusal, Some(TokenError::Signature));
    }

    #[test]
    fn no_text_makes_it_panic(text in "[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,80}") {
        if let Ok(jwt) = Jwt::parse(&text) {
            let refusal = verify(&jwt, &ISSUED[0].keys, &EXPECTED, now()).err();
            prop_assert!(refusal.is_some());
        }
    }

    #[test]
    fn no_document_makes_a_key_set_panic(
        kty in "EC|OKP|RSA|oct|x",
        crv in "P-256|P-384|Ed25519|x",
        bytes in prop::collection::vec(any::<u8>(), 0..70),
    ) {
        let part = signer::encode(&bytes);
        let jwk = json!({"kty": kty, "crv": crv, "x": part, "y": part, "n": part, "e": part});
        prop_assert!(signer::key_set(&[jwk]).len() <= 1);
        let _ = KeySet::parse(&bytes);
    }
}

fn decode(part: &str) -> Vec<u8> {
    use base64ct::{Base64UrlUnpadded, Encoding};
    Base64UrlUnpadded::decode_vec(part).unwrap()
}
