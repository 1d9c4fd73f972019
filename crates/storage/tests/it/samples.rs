//! Things to store.

use std::collections::{BTreeMap, BTreeSet};

use keystile_domain::{
    Action, Actor, ApiKey, ApiKeyId, BuiltInRole, Digest, EndpointRule, Event, EventDraft, EventId,
    Expiry, HashCost, JwtAlgorithm, KeyLength, KeySettings, Lockout, Metadata, OidcSettings,
    PasswordSettings, PermissionSet, Principal, PrincipalKind, Provider, ProviderId, ProviderKind,
    ProviderSettings, Quota, RateLimit, RateLimits, Refill, Role, RoleId, SecretFormat, Seq,
    Target, TargetKind, Timestamp, Token, TokenId, TrustRule, User, UserId, Version,
};
use serde_json::json;
use uuid::Uuid;

/// The moment at which everything happens.
pub const NOW: i64 = 1_800_000_000_000;

/// A moment so many milliseconds later.
pub fn at(offset: i64) -> Timestamp {
    Timestamp::from_millis(NOW + offset)
}

/// An id that every call with the same number gives.
pub fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub fn digest(number: u8) -> Digest {
    Digest::from_bytes([number; 32])
}

/// A digest that is the key's alone.
pub fn digest_of(key: &ApiKey) -> Digest {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(key.id.as_uuid().as_bytes());
    Digest::from_bytes(bytes)
}

pub fn principal() -> Principal {
    let name = "Ä. Admin".parse().unwrap();
    Principal { kind: PrincipalKind::User, id: uuid(77), name }
}

/// Two limits.
pub fn rate_limits() -> RateLimits {
    let limit = |name: &str, limit: i64, window: i64| RateLimit {
        name: name.parse().unwrap(),
        limit: limit.try_into().unwrap(),
        window: window.try_into().unwrap(),
    };
    vec![limit("default", 100, 60), limit("a-day", 1_000_000_000, 86_400)].try_into().unwrap()
}

/// A quota of a million.
pub fn quota(refill: Refill) -> Quota {
    Quota { limit: 1_000_000.try_into().unwrap(), refill, since: at(7) }
}

/// A key without anything that it could do without.
pub fn api_key(number: u128, name: &str) -> ApiKey {
    ApiKey {
        id: ApiKeyId::from(uuid(number)),
        name: name.parse().unwrap(),
        description: None,
        provider: ProviderId::from(uuid(1)),
        key_prefix: "ks_abcdef".to_owned(),
        roles: BTreeSet::new(),
        expiry: Expiry::Never,
        enabled: true,
        allowed_ips: Vec::new().try_into().unwrap(),
        rate_limits: Default::default(),
        quota: None,
        external_id: None,
        metadata: Metadata::default(),
        created_by: None,
        created_at: at(0),
        updated_at: at(0),
        version: Version::FIRST,
    }
}

/// A key with everything that one can have.
pub fn full_api_key(number: u128, name: &str) -> ApiKey {
    let networks = ["10.0.0.0/8", "2001:db8::/32"].map(|text| text.parse().unwrap());
    let metadata = json!({"team": "größer 🚀", "nested": {"n": [1, 2.5e-300, null]}, "nul": "\0"});
    ApiKey {
        description: Some("one\n\ttwo".parse().unwrap()),
        roles: [RoleId(2), RoleId(4)].into(),
        expiry: Expiry::At(at(1_000)),
        enabled: false,
        allowed_ips: networks.to_vec().try_into().unwrap(),
        rate_limits: rate_limits(),
        quota: Some(quota(Refill::Month)),
        external_id: Some("crm:4711".parse().unwrap()),
        metadata: Metadata::try_from(metadata.as_object().cloned().unwrap()).unwrap(),
        created_by: Some(principal()),
        updated_at: at(5),
        version: Version(3),
        ..api_key(number, name)
    }
}

