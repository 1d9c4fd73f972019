//! Changes of whose tokens are accepted, and of what they are worth.

use std::collections::{BTreeMap, BTreeSet};

use keystile_domain::{
    Authority, ClaimName, ExternalId, JwtAlgorithm, OidcSettings, ProviderId, RoleId, TrustRule,
};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::keys::Keys;
use crate::{Broken, ServiceError};

/// What shall be different about an OpenID provider.
#[derive(Clone, Debug, Default)]
pub struct OidcChange {
    /// Who issues the tokens.
    pub authority: Option<Authority>,
    /// What `aud` must contain.
    pub audience: Option<ExternalId>,
    /// What the scope must contain.
    pub required_scope: Option<Option<ExternalId>>,
    /// What the authority calls Keystile.
    pub client_id: Option<Option<ExternalId>>,
    /// The secret that goes with it.
    pub client_secret: Option<Option<SecretString>>,
    /// What tokens may be signed with.
    pub algorithms: Option<BTreeSet<JwtAlgorithm>>,
    /// Whether only `at+jwt` is accepted.
    pub require_typ: Option<bool>,
    /// The claim that names the user.
    pub username_claim: Option<ClaimName>,
    /// The claim that names roles.
    pub role_claim: Option<Option<ClaimName>>,
    /// Which roles its values stand for.
    pub role_mapping: Option<BTreeMap<String, BTreeSet<RoleId>>>,
    /// Whether users are made at first sight.
    pub create_users: Option<bool>,
    /// What tokens of machines may be traded for.
    pub trust_rules: Option<Vec<TrustRule>>,
}

impl OidcChange {
    pub(super) fn apply(
        self,
        before: OidcSettings,
        id: ProviderId,
        keys: &Keys,
    ) -> Result<OidcSettings, ServiceError> {
        let client_secret = match self.client_secret {
            None => before.client_secret,
            Some(secret) => {
                let sealed =
                    |secret: SecretString| keys.seal(&label(id), secret.expose_secret().as_bytes());
                secret.map(sealed).transpose()?
            }
        };
        Ok(OidcSettings {
            authority: self.authority.unwrap_or(before.authority),
            audience: self.audience.unwrap_or(before.audience),
            required_scope: self.required_scope.unwrap_or(before.required_scope),
            client_id: self.client_id.unwrap_or(before.client_id),
            client_secret,
            algorithms: self.algorithms.unwrap_or(before.algorithms),
            require_typ: self.require_typ.unwrap_or(before.require_typ),
            username_claim: self.username_claim.unwrap_or(before.username_claim),
            role_claim: self.role_claim.unwrap_or(before.role_claim),
            role_mapping: self.role_mapping.unwrap_or(before.role_mapping),
            create_users: self.create_users.unwrap_or(before.create_users),
            trust_rules: self.trust_rules.unwrap_or(before.trust_rules),
        })
    }
}

/// An OpenID provider that gives nobody anything yet. Its authority and audience have no default.
pub(super) fn defaults(
    named: (Option<Authority>, Option<ExternalId>),
) -> Result<OidcSettings, ServiceError> {
    let (Some(authority), Some(audience)) = named else {
        let missing = [("/authority", named.0.is_none()), ("/audience", named.1.is_none())];
        let missing = missing.into_iter().filter(|(_, is_missing)| *is_missing);
        let required = |(pointer, _): (&str, _)| Broken {
            pointer: pointer.to_owned(),
            detail: "is required".to_owned(),
        };
        return Err(ServiceError::Broken(missing.map(required).collect()));
    };
    let username_claim = USERNAME_CLAIM.parse();
    Ok(OidcSettings {
        authority,
        audience,
        required_scope: None,
        client_id: None,
        client_secret: None,
        algorithms: DEFAULT_ALGORITHMS.into(),
        require_typ: false,
        username_claim: username_claim
            .map_err(|rule| ServiceError::broken("/username_claim", rule))?,
        role_claim: None,
        role_mapping: BTreeMap::new(),
        create_users: false,
        trust_rules: Vec::new(),
    })
}

/// The client secret of a provider, as it was before it was sealed.
pub(in crate::providers) fn open_secret(
    keys: &Keys,
    id: ProviderId,
    sealed: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    keys.open(&label(id), sealed)
}

/// What a client secret is sealed for, so that no two of them can be exchanged.
fn label(id: ProviderId) -> String {
    format!("client secret {id}")
}

/// What providers sign with, unless somebody says otherwise: one of each family, and of RSA what
/// OpenID Connect makes the default.
const DEFAULT_ALGORITHMS: [JwtAlgorithm; 4] =
    [JwtAlgorithm::EdDsa, JwtAlgorithm::Es256, JwtAlgorithm::Ps256, JwtAlgorithm::Rs256];
const USERNAME_CLAIM: &str = "preferred_username";
