//! What only one kind of provider has, as JSON in one column, in a shape that belongs to this file
//! alone. A member that older versions did not write must have a default.

use std::collections::{BTreeMap, BTreeSet};

use keystile_domain::{
    HashCost, KeyLength, KeySettings, Lockout, OidcSettings, PasswordSettings, ProviderSettings,
    RoleId, SecretFormat, TrustRule,
};
use serde::{Deserialize, Serialize};

use super::SETTINGS;
use crate::StoreError;
use crate::columns::{parse, parse_optional};

#[derive(Deserialize, Serialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub(super) enum SettingsColumn {
    Keys(KeysColumn),
    Oidc(OidcColumn),
    Password(PasswordColumn),
}

impl SettingsColumn {
    pub(super) fn new(settings: &ProviderSettings) -> Result<Self, StoreError> {
        match settings {
            ProviderSettings::Keys(keys) => Ok(Self::Keys(KeysColumn::new(keys))),
            ProviderSettings::Oidc(oidc) => Ok(Self::Oidc(OidcColumn::new(oidc))),
            ProviderSettings::Password(password) => {
                Ok(Self::Password(PasswordColumn::new(password)))
            }
            // A kind that this file was not taught must not be stored as another.
            _ => Err(StoreError::Corrupt(SETTINGS)),
        }
    }

    pub(super) fn read(self) -> Result<ProviderSettings, StoreError> {
        Ok(match self {
            Self::Keys(keys) => ProviderSettings::Keys(keys.read()?),
            Self::Oidc(oidc) => ProviderSettings::Oidc(Box::new(oidc.read()?)),
            Self::Password(password) => ProviderSettings::Password(password.read()?),
        })
    }
}

#[derive(Deserialize, Serialize)]
pub(super) struct KeysColumn {
    prefix: String,
    encoding: String,
    key_length: u8,
    default_expiry_minutes: Option<u32>,
    max_expiry_minutes: Option<u32>,
    header_name: String,
    accept_bearer: bool,
    allow_query_string: bool,
    query_parameter_name: String,
    admin_may_create: bool,
}

impl KeysColumn {
    fn new(keys: &KeySettings) -> Self {
        Self {
            prefix: keys.format.prefix.as_str().to_owned(),
            encoding: keys.format.encoding.as_str().to_owned(),
            key_length: keys.format.key_length.bytes(),
            default_expiry_minutes: keys.default_expiry_minutes,
            max_expiry_minutes: keys.max_expiry_minutes,
            header_name: keys.header_name.as_str().to_owned(),
            accept_bearer: keys.accept_bearer,
            allow_query_string: keys.allow_query_string,
            query_parameter_name: keys.query_parameter_name.as_str().to_owned(),
            admin_may_create: keys.admin_may_create,
        }
    }

    fn read(self) -> Result<KeySettings, StoreError> {
        let key_length = KeyLength::new(self.key_length);
        Ok(KeySettings {
            format: SecretFormat {
                prefix: parse(&self.prefix, SETTINGS)?,
                encoding: parse(&self.encoding, SETTINGS)?,
                key_length: key_length.ok().ok_or(StoreError::Corrupt(SETTINGS))?,
            },
            default_expiry_minutes: self.default_expiry_minutes,
            max_expiry_minutes: self.max_expiry_minutes,
            header_name: parse(&self.header_name, SETTINGS)?,
            accept_bearer: self.accept_bearer,
            allow_query_string: self.allow_query_string,
            query_parameter_name: parse(&self.query_parameter_name, SETTINGS)?,
            admin_may_create: self.admin_may_create,
        })
    }
}

#[derive(Deserialize, Serialize)]
pub(super) struct OidcColumn {
    authority: String,
    audience: String,
    required_scope: Option<String>,
    client_id: Option<String>,
    client_secret: Option<Vec<u8>>,
    algorithms: Vec<String>,
    require_typ: bool,
    username_claim: String,
    role_claim: Option<String>,
    role_mapping: BTreeMap<String, BTreeSet<i64>>,
    create_users: bool,
    trust_rules: Vec<TrustRuleColumn>,
}