pub fn provider(identifier: &str, number: u128) -> Provider {
    Provider {
        id: ProviderId::from(uuid(number)),
        identifier: identifier.parse().unwrap(),
        name: "API keys".parse().unwrap(),
        kind: ProviderKind::ApiKey,
        priority: -5,
        enabled: true,
        is_default: false,
        allow_insecure_http: true,
        settings: ProviderSettings::Keys(KeySettings {
            format: format("ks_"),
            default_expiry_minutes: Some(90),
            max_expiry_minutes: None,
            header_name: "X-Key".parse().unwrap(),
            accept_bearer: true,
            allow_query_string: false,
            query_parameter_name: "key".parse().unwrap(),
            admin_may_create: true,
        }),
        version: Version(2),
        created_at: at(0),
        updated_at: at(1),
    }
}

/// A provider of passwords, with settings that none has by itself.
pub fn password_provider(identifier: &str, number: u128) -> Provider {
    Provider {
        kind: ProviderKind::Password,
        settings: ProviderSettings::Password(PasswordSettings {
            min_length: 20,
            lockout: Lockout { name_failures: 3, address_failures: 30 },
            access_minutes: 5,
            refresh_minutes: 60,
            session_minutes: 600,
            cost: HashCost::new(12_288, 3, 2).unwrap(),
        }),
        ..provider(identifier, number)
    }
}

/// A provider of personal access tokens.
pub fn token_provider(identifier: &str, number: u128) -> Provider {
    Provider { kind: ProviderKind::PersonalAccessToken, ..provider(identifier, number) }
}

/// An OpenID provider with everything that one can have; it gives roles 2 and 4.
pub fn oidc_provider(identifier: &str, number: u128) -> Provider {
    let claims = [("repository", "acme/*"), ("https://example.com/ref", "refs/heads/main")];
    let claims = claims.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    Provider {
        kind: ProviderKind::Oidc,
        settings: ProviderSettings::Oidc(Box::new(OidcSettings {
            authority: "https://idp.example/realms/Main".parse().unwrap(),
            audience: "api://keystile".parse().unwrap(),
            required_scope: Some("keys".parse().unwrap()),
            client_id: Some("console".parse().unwrap()),
            client_secret: Some(vec![0, 127, 255]),
            algorithms: [JwtAlgorithm::Rs256, JwtAlgorithm::EdDsa].into(),
            require_typ: true,
            username_claim: "preferred_username".parse().unwrap(),
            role_claim: Some("groups".parse().unwrap()),
            role_mapping: BTreeMap::from([
                ("Ops \0".to_owned(), [RoleId(2), RoleId(4)].into()),
                ("nobody".to_owned(), BTreeSet::new()),
            ]),
            create_users: true,
            trust_rules: vec![TrustRule {
                claims: claims.into(),
                roles: [RoleId(4)].into(),
                max_minutes: 10,
            }],
        })),
        ..provider(identifier, number)
    }
}

pub fn format(prefix: &str) -> SecretFormat {
    SecretFormat {
        prefix: prefix.parse().unwrap(),
        encoding: "base62".parse().unwrap(),
        key_length: KeyLength::new(32).unwrap(),
    }
}

