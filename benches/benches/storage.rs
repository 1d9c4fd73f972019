//! What a key costs that no memory knows, beside the least that diesel reads.
//!
//! On SQLite; and on PostgreSQL, if `KEYSTILE_BENCH_POSTGRES` is the address of an empty database.

#![expect(clippy::unwrap_used, reason = "what cannot be prepared cannot be measured")]

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use diesel::prelude::*;
use divan::{Bencher, black_box};
use keystile_domain::{
    Action, Actor, ApiKey, ApiKeyId, BuiltInRole, ChainKey, Digest, Encoding, Event, EventDraft,
    EventId, Expiry, KeyLength, KeySettings, Metadata, Provider, ProviderId, ProviderKind,
    ProviderSettings, Role, SecretFormat, Target, TargetKind, Timestamp, Version,
};
use keystile_storage::{NewSecret, Store, StoreOptions, Tx, Url};
use tempfile::TempDir;

use self::schema::secrets;
use tokio::runtime::Runtime;
use uuid::Uuid;

fn main() {
    divan::main();
}

/// The floor: one row by its primary key, on the thread that asks.
#[divan::bench]
fn point_read_in_diesel(bencher: Bencher<'_, '_>) {
    let Stage { directory, .. } = &*SQLITE;
    let file = directory.path().join("keystile.db");
    let mut link = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    bencher.bench_local(|| {
        let read = secrets::table.find(next().as_bytes().to_vec()).select(secrets::credential_id);
        read.first::<String>(&mut link).unwrap()
    });
}

/// The floor of a server: the same by the pool, off the thread that asks.
#[divan::bench(args = DATABASES)]
fn point_read_in_the_store(bencher: Bencher<'_, '_>, database: &str) {
    let Some(stage) = stage(database) else { return };
    bencher.bench_local(|| {
        stage.runtime.block_on(async {
            stage.store.read().await.unwrap().find_meta(black_box("name")).await.unwrap()
        })
    });
}

#[divan::bench(args = DATABASES)]
fn cold_key(bencher: Bencher<'_, '_>, database: &str) {
    find(bencher, database, next);
}

#[divan::bench(args = DATABASES)]
fn unknown_key(bencher: Bencher<'_, '_>, database: &str) {
    find(bencher, database, || digest(u64::MAX));
}

fn find(bencher: Bencher<'_, '_>, database: &str, digest: impl Fn() -> Digest) {
    let Some(stage) = stage(database) else { return };
    bencher.bench_local(|| {
        stage.runtime.block_on(async {
            let mut conn = stage.store.read().await.unwrap();
            conn.find_credential(&digest()).await.unwrap()
        })
    });
}

/// What the floor reads.
mod schema {
    diesel::table! {
        secrets (digest) {
            digest -> Binary,
            credential_id -> Text,
        }
    }
}

/// A database with keys, and what reaches it.
struct Stage {
    runtime: Runtime,
    store: Store,
    directory: TempDir,
}

impl Stage {
    fn new(postgres: Option<String>) -> Self {
        let runtime = Runtime::new().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let url = match postgres {
            Some(address) => Url::Postgres(address.into()),
            None => Url::Sqlite(directory.path().join("keystile.db")),
        };
        let options = StoreOptions { url, pool_size: 4, acquire_timeout: Duration::from_secs(30) };
        let store = Store::open(options, runtime.handle()).unwrap();
        runtime.block_on(async {
            store.migrate(None).await.unwrap();
            let mut tx = store.begin().await.unwrap();
            fill(&mut tx).await;
            let event = Event {
                seq: tx.seq(),
                id: EventId::new(now(), [0; 10]),
                at: now(),
                draft: draft(),
            };
            let sealed = ChainKey::from_bytes(&[7; 32]).seal(event, tx.previous(), [[0; 16]; 3]);
            tx.commit(vec![sealed]).await.unwrap();
        });
        Self { runtime, store, directory }
    }
}

