//! What the library that verifies signatures calls our algorithms.

use keystile_domain::JwtAlgorithm;

/// The algorithm by its other name; nothing for one that came later than this function.
pub(super) fn jose(algorithm: JwtAlgorithm) -> Option<jsonwebtoken::Algorithm> {
    Some(match algorithm {
        JwtAlgorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        JwtAlgorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        JwtAlgorithm::Es384 => jsonwebtoken::Algorithm::ES384,
        JwtAlgorithm::Ps256 => jsonwebtoken::Algorithm::PS256,
        JwtAlgorithm::Ps384 => jsonwebtoken::Algorithm::PS384,
        JwtAlgorithm::Ps512 => jsonwebtoken::Algorithm::PS512,
        JwtAlgorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        JwtAlgorithm::Rs384 => jsonwebtoken::Algorithm::RS384,
        JwtAlgorithm::Rs512 => jsonwebtoken::Algorithm::RS512,
        _ => return None,
    })
}
