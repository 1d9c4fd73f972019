//! What a verifier expects of a token's claims, and the comparison with what they say.

use std::time::Duration;

use keystile_domain::{JwtAlgorithm, Timestamp};

use super::{Claims, TokenError};

/// What a token must say to be accepted. Nothing has a default: each field is a decision.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a new expectation must be decided by every caller")]
pub struct Expectations<'a> {
    /// `iss`, to the last character: case and a final slash count.
    pub issuer: &'a str,
    /// Who must be in `aud`.
    pub audiences: Audiences<'a>,
    /// What `azp` must be, if the token has one.
    pub authorized_party: Option<&'a str>,
    /// Which algorithms this issuer signs with.
    pub algorithms: &'a [JwtAlgorithm],
    /// Which `typ` are accepted, written without `application/` and in any case. A token without
    /// one counts as `JWT`.
    pub types: &'a [&'a str],
    /// What the token is for.
    pub token_use: TokenUse,
    /// How far the issuer's clock may be from ours.
    pub leeway: Leeway,
}

/// Who a token must be addressed to. Whatever is expected, it must be addressed to somebody.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Audiences<'a> {
    /// Anybody: to tell somebody about a token (RFC 7662), never to act on it.
    Any,
    /// At least one of these, to the last character. Of an empty list, no token is accepted.
    OneOf(&'a [&'a str]),
}

/// What a token is for: one kind is never taken for the other (RFC 8725, section 3.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenUse {
    /// It says what its bearer may do (RFC 9068).
    Access,
    /// It says who has signed in, or which job runs (OpenID Connect Core 1.0, section 2).
    Identity,
}

/// How far two clocks may be apart: at most 60 seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leeway(Duration);

impl Leeway {
    /// Both clocks agree.
    pub const NONE: Self = Self(Duration::ZERO);
    /// 60 seconds.
    pub const MAX: Self = Self(Duration::from_secs(60));
}

impl TryFrom<Duration> for Leeway {
    type Error = LeewayError;

    fn try_from(duration: Duration) -> Result<Self, LeewayError> {
        if duration <= Self::MAX.0 { Ok(Self(duration)) } else { Err(LeewayError) }
    }
}

/// The leeway would be more than 60 seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("clocks may be at most 60 seconds apart")]
#[expect(clippy::exhaustive_structs, reason = "it says one thing, by its name")]
pub struct LeewayError;

impl Expectations<'_> {
    /// Compares claims whose signature has been verified.
    pub(super) fn judge(&self, claims: &Claims, now: Timestamp) -> Result<(), TokenError> {
        if claims.issuer() != self.issuer {
            return Err(TokenError::Issuer);
        }
        if let Audiences::OneOf(ours) = self.audiences
            && !claims.audiences().any(|named| ours.contains(&named))
        {
            return Err(TokenError::Audience);
        }
        if let (Some(expected), Some(named)) = (self.authorized_party, claims.authorized_party())
            && expected != named
        {
            return Err(TokenError::AuthorizedParty);
        }
        if self.token_use == TokenUse::Access
            && OF_ID_TOKENS.iter().any(|name| claims.claim(name).is_some())
        {
            return Err(TokenError::IdToken);
        }
        self.judge_times(claims, now)
    }

    fn judge_times(&self, claims: &Claims, now: Timestamp) -> Result<(), TokenError> {
        let Leeway(leeway) = self.leeway;
        if claims.expires_at().after(leeway) <= now {
            return Err(TokenError::Expired);
        }
        let latest_start = now.after(leeway);
        if claims.not_before().is_some_and(|start| start > latest_start) {
            return Err(TokenError::NotYetValid);
        }
        if claims.issued_at().is_some_and(|issued| issued > latest_start) {
            return Err(TokenError::IssuedInFuture);
        }
        Ok(())
    }
}

/// Claims that bind a token to one sign-in (OpenID Connect Core 1.0, sections 2 and 3.3.2.11).
const OF_ID_TOKENS: [&str; 3] = ["at_hash", "c_hash", "nonce"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leeway_is_at_most_a_minute() {
        assert_eq!(Leeway::try_from(Duration::from_secs(60)), Ok(Leeway::MAX));
        assert_eq!(Leeway::try_from(Duration::ZERO), Ok(Leeway::NONE));
        for duration in [Duration::from_millis(60_001), Duration::MAX] {
            assert_eq!(Leeway::try_from(duration), Err(LeewayError));
        }
    }
}
