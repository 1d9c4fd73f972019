//! What a check costs without a socket and without a disk: each stage of it, then all of them
//! against a table in memory. Allocations are counted.

#![expect(clippy::unwrap_used, reason = "the samples are constants")]

use std::{
    collections::HashMap,
    convert::Infallible,
    hash::{BuildHasherDefault, Hasher},
    pin::pin,
    sync::{Arc, LazyLock},
    task::{Poll, Waker},
};

use divan::{AllocProfiler, Bencher, black_box};
use keystile_auth::{SystemClock, Verifier};
use keystile_domain::{
    AllowedIps, ApiKeyId, Carrier, Context, Credential, CredentialKind, CredentialStore, Decision,
    Digest, Encoding, Expiry, Formats, Found, HeaderName, KeyLength, KeySettings, Limits, Metadata,
    Pepper, PermissionQuery, Principal, PrincipalKind, Provider, ProviderId, ProviderKind,
    ProviderSettings, QueryName, Rights, Secret, SecretFormat, Timestamp, Transport, Version,
    decide,
};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

#[divan::bench]
fn parse() -> bool {
    FORMATS.recognise(black_box(KEY)).is_ok()
}

#[divan::bench]
fn fingerprint(bencher: Bencher<'_, '_>) {
    let secret = Secret::parse(KEY).unwrap();
    bencher.bench_local(|| black_box(&secret).fingerprint());
}

#[divan::bench]
fn digest(bencher: Bencher<'_, '_>) {
    let (pepper, fingerprint) = (pepper(), Secret::parse(KEY).unwrap().fingerprint());
    bencher.bench_local(|| pepper.digest(black_box(&fingerprint)));
}

#[divan::bench]
fn decide_one(bencher: Bencher<'_, '_>) {
    let (credential, query) = (credential(), query());
    bencher.bench_local(|| decide(black_box(&credential), &context(&query), now()));
}

#[divan::bench(args = [1_000, 1_000_000], threads = [1, 0])]
fn verify_from_memory(bencher: Bencher<'_, '_>, stored: u32) {
    let verifier = Verifier::new(Memory::with(stored), SystemClock, FORMATS.clone());
    let query = query();
    bencher.bench(|| {
        let secret = Secret::parse(black_box(KEY)).unwrap();
        let context = context(&query);
        let check = pin!(verifier.check(&secret, &context));
        let checked = check.poll(&mut std::task::Context::from_waker(Waker::noop()));
        assert!(matches!(checked, Poll::Ready(Ok(Decision::Allow(_)))));
    });
}

/// A store with the key and as many others as it is told.
struct Memory {
    pepper: Pepper,
    credentials: HashMap<[u8; 32], Arc<Credential>, BuildHasherDefault<FirstBytes>>,
}

impl Memory {
    fn with(stored: u32) -> Self {
        let (pepper, credential) = (pepper(), credential());
        let texts = (1..stored).map(|number| format!("another-{number}")).chain([KEY.to_owned()]);
        let credentials = texts
            .map(|text| {
                let digest = digest_of(&Secret::parse(&text).unwrap(), &pepper);
                (*digest.as_bytes(), Arc::clone(&credential))
            })
            .collect();
        Self { pepper, credentials }
    }
}

impl CredentialStore for Memory {
    type Error = Infallible;

    async fn find(&self, secret: &Secret) -> Result<Option<Found>, Infallible> {
        let digest = digest_of(secret, &self.pepper);
        let credential = self.credentials.get(digest.as_bytes());
        Ok(credential.map(|credential| Found::Credential(Arc::clone(credential))))
    }
}

/// A digest is uniform already: its own beginning is as good a hash as any.
#[derive(Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.first_chunk().map_or(self.0, |first| u64::from_le_bytes(*first));
    }

    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

fn digest_of(secret: &Secret, pepper: &Pepper) -> Digest {
    pepper.digest(&secret.fingerprint())
}

fn context(query: &PermissionQuery) -> Context<'_> {
    Context {
        source: Some(Carrier::Header.into()),
        transport: Some(Transport::Secure),
        permission: Some(query),
        ..Context::default()
    }
}

fn query() -> PermissionQuery {
    "invoices.read".parse().unwrap()
}

fn pepper() -> Pepper {
    Pepper::from_bytes(&[7; 32])
}

fn now() -> Timestamp {
    Timestamp::from_millis(0)
}

fn format() -> SecretFormat {
    SecretFormat {
        prefix: "ks_".parse().unwrap(),
        encoding: Encoding::Base62,
        key_length: KeyLength::default(),
    }
}

fn credential() -> Arc<Credential> {
    let id = ApiKeyId::new(now(), [0; 10]).as_uuid();
    let permissions = ["reports.*", "invoices.read", "customers.**"].map(|text| text.parse());
    Arc::new(Credential {
        id,
        kind: CredentialKind::ApiKey,
        name: "CI".parse().unwrap(),
        key_prefix: "ks_012345".to_owned(),
        enabled: true,
        expiry: Expiry::Never,
        secret_expiry: Expiry::Never,
        allowed_ips: AllowedIps::default(),
        limits: Limits::none(id),
        external_id: None,
        metadata: Metadata::default(),
        principal: Principal { kind: PrincipalKind::ApiKey, id, name: "CI".parse().unwrap() },
        owner_enabled: None,
        signed_in: false,
        scopes: None,
        provider: Arc::new(provider()),
        roles: Vec::new(),
        rights: Rights {
            permissions: permissions.into_iter().map(Result::unwrap).collect(),
            ..Rights::default()
        },
    })
}

fn provider() -> Provider {
    Provider {
        id: ProviderId::new(now(), [0; 10]),
        identifier: "api-keys".parse().unwrap(),
        name: "API keys".parse().unwrap(),
        kind: ProviderKind::ApiKey,
        priority: 0,
        enabled: true,
        is_default: true,
        allow_insecure_http: false,
        settings: ProviderSettings::Keys(KeySettings {
            format: format(),
            default_expiry_minutes: None,
            max_expiry_minutes: None,
            header_name: HeaderName::default(),
            accept_bearer: true,
            allow_query_string: false,
            query_parameter_name: QueryName::default(),
            admin_may_create: false,
        }),
        version: Version::FIRST,
        created_at: now(),
        updated_at: now(),
    }
}

static FORMATS: LazyLock<Formats> = LazyLock::new(|| Formats::new(vec![format()]));

const KEY: &str = "ks_0123456789abcdefghijABCDEFGHIJ0123456789xyz3A8jxH";
