//! Drawing a key pair, and the forms that its halves are kept in.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair,
};
use jsonwebtoken::jwk::{Jwk, KeyOperations, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey};
use keystile_domain::JwtAlgorithm;
use zeroize::Zeroizing;

use crate::ServiceError;

/// A new key pair.
pub(super) struct Drawn {
    /// The thumbprint of the public half (RFC 7638).
    pub(super) kid: String,
    /// The public half: a JWK (RFC 7517).
    pub(super) public: String,
    /// The private half: PKCS #8, or PKCS #1 for RSA.
    pub(super) private: Zeroizing<Vec<u8>>,
}

/// Draws a key pair from the operating system's generator.
pub(super) fn draw(algorithm: JwtAlgorithm) -> Result<Drawn, ServiceError> {
    let private = Zeroizing::new(draw_private(algorithm).map_err(|_unspecified| no_key())?);
    let signing = jose(algorithm);
    let mut jwk = Jwk::from_encoding_key(&signer(algorithm, &private), signing)
        .map_err(ServiceError::Signing)?;
    let kid = jwk.thumbprint(ThumbprintHash::SHA256).map_err(ServiceError::Signing)?;
    jwk.common.key_id = Some(kid.clone());
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    jwk.common.key_operations = Some(vec![KeyOperations::Verify]);
    Ok(Drawn { kid, public: serde_json::to_string(&jwk)?, private })
}

/// A private half, ready to sign.
pub(super) fn signer(algorithm: JwtAlgorithm, private: &[u8]) -> EncodingKey {
    match jose(algorithm) {
        Algorithm::RS256 => EncodingKey::from_rsa_der(private),
        Algorithm::ES256 => EncodingKey::from_ec_der(private),
        _ => EncodingKey::from_ed_der(private),
    }
}

/// The algorithm, as the library calls it. Only three of them are for signing.
pub(crate) fn jose(algorithm: JwtAlgorithm) -> Algorithm {
    match algorithm {
        JwtAlgorithm::Rs256 => Algorithm::RS256,
        JwtAlgorithm::Es256 => Algorithm::ES256,
        _ => Algorithm::EdDSA,
    }
}

fn draw_private(algorithm: JwtAlgorithm) -> Result<Vec<u8>, aws_lc_rs::error::Unspecified> {
    let random = SystemRandom::new();
    Ok(match jose(algorithm) {
        Algorithm::RS256 => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048)?;
            let wrapped = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair)?;
            let info = pkcs8::PrivateKeyInfoRef::try_from(wrapped.as_ref());
            info.map_err(|_der| aws_lc_rs::error::Unspecified)?.private_key.as_bytes().to_vec()
        }
        Algorithm::ES256 => {
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)?
                .as_ref()
                .to_vec()
        }
        _ => Ed25519KeyPair::generate_pkcs8v1(&random)?.as_ref().to_vec(),
    })
}

fn no_key() -> ServiceError {
    ServiceError::Signing(jsonwebtoken::errors::ErrorKind::InvalidKeyFormat.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_of_a_key_is_its_public_half_alone() {
        for algorithm in [JwtAlgorithm::EdDsa, JwtAlgorithm::Es256, JwtAlgorithm::Rs256] {
            let drawn = draw(algorithm).unwrap();
            let public: serde_json::Value = serde_json::from_str(&drawn.public).unwrap();
            assert_eq!(public["kid"], drawn.kid.as_str());
            assert_eq!(
                (&public["use"], &public["alg"]),
                (&"sig".into(), &algorithm.as_str().into())
            );
            for member in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                assert!(public.get(member).is_none(), "{algorithm} {member}");
            }
            assert_ne!(drawn.kid, draw(algorithm).unwrap().kid);
        }
    }
}
