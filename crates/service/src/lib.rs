//! The use cases of Keystile: what its two faces, the API and the console, can ask for.
//!
//! - [`Keystile`] is the whole: a store, keys, a clock and a verifier. Each use case is a method,
//!   in one file per resource.
//! - [`Caller`] is who asks: authenticated, with its rights.
//! - [`change`] is the only way to change anything: it takes the head of the audit log, judges the
//!   caller once more, and writes rows and events in one transaction.
//! - [`MasterKey`] is where every secret of the server comes from.
//!
//! Nothing here knows HTTP, and nothing here is a query.

mod access_tokens;
pub mod api_keys;
pub mod audit_events;
pub mod backup;
mod caller;
mod ceiling;
pub mod change;
mod check;
pub mod cluster;
mod durability;
mod error;
mod finder;
pub mod first_start;
pub mod followers;
mod foreign_tokens;
mod formats;
pub mod forward_auth;
mod housekeeping;
mod identify;
mod imports;
pub mod insights;
mod keys;
pub mod limits;
pub mod lookups;
pub mod metrics;
pub mod oauth;
pub mod passwords;
pub mod peppers;
pub mod providers;
mod random;
mod redaction;
mod replays;
pub mod restore;
pub mod roles;
mod root_key;
pub mod rotation;
mod sealer;
mod seats;
mod secrets;
mod sessions;
pub mod sign_in;
mod signing_keys;
mod spans;
pub mod tickets;
mod token_proof;
pub mod tokens;
pub mod usage;
pub mod users;
pub mod verify;

use std::sync::Arc;

use keystile_auth::{Clock, Trust, Verifier};
use keystile_domain::{JwtAlgorithm, ProviderId};
use keystile_oidc::{Issuers, Web};
use keystile_storage::Store;
use tokio::sync::Semaphore;

pub use access_tokens::AccessToken;
pub use caller::{Caller, Origin, Refused};
pub use error::{Broken, Conflict, ServiceError};
pub use identify::{LookupError, Unidentified};
pub use keys::{MasterKey, MasterKeyError};
pub use keystile_storage::StoreError;
pub use replays::{IdempotencyKey, IdempotencyKeyError, Replay};
pub use root_key::rotate_master_key;
pub use secrets::ProviderName;
pub use signing_keys::{KEPT_SECONDS, Rotation};
pub use spans::SPANS;

use crate::cluster::{Cluster, Lease};
use crate::finder::Finder;
use crate::followers::Followers;
use crate::identify::Tokens;
use crate::keys::Keys;
use crate::limits::{FailureLimit, Failures, Quotas, Rates, RedisUrl};
use crate::metrics::Checks;
use crate::passwords::Hasher;
use crate::providers::Remembered;
use crate::sign_in::Waits;
use crate::signing_keys::SigningKeys;
use crate::usage::Recorder;

/// The whole of Keystile, without a face.
pub struct Keystile {
    store: Store,
    keys: Keys,
    clock: Arc<dyn Clock>,
    /// The name under which tokens are issued, `iss`.
    issuer: String,
    signing: SigningKeys,
    /// The keys of OpenID providers.
    issuers: Issuers,
    /// The provider that the operator's settings describe.
    sso: Option<ProviderId>,
    hasher: Hasher,
    sign_in_waits: Waits,
    verifier: Verifier<Finder, Arc<dyn Clock>>,
    /// What JWTs were proved to be.
    tokens: Tokens,
    /// How far anything that is remembered may be believed.
    trust: Arc<Trust>,
    cluster: Cluster,
    durability: durability::Known,
    followers: Followers,
    providers: Remembered,
    usage: Arc<Recorder>,
    /// How checks ended, for the metrics.
    checks: Checks,
    rates: Rates,
    quotas: Quotas,
    failures: Option<Failures>,
    /// Walks along the whole audit log.
    walks: Semaphore,
    /// Batches, which hold up every other change for as long as they take.
    batches: Arc<Semaphore>,
}

