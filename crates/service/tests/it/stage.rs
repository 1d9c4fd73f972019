//! Keystile on an empty SQLite file, with a clock that stands still.

use std::sync::Arc;
use std::time::Duration;

use keystile_auth::{Clock, FixedClock, Place, Presented};
use keystile_domain::{BuiltInRole, CredentialText, RequestId, Timestamp, Transport};
use keystile_service::api_keys::{ApiKeyDraft, IssuedApiKey};
use keystile_service::change::{Changed, Options};
use keystile_service::first_start::{Bootstrap, FirstSecrets, FirstStartError, initialise};
use keystile_service::{Caller, Keystile, MasterKey, Origin, Refused, ServiceError};
use keystile_storage::{Store, StoreOptions, Url};
use tempfile::TempDir;

pub struct Stage {
    pub store: Store,
    pub clock: Arc<FixedClock>,
    _directory: TempDir,
}

impl Stage {
    /// A migrated store with nothing in it.
    pub async fn empty() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = StoreOptions {
            url: Url::Sqlite(directory.path().join("keystile.db")),
            pool_size: 4,
            acquire_timeout: Duration::from_secs(5),
        };
        let store = Store::open(options, &tokio::runtime::Handle::current()).unwrap();
        store.migrate(None).await.unwrap();
        let clock = Arc::new(FixedClock::new(Timestamp::from_millis(1_000_000_000_000)));
        Self { store, clock, _directory: directory }
    }

    pub async fn start(
        &self,
        bootstrap: Bootstrap,
        hand_over: impl FnOnce(&FirstSecrets) -> std::io::Result<()>,
    ) -> Result<Option<FirstSecrets>, FirstStartError> {
        let clock: Arc<dyn Clock> = self.clock.clone();
        let bootstrap = Bootstrap { public_url: "http://keystile.test".to_owned(), ..bootstrap };
        initialise(&self.store, &master(1), &clock, bootstrap, hand_over).await
    }

    pub async fn open(&self) -> Keystile {
        self.open_with(Default::default()).await
    }

    /// One more node on the same store.
    pub async fn open_with(&self, options: keystile_service::Options) -> Keystile {
        Keystile::open(self.store.clone(), &master(1), self.clock.clone(), options).await.unwrap()
    }

    /// A Keystile after its first start, and its administrator.
    pub async fn started() -> (Self, Keystile, Caller) {
        let stage = Self::empty().await;
        let secrets = stage.start(Bootstrap::default(), |_| Ok(())).await.unwrap().unwrap();
        let keystile = stage.open().await;
        let admin = caller(&keystile, secrets.admin_key.unwrap().expose()).await.unwrap();
        (stage, keystile, admin)
    }
}

pub fn master(byte: u8) -> MasterKey {
    MasterKey::from_bytes([byte; 32])
}

/// Whoever shows the secret.
pub async fn caller(keystile: &Keystile, secret: &str) -> Result<Caller, Refused> {
    let presented =
        Presented { text: CredentialText::parse(secret).unwrap(), place: Place::BEARER };
    keystile.authenticate(presented, || None, origin("127.0.0.1")).await
}

/// A request from an address.
pub fn origin(address: &str) -> Origin {
    Origin {
        address: address.parse().unwrap(),
        transport: Transport::Secure,
        request_id: "test".parse::<RequestId>().unwrap(),
        user_agent: None,
    }
}

/// A key for a key manager.
pub fn draft(name: &str) -> ApiKeyDraft {
    ApiKeyDraft {
        name: name.parse().unwrap(),
        description: None,
        roles: [BuiltInRole::KeyManager.id()].into(),
        expiry: None,
        provider: None,
        enabled: true,
        rate_limits: Default::default(),
        quota: None,
        allowed_ips: Default::default(),
        external_id: None,
        metadata: Default::default(),
        import: None,
    }
}

/// The secret that was drawn for a key.
pub fn secret_of(issued: &IssuedApiKey) -> &str {
    issued.secret.as_ref().unwrap().expose()
}

pub async fn issue(
    keystile: &Keystile,
    by: &Caller,
    draft: ApiKeyDraft,
) -> Result<IssuedApiKey, ServiceError> {
    match keystile.create_api_key(by, draft, Options::default()).await? {
        Changed::Done(issued) => Ok(issued),
        other => panic!("made for good, not {other:?}"),
    }
}
