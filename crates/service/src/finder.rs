//! The server's own store of credentials: by digest, from the database, and by the hash of another
//! store for secrets that come for the first time.

mod shared;

use keystile_domain::{Answer, CredentialStore, Secret};
use keystile_storage::Store;
use tracing::Instrument;

use self::shared::Shared;
use crate::LookupError;
use crate::imports::Imports;
use crate::keys::Keys;
use crate::spans::span;

/// Finds credentials by their secrets.
pub(crate) struct Finder {
    store: Store,
    keys: Keys,
    imports: Imports,
    shared: Shared,
}

impl Finder {
    pub(crate) fn new(store: Store, keys: &Keys) -> Self {
        Self {
            store,
            keys: keys.clone(),
            imports: Imports::new(keys.clone()),
            shared: Shared::default(),
        }
    }
}

impl CredentialStore for Finder {
    type Error = LookupError;

    async fn find(&self, secret: &Secret) -> Result<Answer, LookupError> {
        let finding = async {
            // The connection is given back before the next one is asked for.
            let mut conn = self.store.read().await?;
            let found = self.keys.find(&mut conn, &secret.fingerprint()).await?;
            drop(conn);
            let mut found = match found {
                None => self.imports.find(&self.store, secret).await?,
                found => found,
            };
            found.iter_mut().for_each(|found| self.shared.share(found));
            Ok(found.into())
        };
        finding.instrument(span!("look up a credential", "otel.kind" = "client")).await
    }
}