/// What an operator sets.
#[derive(Clone, Debug)]
pub struct Options {
    /// How the world reaches the server: the issuer of tokens. `None`: as the first start stored
    /// it.
    pub public_url: Option<String>,
    /// What tokens are signed with.
    pub jwt_algorithm: JwtAlgorithm,
    /// Where the company signs in.
    pub sso: Option<providers::Sso>,
    /// Where limits are counted across nodes; `None`: each node counts for itself.
    pub redis: Option<RedisUrl>,
    /// How many credentials of one address may be refused before it has to wait; `None`: any
    /// number.
    pub failure_limit: Option<FailureLimit>,
    /// How many bytes of memory credentials are remembered in, about.
    pub cache_bytes: usize,
    /// How long what is remembered may be believed when the primary does not answer.
    pub lease: Lease,
    /// Where this node listens, for people who look at the cluster.
    pub address: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            public_url: None,
            jwt_algorithm: JwtAlgorithm::EdDsa,
            sso: None,
            redis: None,
            failure_limit: None,
            cache_bytes: 64 * 1024 * 1024,
            lease: Lease::default(),
            address: String::new(),
        }
    }
}

impl Keystile {
    /// Opens Keystile on a migrated, initialised store (see [`first_start`]).
    ///
    /// # Errors
    ///
    /// [`ServiceError::Store`] if the store cannot be read.
    pub async fn open(
        store: Store,
        master: &MasterKey,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Result<Self, ServiceError> {
        let keys = Keys::read(&store, master).await?;
        let mut conn = store.read().await?;
        let formats = providers::formats(&mut conn).await?;
        let issuer = match options.public_url {
            Some(url) => url,
            None => conn.find_meta(first_start::PUBLIC_URL).await?.unwrap_or_default(),
        };
        let finder = Finder::new(store.clone(), &keys);
        let trust = Arc::<Trust>::default();
        let for_tokens = options.cache_bytes / 8;
        let verifier = Verifier::new(finder, Arc::clone(&clock), formats)
            .remembering(Arc::clone(&trust), options.cache_bytes - for_tokens);
        let cluster = Cluster::new(options.lease, options.address, clock.now(), Arc::clone(&trust));
        drop(conn);
        let mut keystile = Self {
            store,
            keys,
            clock,
            issuer,
            signing: SigningKeys::new(options.jwt_algorithm),
            issuers: Issuers::new(Web::new()),
            sso: None,
            hasher: Hasher::default(),
            sign_in_waits: Waits::default(),
            verifier,
            tokens: Tokens::new(for_tokens),
            trust,
            cluster,
            durability: durability::Known::default(),
            followers: Followers::default(),
            providers: Remembered::default(),
            usage: Arc::default(),
            checks: Checks::default(),
            rates: Rates::new(options.redis).await,
            quotas: Quotas::default(),
            failures: options.failure_limit.map(Failures::new),
            walks: Semaphore::new(1),
            batches: Arc::new(Semaphore::new(1)),
        };
        keystile.learn_providers().await?;
        keystile.tend_signing_keys().await?;
        keystile.adopt_algorithm().await?;
        if let Some(sso) = options.sso {
            keystile.sso = Some(keystile.manage_sso(sso).await?);
        }
        Ok(keystile)
    }

    /// Whether the database answers, and lets this node belong to the cluster.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Store`] if it does not answer, [`ServiceError::Behind`] while nobody is let in.
    pub async fn ready(&self) -> Result<(), ServiceError> {
        self.store.ping().await?;
        self.is_registered().then_some(()).ok_or(ServiceError::Behind)
    }

    /// The name under which tokens are issued: the server's address, as the world sees it.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The cursor that continues a list behind `mark`; `list` names the list with its filters.
    #[must_use]
    pub fn cursor(&self, list: &str, mark: &keystile_domain::Mark) -> String {
        self.keys.seal_cursor(list, mark)
    }

    /// Where a cursor of the list points to; nothing if it was not made for this list by this
    /// installation.
    #[must_use]
    pub fn mark(&self, list: &str, cursor: &str) -> Option<keystile_domain::Mark> {
        self.keys.open_cursor(list, cursor)
    }
}
