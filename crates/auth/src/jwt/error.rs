//! Why a token is refused: for the log alone, since its bearer is told nothing but "no".

/// The first check that a token did not pass. Holds nothing of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// `alg` is missing, unknown or not expected of this issuer.
    #[error("the algorithm is not among those expected")]
    Algorithm,
    /// `aud` is missing, no string or list of strings, or names none of the expected audiences.
    #[error("the audience is not the expected one")]
    Audience,
    /// `azp` is no text, or not the expected client.
    #[error("the authorized party is not the expected one")]
    AuthorizedParty,
    /// The claims are no JSON object, nested too deeply, or have a member twice.
    #[error("the claims are no plain JSON object")]
    Claims,
    /// The header has `crit`: we understand none of the extensions that it could name.
    #[error("the header has critical extensions")]
    Critical,
    /// A part is no base64url.
    #[error("a part is not base64url")]
    Encoding,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `exp` is missing or no date.
    #[error("the expiry is missing or no date")]
    Expiry,
    /// The header is no JSON object, nested too deeply, or has a member twice.
    #[error("the header is no plain JSON object")]
    Header,
    /// It is an ID token where an access token is expected.
    #[error("the token tells who signed in, not what its bearer may do")]
    IdToken,
    /// `iat` is no date.
    #[error("the time of issue is no date")]
    IssuedAt,
    /// `iat` is still to come.
    #[error("the token was issued in the future")]
    IssuedInFuture,
    /// `iss` is missing, no text, or not exactly the expected issuer.
    #[error("the issuer is not the expected one")]
    Issuer,
    /// `jti` is no text of 1 to 255 bytes.
    #[error("the token id is no text of 1 to 255 bytes")]
    JwtId,
    /// `kid` is not 1 to 128 visible ASCII characters.
    #[error("the key id is not 1 to 128 visible ASCII characters")]
    KeyId,
    /// The header brings or points at a key: `jwk`, `jku`, `x5c` or `x5u`.
    #[error("the header brings a key of its own")]
    KeyInHeader,
    /// `nbf` is no date.
    #[error("the start is no date")]
    NotBefore,
    /// `nbf` is still to come.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// `scope` is no string, or `scp` neither a string nor a list of strings.
    #[error("the scope is neither a string nor a list of strings")]
    Scope,
    /// The scope lacks what every token must have here.
    #[error("the scope lacks what is required")]
    ScopeMissing,
    /// The key that the header means did not make the signature.
    #[error("the signature does not match")]
    Signature,
    /// `sub` is missing or no text of 1 to 255 bytes.
    #[error("the subject is missing or no text of 1 to 255 bytes")]
    Subject,
    /// The header asks for another treatment of the payload: `b64` or `zip`.
    #[error("the header changes how the payload is read")]
    Transformed,
    /// `typ` is not among those expected.
    #[error("the type is not among those expected")]
    Type,
    /// The issuer has not exactly one key that the header could mean.
    #[error("the issuer has no such key")]
    UnknownKey,
}
