//! What a check costs an embedder, without a socket and without a disk: each stage of it, then all
//! of them out of memory. Allocations are counted.

#![expect(clippy::unwrap_used, reason = "the samples are constants")]

use std::{
    collections::HashMap,
    convert::Infallible,
    hash::{BuildHasherDefault, Hasher},
    pin::pin,
    sync::{Arc, LazyLock},
    task::{Poll, Waker},
    time::Duration,
};

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use divan::{AllocProfiler, Bencher, black_box};
use keystile_auth::jwt::{Audiences, Expectations, KeySet, Leeway, TokenUse, verify as verify_jwt};
use keystile_auth::{Clock, SystemClock, Trust, Verifier};
use keystile_domain::{
    AllowedIps, Answer, ApiKeyId, Carrier, Context, Credential, CredentialKind, CredentialStore,
    Decision, Digest, Encoding, Expiry, Formats, Found, HeaderName, Jwt, JwtAlgorithm, KeyLength,
    KeySettings, Limits, Metadata, Pepper, PermissionQuery, Principal, PrincipalKind, Provider,
    ProviderId, ProviderKind, ProviderSettings, QueryName, Rights, Secret, SecretFormat, Timestamp,
    Transport, Version, decide,
};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

#[divan::bench]
fn parse() -> bool {
    FORMATS.recognise(&Secret::parse(black_box(KEY)).unwrap()).is_ok()
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

/// Out of the verifier's own memory; on one thread, and on as many as there are cores.
#[divan::bench(threads = [1, 0])]
fn verify_from_cache(bencher: Bencher<'_, '_>) {
    let trust = Arc::new(Trust::default());
    trust.extend(Duration::MAX);
    let verifier = Verifier::new(Memory::with(1), SystemClock, FORMATS.clone());
    verify(bencher, &verifier.remembering(trust, 64 * 1024 * 1024));
}

/// Out of a store that answers at once.
#[divan::bench(args = [1_000, 1_000_000], threads = [1, 0])]
fn verify_from_store(bencher: Bencher<'_, '_>, stored: u32) {
    verify(bencher, &Verifier::new(Memory::with(stored), SystemClock, FORMATS.clone()));
}

fn verify(bencher: Bencher<'_, '_>, verifier: &Verifier<Memory, SystemClock>) {
    let query = query();
    bencher.bench(|| {
        let secret = Secret::parse(black_box(KEY)).unwrap();
        let context = context(&query);
        let check = pin!(verifier.check(&secret, &context));
        let checked = check.poll(&mut std::task::Context::from_waker(Waker::noop()));
        assert!(matches!(checked, Poll::Ready(Ok(Decision::Allow(_)))));
    });
}

#[divan::bench]
fn jwt_at_first_sight(bencher: Bencher<'_, '_>) {
    let issuer = Issuer::new();
    let (jwt, keys) = (Jwt::parse(&issuer.token()).unwrap(), issuer.key_set());
    let expectations = Expectations {
        issuer: "https://issuer.test",
        audiences: Audiences::OneOf(&["us"]),
        authorized_party: None,
        algorithms: &[JwtAlgorithm::EdDsa],
        types: &["at+jwt"],
        token_use: TokenUse::Access,
        leeway: Leeway::MAX,
    };
    bencher.bench_local(|| {
        let claims = verify_jwt(black_box(&jwt), &keys, &expectations, SystemClock.now());
        assert!(claims.is_ok());
    });
}

/// What no way of verifying a JWT can do without.
#[divan::bench]
fn jwt_signature_alone(bencher: Bencher<'_, '_>) {
    let issuer = Issuer::new();
    let signature = issuer.0.sign(SIGNED);
    let key = UnparsedPublicKey::new(&ED25519, issuer.0.public_key().as_ref());
    bencher.bench_local(|| key.verify(black_box(SIGNED), signature.as_ref()).unwrap());
}

/// Somebody who signs tokens.
struct Issuer(Ed25519KeyPair);

impl Issuer {
    fn new() -> Self {
        Self(Ed25519KeyPair::generate().unwrap())
    }

    fn token(&self) -> String {
        let now = SystemClock.now().as_millis() / 1_000;
        let claims = format!(
            r#"{{"iss":"https://issuer.test","aud":"us","sub":"a","client_id":"a","jti":"1","iat":{now},"exp":{}}}"#,
            now + 3_600
        );
        let head = encoded(br#"{"typ":"at+jwt","alg":"EdDSA","kid":"1"}"#);
        let signed = format!("{head}.{}", encoded(claims.as_bytes()));
        let signature = encoded(self.0.sign(signed.as_bytes()).as_ref());
        format!("{signed}.{signature}")
    }

    fn key_set(&self) -> KeySet {
        let x = encoded(self.0.public_key().as_ref());
        let set = format!(
            r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"1","alg":"EdDSA","x":"{x}"}}]}}"#
        );
        KeySet::parse(set.as_bytes()).unwrap()
    }
}

fn encoded(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
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

    async fn find(&self, secret: &Secret) -> Result<Answer, Infallible> {
        let digest = digest_of(secret, &self.pepper);
        let credential = self.credentials.get(digest.as_bytes());
        let found = credential.map(|credential| Found::Credential(Arc::clone(credential)));
        Ok(found.into())
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
        roles: Arc::default(),
        rights: Arc::new(Rights {
            permissions: permissions.into_iter().map(Result::unwrap).collect(),
            ..Rights::default()
        }),
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

/// As many bytes as the token has that are signed.
const SIGNED: &[u8] = &[b'a'; 210];

const KEY: &str = "ks_0123456789abcdefghijABCDEFGHIJ0123456789xyz3A8jxH";
