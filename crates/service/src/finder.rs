//! The server's own store of credentials: by digest, from the database.

use keystile_domain::{CredentialStore, Found, Pepper, Secret};
use keystile_storage::Store;

use crate::LookupError;

/// Finds credentials by the digest of their secrets.
pub(crate) struct Finder {
    store: Store,
    pepper: Pepper,
}

impl Finder {
    pub(crate) fn new(store: Store, pepper: Pepper) -> Self {
        Self { store, pepper }
    }
}

impl CredentialStore for Finder {
    type Error = LookupError;

    async fn find(&self, secret: &Secret) -> Result<Option<Found>, LookupError> {
        let digest = self.pepper.digest(&secret.fingerprint());
        Ok(self.store.read().await?.find_credential(&digest).await?)
    }
}
