//! A verifier that knows one key, for the tests of whoever stands before a service.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use keystile_domain::{
    AllowedIps, ApiKeyId, Context, Credential, CredentialKind, CredentialText, Decision, Encoding,
    EndpointRule, Expiry, HeaderName, KeyLength, KeySettings, Limits, Metadata, Principal,
    PrincipalKind, Provider, ProviderId, ProviderKind, ProviderSettings, QueryName, Rights,
    SecretFormat, Timestamp, Version, decide,
};

use crate::{Refused, UsedUp, Verify};

/// Holds `invoices.read`, and opens `GET /invoices/**`.
pub(crate) const KEY: &str = "good";
/// Whose limit in time is used up.
pub(crate) const BUSY: &str = "busy";
/// About which nobody can say anything.
pub(crate) const OUTAGE: &str = "outage";

pub(crate) struct Judge;

impl Verify for Judge {
    async fn verify(
        &self,
        text: &CredentialText,
        context: &Context<'_>,
    ) -> Result<Decision, Refused> {
        match text {
            CredentialText::Secret(secret) if secret.expose() == KEY => {
                Ok(decide(&Arc::new(credential()), context, Timestamp::from_millis(0)))
            }
            CredentialText::Secret(secret) if secret.expose() == BUSY => {
                Err(Refused::exceeded(UsedUp::Rate, Duration::from_millis(1_500)))
            }
            CredentialText::Secret(secret) if secret.expose() == OUTAGE => {
                Err(Refused::Unavailable(io::Error::from(io::ErrorKind::NotConnected).into()))
            }
            _ => Err(Refused::Unknown("it is not the key".into())),
        }
    }
}

fn credential() -> Credential {
    let id = ApiKeyId::new(Timestamp::from_millis(0), [0; 10]).as_uuid();
    let name: keystile_domain::Name = "CI pipeline".parse().unwrap();
    let endpoint = EndpointRule::new(&["GET".to_owned()], "/invoices/**").unwrap();
    Credential {
        id,
        kind: CredentialKind::ApiKey,
        name: name.clone(),
        key_prefix: KEY.to_owned(),
        enabled: true,
        expiry: Expiry::Never,
        secret_expiry: Expiry::Never,
        allowed_ips: AllowedIps::default(),
        limits: Limits::none(id),
        external_id: None,
        metadata: Metadata::default(),
        principal: Principal { kind: PrincipalKind::ApiKey, id, name },
        owner_enabled: None,
        signed_in: false,
        provider: Arc::new(provider()),
        roles: Arc::default(),
        scopes: None,
        rights: Arc::new(Rights {
            permissions: ["invoices.read".parse().unwrap()].into_iter().collect(),
            endpoints: vec![endpoint],
            ..Rights::default()
        }),
    }
}

fn provider() -> Provider {
    let now = Timestamp::from_millis(0);
    Provider {
        id: ProviderId::new(now, [0; 10]),
        identifier: "api-keys".parse().unwrap(),
        name: "API keys".parse().unwrap(),
        kind: ProviderKind::ApiKey,
        priority: 0,
        enabled: true,
        is_default: true,
        allow_insecure_http: false,
        settings: ProviderSettings::Keys(KeySettings {
            format: SecretFormat {
                prefix: "ks_".parse().unwrap(),
                encoding: Encoding::Base62,
                key_length: KeyLength::default(),
            },
            default_expiry_minutes: None,
            max_expiry_minutes: None,
            header_name: HeaderName::default(),
            accept_bearer: true,
            allow_query_string: false,
            query_parameter_name: QueryName::default(),
            admin_may_create: false,
        }),
        version: Version::FIRST,
        created_at: now,
        updated_at: now,
    }
}
