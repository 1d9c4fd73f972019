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
mod caller;
mod ceiling;
pub mod change;
mod check;
mod error;
mod finder;
pub mod first_start;
mod foreign_tokens;
pub mod forward_auth;
mod housekeeping;
mod identify;
mod imports;
mod keys;
pub mod limits;
pub mod oauth;
pub mod passwords;
pub mod providers;
mod random;
mod redaction;
mod replays;
pub mod roles;
mod secrets;
mod sessions;
pub mod sign_in;
mod signing_keys;
pub mod tickets;
mod token_proof;
pub mod tokens;
pub mod usage;
pub mod users;
pub mod verify;

use std::sync::Arc;

use keystile_auth::{Clock, Verifier};
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
pub use secrets::ProviderName;
pub use signing_keys::{KEPT_SECONDS, Rotation};

use crate::finder::Finder;
use crate::keys::Keys;
use crate::limits::{FailureLimit, Failures, Quotas, Rates, RedisUrl};
use crate::passwords::Hasher;
use crate::providers::Remembered;
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
    verifier: Verifier<Finder, Arc<dyn Clock>>,
    providers: Remembered,
    usage: Recorder,
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
}

impl Default for Options {
    fn default() -> Self {
        Self {
            public_url: None,
            jwt_algorithm: JwtAlgorithm::EdDsa,
            sso: None,
            redis: None,
            failure_limit: None,
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
        let keys = master.keys();
        let mut conn = store.read().await?;
        let formats = providers::formats(&mut conn).await?;
        let issuer = match options.public_url {
            Some(url) => url,
            None => conn.find_meta(first_start::PUBLIC_URL).await?.unwrap_or_default(),
        };
        let finder = Finder::new(store.clone(), &keys);
        let verifier = Verifier::new(finder, Arc::clone(&clock), formats);
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
            verifier,
            providers: Remembered::default(),
            usage: Recorder::default(),
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

    /// Whether the database answers.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Store`] if it does not.
    pub async fn ready(&self) -> Result<(), ServiceError> {
        Ok(self.store.ping().await?)
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
