//! Issuers of the tests: keys made on the spot, and tokens signed with them exactly as written.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
    RSA_PSS_SHA512, RsaEncoding, RsaKeyPair, RsaPublicKeyComponents,
};
use base64ct::{Base64UrlUnpadded, Encoding};
use keystile_domain::JwtAlgorithm;
use serde_json::{Value, json};

use super::KeySet;

pub(super) struct Signer {
    algorithm: JwtAlgorithm,
    key: Key,
}

enum Key {
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Rsa(&'static RsaKeyPair),
}

impl Signer {
    pub(super) fn new(algorithm: JwtAlgorithm) -> Self {
        let key = match algorithm {
            JwtAlgorithm::EdDsa => Key::Ed(Ed25519KeyPair::generate().unwrap()),
            JwtAlgorithm::Es256 => {
                Key::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
            }
            JwtAlgorithm::Es384 => {
                Key::Ec(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap())
            }
            _ => Key::Rsa(&RSA),
        };
        Self { algorithm, key }
    }

    pub(super) fn ed25519() -> Self {
        Self::new(JwtAlgorithm::EdDsa)
    }

    /// Its public key with the id "k-1", as an issuer publishes it.
    pub(super) fn jwk(&self) -> Value {
        let mut jwk = match &self.key {
            Key::Ed(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref())})
            }
            Key::Ec(pair) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let curve = if x.len() == 32 { "P-256" } else { "P-384" };
                json!({"kty": "EC", "crv": curve, "x": encode(x), "y": encode(y)})
            }
            Key::Rsa(pair) => {
                let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                json!({"kty": "RSA", "n": encode(&public.n), "e": encode(&public.e)})
            }
        };
        jwk["kid"] = json!("k-1");
        jwk["use"] = json!("sig");
        jwk["alg"] = json!(self.algorithm.as_str());
        jwk
    }

    pub(super) fn key_set(&self) -> KeySet {
        key_set(&[self.jwk()])
    }

    pub(super) fn header(&self) -> Value {
        json!({"alg": self.algorithm.as_str(), "kid": "k-1", "typ": "at+jwt"})
    }

    /// A token that is in order, if its claims are.
    pub(super) fn token(&self, claims: &Value) -> String {
        self.token_of(&self.header().to_string(), &claims.to_string())
    }

    /// A token of any header and any claims, signed all the same.
    pub(super) fn token_of(&self, header: &str, claims: &str) -> String {
        let input = format!("{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()));
        let signature = encode(&self.sign(input.as_bytes()));
        format!("{input}.{signature}")
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            Key::Ed(pair) => pair.sign(message).as_ref().to_vec(),
            Key::Ec(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Key::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding(self.algorithm), &random, message, &mut signature).unwrap();
                signature
            }
        }
    }
}

pub(super) fn key_set(jwks: &[Value]) -> KeySet {
    KeySet::parse(json!({"keys": jwks}).to_string().as_bytes()).unwrap()
}

pub(super) fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

fn padding(algorithm: JwtAlgorithm) -> &'static dyn RsaEncoding {
    match algorithm {
        JwtAlgorithm::Ps256 => &RSA_PSS_SHA256,
        JwtAlgorithm::Ps384 => &RSA_PSS_SHA384,
        JwtAlgorithm::Ps512 => &RSA_PSS_SHA512,
        JwtAlgorithm::Rs384 => &RSA_PKCS1_SHA384,
        JwtAlgorithm::Rs512 => &RSA_PKCS1_SHA512,
        _ => &RSA_PKCS1_SHA256,
    }
}

/// One for all tests: making it takes longer than all that is done with it.
static RSA: LazyLock<RsaKeyPair> =
    LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap());
