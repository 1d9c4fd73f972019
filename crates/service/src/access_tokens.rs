//! Making access tokens: JWTs by RFC 9068, and reading ours again.
//!
//! What a token says is for services that verify it on their own. Keystile itself goes by what the
//! token stands on, as it is at the moment: see `token_proof`.

use std::time::Duration;

use jsonwebtoken::Header;
use keystile_auth::Rejection;
use keystile_auth::jwt::{
    Audiences, Claims, Expectations, Leeway, TokenError, TokenUse, Unverified,
};
use keystile_domain::{
    Credential, CredentialKind, Expiry, Jwt, JwtAlgorithm, Permission, PermissionSet, Rights,
    SessionId, Timestamp,
};
use secrecy::SecretString;
use serde::Serialize;
use uuid::Uuid;

use crate::identify::outage;
use crate::signing_keys::jose;
use crate::token_proof::{Basis, OwnToken};
use crate::{Keystile, LookupError, ServiceError, Unidentified, random};

/// A token that somebody asks for.
#[derive(Debug)]
pub(crate) struct AccessTokenDraft<'c> {
    /// Whom it shall stand for, as the database has them now.
    pub(crate) credential: &'c Credential,
    /// What it shall stand on.
    pub(crate) basis: Basis,
    /// Who may take it; empty: Keystile itself.
    pub(crate) audiences: Vec<String>,
    /// What it shall be narrowed to; must be within what the credential may.
    pub(crate) scopes: Option<PermissionSet>,
    /// How long it shall live at most.
    pub(crate) lifetime: Duration,
}

/// A token, ready to be handed over.
#[derive(Debug)]
pub struct AccessToken {
    /// The token itself.
    pub text: SecretString,
    /// How long it lives.
    pub expires_in: Duration,
    /// What it allows.
    pub scopes: PermissionSet,
}

/// What our tokens say (RFC 9068, section 2.2).
#[derive(Serialize)]
struct OwnClaims<'t> {
    iss: &'t str,
    sub: Uuid,
    aud: Vec<String>,
    exp: i64,
    iat: i64,
    jti: String,
    client_id: String,
    /// What it allows, as far as it fits.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    /// The roles that it holds in full, as far as they fit.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roles: Vec<&'t str>,
    /// What it stands on.
    basis: String,
    /// Whether it holds less than its basis.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    narrowed: bool,
}

impl Keystile {
    /// Makes a token that never outlives what it stands on.
    pub(crate) async fn sign_access_token(
        &self,
        draft: AccessTokenDraft<'_>,
    ) -> Result<AccessToken, ServiceError> {
        let (now, credential) = (self.clock.now(), draft.credential);
        let latest = Expiry::At(now.after(draft.lifetime.min(LONGEST)));
        // Whole seconds, rounded down: a token must not claim more than it has.
        let end = credential.end().min(latest).at().map_or(now.as_millis(), Timestamp::as_millis);
        let (iat, exp) = (now.as_millis().div_euclid(1_000), end.div_euclid(1_000));
        let narrowed = draft.scopes.is_some();
        let held = Rights::clone(&credential.rights).within(draft.scopes.as_ref()).permissions;
        let roles = if narrowed { &[] } else { credential.whole_roles() };
        let roles: Vec<_> = roles.iter().map(|role| role.name.as_str()).collect();
        // A part of the list would say that the others are not held.
        let roles_fit = roles.iter().map(|name| name.len()).sum::<usize>() <= LONGEST_ROLES;
        let scope = scope_text(&held);
        let fits = scope.len() <= LONGEST_SCOPE;
        if !fits && narrowed {
            return Err(ServiceError::TokenTooLong);
        }
        let issuer = self.issuer.as_str();
        let claims = OwnClaims {
            iss: issuer,
            sub: credential.principal.id,
            aud: if draft.audiences.is_empty() { vec![issuer.to_owned()] } else { draft.audiences },
            exp,
            iat,
            jti: Uuid::from_bytes(random::bytes()?).simple().to_string(),
            client_id: draft.basis.client_id(),
            scope: fits.then_some(scope),
            roles: if roles_fit { roles } else { Vec::new() },
            basis: draft.basis.to_text(),
            narrowed,
        };
        let known = self.signing.known(&self.store, &self.keys, now).await?;
        let signer = known.signer(now).ok_or(ServiceError::NoSigningKey)?;
        let header = Header {
            typ: Some(ACCESS_TOKEN_TYPE.to_owned()),
            kid: Some(signer.kid.clone()),
            ..Header::new(jose(signer.algorithm))
        };
        let text = jsonwebtoken::encode(&header, &claims, &signer.key);
        let seconds = u64::try_from(exp - iat).unwrap_or(0);
        Ok(AccessToken {
            text: text.map_err(ServiceError::Signing)?.into(),
            expires_in: Duration::from_secs(seconds),
            scopes: held,
        })
    }