impl OidcColumn {
    fn new(oidc: &OidcSettings) -> Self {
        let mapped = |(name, ids): (&String, &BTreeSet<RoleId>)| (name.clone(), numbers(ids));
        let algorithms = oidc.algorithms.iter().map(|algorithm| algorithm.as_str().to_owned());
        Self {
            authority: oidc.authority.as_str().to_owned(),
            audience: oidc.audience.as_str().to_owned(),
            required_scope: oidc.required_scope.as_ref().map(ToString::to_string),
            client_id: oidc.client_id.as_ref().map(ToString::to_string),
            client_secret: oidc.client_secret.clone(),
            algorithms: algorithms.collect(),
            require_typ: oidc.require_typ,
            username_claim: oidc.username_claim.as_str().to_owned(),
            role_claim: oidc.role_claim.as_ref().map(ToString::to_string),
            role_mapping: oidc.role_mapping.iter().map(mapped).collect(),
            create_users: oidc.create_users,
            trust_rules: oidc.trust_rules.iter().map(TrustRuleColumn::new).collect(),
        }
    }

    fn read(self) -> Result<OidcSettings, StoreError> {
        let algorithms = self.algorithms.iter().map(|text| parse(text, SETTINGS));
        let mapped = |(name, ids): (String, BTreeSet<i64>)| (name, roles(ids));
        Ok(OidcSettings {
            authority: parse(&self.authority, SETTINGS)?,
            audience: parse(&self.audience, SETTINGS)?,
            required_scope: parse_optional(self.required_scope.as_deref(), SETTINGS)?,
            client_id: parse_optional(self.client_id.as_deref(), SETTINGS)?,
            client_secret: self.client_secret,
            algorithms: algorithms.collect::<Result<_, _>>()?,
            require_typ: self.require_typ,
            username_claim: parse(&self.username_claim, SETTINGS)?,
            role_claim: parse_optional(self.role_claim.as_deref(), SETTINGS)?,
            role_mapping: self.role_mapping.into_iter().map(mapped).collect(),
            create_users: self.create_users,
            trust_rules: self
                .trust_rules
                .into_iter()
                .map(TrustRuleColumn::read)
                .collect::<Result<_, _>>()?,
        })
    }
}

#[derive(Deserialize, Serialize)]
struct TrustRuleColumn {
    claims: BTreeMap<String, String>,
    role_ids: BTreeSet<i64>,
    max_minutes: u32,
}

impl TrustRuleColumn {
    fn new(rule: &TrustRule) -> Self {
        let claims = rule.claims.iter();
        Self {
            claims: claims
                .map(|(name, pattern)| (name.to_string(), pattern.as_str().to_owned()))
                .collect(),
            role_ids: numbers(&rule.roles),
            max_minutes: rule.max_minutes,
        }
    }

    fn read(self) -> Result<TrustRule, StoreError> {
        let claims = self.claims.iter();
        Ok(TrustRule {
            claims: claims
                .map(|(name, pattern)| Ok((parse(name, SETTINGS)?, parse(pattern, SETTINGS)?)))
                .collect::<Result<_, StoreError>>()?,
            roles: roles(self.role_ids),
            max_minutes: self.max_minutes,
        })
    }
}

/// What a row of a version without such settings lacks is as it is for a new provider.
#[derive(Deserialize, Serialize)]
#[serde(default)]
pub(super) struct PasswordColumn {
    min_length: u8,
    name_failures: u32,
    address_failures: u32,
    access_minutes: u32,
    refresh_minutes: u32,
    session_minutes: u32,
    memory_kib: u32,
    iterations: u32,
    parallelism: u32,
}

impl PasswordColumn {
    fn new(password: &PasswordSettings) -> Self {
        Self {
            min_length: password.min_length,
            name_failures: password.lockout.name_failures,
            address_failures: password.lockout.address_failures,
            access_minutes: password.access_minutes,
            refresh_minutes: password.refresh_minutes,
            session_minutes: password.session_minutes,
            memory_kib: password.cost.memory_kib(),
            iterations: password.cost.iterations(),
            parallelism: password.cost.parallelism(),
        }
    }

    fn read(self) -> Result<PasswordSettings, StoreError> {
        let cost = HashCost::new(self.memory_kib, self.iterations, self.parallelism);
        Ok(PasswordSettings {
            min_length: self.min_length,
            lockout: Lockout {
                name_failures: self.name_failures,
                address_failures: self.address_failures,
            },
            access_minutes: self.access_minutes,
            refresh_minutes: self.refresh_minutes,
            session_minutes: self.session_minutes,
            cost: cost.ok().ok_or(StoreError::Corrupt(SETTINGS))?,
        })
    }
}

impl Default for PasswordColumn {
    fn default() -> Self {
        Self::new(&PasswordSettings::default())
    }
}

fn numbers(roles: &BTreeSet<RoleId>) -> BTreeSet<i64> {
    roles.iter().map(|role| role.0).collect()
}

fn roles(numbers: BTreeSet<i64>) -> BTreeSet<RoleId> {
    numbers.into_iter().map(RoleId).collect()
}