/// A role that takes its id from the database.
pub fn role(name: &str, permissions: &[&str]) -> Role {
    Role {
        id: RoleId(0),
        name: name.parse().unwrap(),
        description: Some("What it is for".parse().unwrap()),
        permissions: set(permissions),
        endpoints: vec![
            EndpointRule::new(&["GET".to_owned(), "POST".to_owned()], "/billing/*/x").unwrap(),
            EndpointRule::everything(),
        ],
        may_grant: [RoleId(3), RoleId(4)].into(),
        built_in: false,
        version: Version::FIRST,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub fn built_in_roles() -> Vec<Role> {
    let built_in = |role: BuiltInRole| Role {
        id: role.id(),
        name: role.name().parse().unwrap(),
        description: Some(role.description().parse().unwrap()),
        permissions: role.permissions(),
        endpoints: role.endpoints(),
        may_grant: BTreeSet::new(),
        built_in: true,
        version: Version::FIRST,
        created_at: at(0),
        updated_at: at(0),
    };
    BuiltInRole::ALL.map(built_in).to_vec()
}

/// A user without anything that they could do without but roles.
pub fn user(name: &str, number: u128) -> User {
    User {
        id: UserId::from(uuid(number)),
        username: name.parse().unwrap(),
        display_name: None,
        email: None,
        enabled: true,
        is_service_account: false,
        roles: [RoleId(1), RoleId(3)].into(),
        rate_limits: Default::default(),
        external_id: None,
        metadata: Metadata::default(),
        version: Version::FIRST,
        created_at: at(0),
        updated_at: at(2),
    }
}

/// A service account with everything that one can have.
pub fn full_user(name: &str, number: u128) -> User {
    let metadata = json!({"team": "größer 🚀", "nul": "\0"});
    User {
        display_name: Some("Ä. Nother".parse().unwrap()),
        email: Some("ann@example.com".parse().unwrap()),
        enabled: false,
        is_service_account: true,
        rate_limits: rate_limits(),
        external_id: Some("hr:4711".parse().unwrap()),
        metadata: Metadata::try_from(metadata.as_object().cloned().unwrap()).unwrap(),
        version: Version(3),
        ..user(name, number)
    }
}

/// A token of the provider 2 without anything that it could do without.
pub fn token(number: u128, owner: &User, name: &str) -> Token {
    Token {
        id: TokenId::from(uuid(number)),
        owner: owner.id,
        name: name.parse().unwrap(),
        description: None,
        provider: ProviderId::from(uuid(2)),
        key_prefix: "ks_pat_abcdef".to_owned(),
        scopes: None,
        expiry: Expiry::Never,
        created_by: None,
        created_at: at(0),
        updated_at: at(0),
        version: Version::FIRST,
    }
}

/// A token with everything that one can have.
pub fn full_token(number: u128, owner: &User, name: &str) -> Token {
    Token {
        description: Some("one\n\ttwo".parse().unwrap()),
        scopes: Some(set(&["invoices.*", "keystile.api_keys.read"])),
        expiry: Expiry::At(at(1_000)),
        created_by: Some(principal()),
        updated_at: at(5),
        version: Version(3),
        ..token(number, owner, name)
    }
}

pub fn event(seq: Seq, draft: EventDraft) -> Event {
    let id = EventId::new(at(seq.0), [u8::try_from(seq.0 % 256).unwrap(); 10]);
    Event { seq, id, at: at(seq.0), draft }
}

/// An event with nothing that it could do without.
pub fn draft() -> EventDraft {
    EventDraft {
        actor: Actor::System,
        action: Action::SystemInitialised,
        target: Target {
            kind: TargetKind::System,
            id: "system".to_owned(),
            name: "Keystile".to_owned(),
        },
        before: None,
        after: None,
        reason: None,
        address: None,
        request_id: None,
    }
}

/// An event with everything that one can have; its numbers are hard to read back exactly.
pub fn full_draft() -> EventDraft {
    EventDraft {
        actor: Actor::Principal { principal: principal(), credential: uuid(88) },
        action: Action::ApiKeyUpdated,
        target: Target {
            kind: TargetKind::ApiKey,
            id: uuid(9).to_string(),
            name: "CI % key".to_owned(),
        },
        before: Some(json!({"n": 31.245270191439438, "m": 8.383658838626809e-78})),
        after: Some(json!({"n": 0.1 + 0.2, "m": -0.0, "big": u64::MAX, "text": "\u{2028}ü\0"})),
        reason: Some("because".parse().unwrap()),
        address: Some("2001:db8::1".parse().unwrap()),
        request_id: Some("req-1".parse().unwrap()),
    }
}

pub fn set(permissions: &[&str]) -> PermissionSet {
    permissions.iter().map(|text| text.parse().unwrap()).collect()
}