    /// Verifies a token of ours.
    pub(crate) async fn verify_own(
        &self,
        jwt: &Jwt,
        audience: Audience,
    ) -> Result<(OwnToken, Claims), Unidentified> {
        let now = self.clock.now();
        let token = Unverified::parse(jwt).map_err(Rejection::Untrusted)?;
        let known = self.signing.known(&self.store, &self.keys, now).await;
        let mut known = known.map_err(unreadable)?;
        if token.unverified_key_id().is_some_and(|kid| !known.set.contains(kid)) {
            let newer = self.signing.newer(known, &self.store, &self.keys, now).await;
            known = newer.map_err(unreadable)?;
        }
        let ourselves = [self.issuer.as_str()];
        let expectations = Expectations {
            issuer: &self.issuer,
            audiences: match audience {
                Audience::Anybody => Audiences::Any,
                Audience::Ourselves => Audiences::OneOf(&ourselves),
            },
            authorized_party: None,
            algorithms: SIGNED_WITH,
            types: &[ACCESS_TOKEN_TYPE],
            token_use: TokenUse::Access,
            // The clocks of two nodes differ; when a token ends is judged to the millisecond.
            leeway: Leeway::MAX,
        };
        let claims = token.verify(&known.set, &expectations, now).map_err(Rejection::Untrusted)?;
        let own = OwnToken::from_claims(&claims).map_err(Rejection::Untrusted)?;
        Ok((own, claims))
    }
}

/// For whom a token of ours must have been made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// For anybody: to tell somebody else about it.
    Anybody,
    /// For Keystile: to act here.
    Ourselves,
}

impl OwnToken {
    /// Reads the claims of a token of ours that was verified.
    pub(crate) fn from_claims(claims: &Claims) -> Result<Self, TokenError> {
        let text = |name: &str| claims.claim(name).and_then(|value| value.as_str());
        let basis = text("basis").and_then(Basis::from_text).ok_or(TokenError::Claims)?;
        let narrowed = claims.claim("narrowed").is_some();
        let scopes = match (narrowed, text("scope")) {
            (false, _) => None,
            (true, Some(scope)) => Some(read_scope(scope).ok_or(TokenError::Claims)?),
            (true, None) => return Err(TokenError::Claims),
        };
        Ok(Self {
            issuer: claims.issuer().to_owned(),
            id: claims.id().ok_or(TokenError::JwtId)?.to_owned(),
            basis,
            scopes,
            ends_at: claims.expires_at(),
        })
    }
}

impl Basis {
    pub(crate) fn to_text(self) -> String {
        match self {
            Self::Secret(kind, id, tag) => format!("{kind}:{id}:{tag}"),
            Self::Session(id) => format!("{SESSION}:{id}"),
        }
    }

    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        if kind == SESSION {
            return rest.parse::<SessionId>().ok().map(Self::Session);
        }
        let (id, tag) = rest.split_once(':')?;
        let kind = kind.parse::<CredentialKind>().ok()?;
        Some(Self::Secret(kind, Uuid::try_parse(id).ok()?, tag.parse().ok()?))
    }

    /// Whom the token was made for (RFC 8693, section 4.3): the key that was traded, or ourselves.
    fn client_id(self) -> String {
        match self {
            Self::Secret(_, id, _) => id.to_string(),
            Self::Session(_) => "keystile".to_owned(),
        }
    }
}

fn unreadable(error: ServiceError) -> Unidentified {
    outage(LookupError::SigningKeys(Box::new(error)))
}

/// Permissions as a scope (RFC 6749, section 3.3).
pub(crate) fn scope_text(permissions: &PermissionSet) -> String {
    permissions.iter().map(Permission::as_str).collect::<Vec<_>>().join(" ")
}

/// A scope as permissions; nothing if one of them is none.
pub(crate) fn read_scope(text: &str) -> Option<PermissionSet> {
    let texts = text.split(' ').filter(|text| !text.is_empty());
    texts.map(|text| text.parse::<Permission>().ok()).collect()
}

/// The longest that an access token lives.
pub(crate) const LONGEST: Duration = Duration::from_secs(15 * 60);
/// What our tokens call themselves (RFC 9068, section 2.1).
pub(crate) const ACCESS_TOKEN_TYPE: &str = "at+jwt";
/// Leaves room in [`Jwt::MAX_BYTES`] for everything else, a third larger in base64.
pub(crate) const LONGEST_SCOPE: usize = Jwt::MAX_BYTES / 2;
const LONGEST_ROLES: usize = 1_000;
/// Everything that ours were ever signed with.
const SIGNED_WITH: &[JwtAlgorithm] =
    &[JwtAlgorithm::EdDsa, JwtAlgorithm::Es256, JwtAlgorithm::Rs256];
const SESSION: &str = "session";
