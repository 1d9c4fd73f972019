//! One public key of an issuer, bound to the one algorithm that it is for.

use std::iter;

use base64ct::{Base64UrlUnpadded, Encoding};
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{AlgorithmFamily, DecodingKey};
use keystile_domain::JwtAlgorithm;
use serde_json::{Map, Value};

use super::algorithm::jose;
use super::rsa::{is_sound_exponent, is_sound_modulus};

/// A public key for signatures, used with exactly one algorithm (RFC 8725, section 3.1).
#[derive(Clone)]
pub(super) struct PublicKey {
    pub(super) id: Option<String>,
    pub(super) algorithm: JwtAlgorithm,
    key: DecodingKey,
}

impl PublicKey {
    /// Reads a JSON Web Key (RFC 7517, section 4), or gives `None` if it is not for us.
    pub(super) fn parse(jwk: &Map<String, Value>) -> Option<Self> {
        if PRIVATE.iter().any(|name| jwk.contains_key(*name)) || !is_for_verification(jwk) {
            return None;
        }
        let id = text(jwk, "kid")?.map(str::to_owned);
        let named = text(jwk, "alg")?.map(str::parse).transpose().ok()?;
        let (usual, key) = read_key(jwk)?;
        let algorithm = named.unwrap_or(usual);
        let fits = algorithm == usual || is_rsa(algorithm) && is_rsa(usual);
        fits.then_some(Self { id, algorithm, key })
    }

    /// Whether this key made `signature` over `message`.
    pub(super) fn verifies(&self, message: &[u8], signature: &Vec<u8>) -> bool {
        // By this provider, not the process-wide one: that one panics if another crate in the
        // program enables a second provider.
        jose(self.algorithm)
            .and_then(|algorithm| (DEFAULT_PROVIDER.verifier_factory)(&algorithm, &self.key).ok())
            .is_some_and(|verifier| verifier.verify(message, signature).is_ok())
    }
}

fn is_for_verification(jwk: &Map<String, Value>) -> bool {
    let is_for_signatures = jwk.get("use").is_none_or(|purpose| purpose == "sig");
    let may_verify = jwk.get("key_ops").is_none_or(|operations| {
        operations.as_array().is_some_and(|list| list.iter().any(|item| item == "verify"))
    });
    is_for_signatures && may_verify
}

/// The key, and the algorithm that it is for if it names none: the only one of its curve, or the
/// default of OpenID Connect for RSA.
fn read_key(jwk: &Map<String, Value>) -> Option<(JwtAlgorithm, DecodingKey)> {
    match (text(jwk, "kty")??, text(jwk, "crv")?) {
        ("EC", Some("P-256")) => Some((JwtAlgorithm::Es256, read_point(jwk, 32)?)),
        ("EC", Some("P-384")) => Some((JwtAlgorithm::Es384, read_point(jwk, 48)?)),
        ("OKP", Some("Ed25519")) => {
            let x = bytes(jwk, "x").filter(|x| x.len() == 32)?;
            Some((JwtAlgorithm::EdDsa, DecodingKey::from_ed_der(&x)))
        }
        ("RSA", None) => {
            let modulus = bytes(jwk, "n").filter(|n| is_sound_modulus(n))?;
            let exponent = bytes(jwk, "e").filter(|e| is_sound_exponent(e))?;
            let key = DecodingKey::from_rsa_raw_components(&modulus, &exponent);
            Some((JwtAlgorithm::Rs256, key))
        }
        _ => None,
    }
}

/// A point of a curve, uncompressed. Whether it lies on the curve is checked with each signature.
fn read_point(jwk: &Map<String, Value>, bytes_each: usize) -> Option<DecodingKey> {
    let coordinate = |name| bytes(jwk, name).filter(|bytes| bytes.len() == bytes_each);
    let (x, y) = (coordinate("x")?, coordinate("y")?);
    let point: Vec<u8> = iter::once(UNCOMPRESSED).chain(x).chain(y).collect();
    Some(DecodingKey::from_ec_der(&point))
}

fn is_rsa(algorithm: JwtAlgorithm) -> bool {
    jose(algorithm).is_some_and(|algorithm| algorithm.family() == AlgorithmFamily::Rsa)
}

/// A member that must be a string if it is there.
fn text<'a>(jwk: &'a Map<String, Value>, name: &str) -> Option<Option<&'a str>> {
    match jwk.get(name) {
        None => Some(None),
        Some(value) => value.as_str().map(Some),
    }
}

fn bytes(jwk: &Map<String, Value>, name: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(jwk.get(name)?.as_str()?).ok()
}

/// Members of private and symmetric keys: one that is published is nobody's secret any more.
const PRIVATE: [&str; 8] = ["d", "dp", "dq", "k", "oth", "p", "q", "qi"];

const UNCOMPRESSED: u8 = 4;