async fn fill(tx: &mut Tx) {
    tx.set_meta("name", "value").await.unwrap();
    tx.insert_provider(&provider()).await.unwrap();
    tx.insert_role(&role()).await.unwrap();
    for first in (0..STORED).step_by(10_000) {
        let keys: Vec<_> = (first..first + 10_000)
            .map(|number| (api_key(number), NewSecret::new(digest(number), None)))
            .collect();
        tx.insert_api_keys(&keys).await.unwrap();
    }
}

fn api_key(number: u64) -> ApiKey {
    ApiKey {
        id: ApiKeyId::from(Uuid::from_u64_pair(number, number)),
        name: format!("key-{number}").parse().unwrap(),
        description: None,
        provider: provider().id,
        key_prefix: "ks_abcdef".to_owned(),
        roles: [BuiltInRole::ALL[3].id()].into(),
        expiry: Expiry::Never,
        enabled: true,
        allowed_ips: Vec::new().try_into().unwrap(),
        rate_limits: Default::default(),
        quota: None,
        external_id: None,
        metadata: Metadata::default(),
        created_by: None,
        created_at: now(),
        updated_at: now(),
        version: Version::FIRST,
    }
}

fn provider() -> Provider {
    Provider {
        id: ProviderId::from(Uuid::from_u128(1)),
        identifier: "api-keys".parse().unwrap(),
        name: "API keys".parse().unwrap(),
        kind: ProviderKind::ApiKey,
        priority: 0,
        enabled: true,
        is_default: true,
        allow_insecure_http: true,
        settings: ProviderSettings::Keys(KeySettings {
            format: SecretFormat {
                prefix: "ks_".parse().unwrap(),
                encoding: Encoding::Base62,
                key_length: KeyLength::new(32).unwrap(),
            },
            default_expiry_minutes: None,
            max_expiry_minutes: None,
            header_name: "X-API-Key".parse().unwrap(),
            accept_bearer: true,
            allow_query_string: false,
            query_parameter_name: "key".parse().unwrap(),
            admin_may_create: true,
        }),
        version: Version::FIRST,
        created_at: now(),
        updated_at: now(),
    }
}

fn role() -> Role {
    let role = BuiltInRole::ALL[3];
    Role {
        id: role.id(),
        name: role.name().parse().unwrap(),
        description: None,
        permissions: role.permissions(),
        endpoints: role.endpoints(),
        may_grant: Default::default(),
        built_in: true,
        version: Version::FIRST,
        created_at: now(),
        updated_at: now(),
    }
}

fn draft() -> EventDraft {
    EventDraft {
        actor: Actor::System,
        action: Action::SystemInitialised,
        target: Target { kind: TargetKind::System, id: "keystile".into(), name: String::new() },
        before: None,
        after: None,
        reason: None,
        address: None,
        request_id: None,
    }
}

fn now() -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000)
}

/// The digest of one key after the other, each far from the one before.
fn next() -> Digest {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    digest(COUNT.fetch_add(7_919, Ordering::Relaxed) % STORED)
}

/// A digest as scattered as a real one.
fn digest(number: u64) -> Digest {
    let scattered = number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&scattered);
    Digest::from_bytes(bytes)
}

fn stage(database: &str) -> Option<&'static Stage> {
    match database {
        "SQLite" => Some(&*SQLITE),
        _ => POSTGRES.as_ref(),
    }
}

static SQLITE: LazyLock<Stage> = LazyLock::new(|| Stage::new(None));
static POSTGRES: LazyLock<Option<Stage>> = LazyLock::new(|| {
    #[expect(clippy::disallowed_methods, reason = "a bench takes no arguments of ours")]
    let address = std::env::var("KEYSTILE_BENCH_POSTGRES");
    address.ok().map(|address| Stage::new(Some(address)))
});

const DATABASES: [&str; 2] = ["SQLite", "PostgreSQL"];
const STORED: u64 = 100_000;
