//! The server's own store of credentials: by digest, from the database, and by the hash of another
//! store for secrets that come for the first time.

use keystile_domain::{CredentialStore, Found, Pepper, Secret};
use keystile_storage::Store;

use crate::LookupError;
use crate::imports::Imports;
use crate::keys::Keys;

/// Finds credentials by their secrets.
pub(crate) struct Finder {
    store: Store,
    pepper: Pepper,
    imports: Imports,
}

impl Finder {
    pub(crate) fn new(store: Store, keys: &Keys) -> Self {
        Self { store, pepper: keys.pepper.clone(), imports: Imports::new(keys.clone()) }
    }
}

impl CredentialStore for Finder {
    type Error = LookupError;

    async fn find(&self, secret: &Secret) -> Result<Option<Found>, LookupError> {
        let digest = self.pepper.digest(&secret.fingerprint());
        // The connection is given back before the next one is asked for.
        let found = self.store.read().await?.find_credential(&digest).await?;
        match found {
            None => self.imports.find(&self.store, secret, &digest).await,
            found => Ok(found),
        }
    }
}
