//! What is kept of imported secrets, sealed: a stolen table tells neither the pepper of another
//! store nor a hash to guess at.

use keystile_domain::{HashScheme, KeptHash};
use keystile_storage::{ImportScheme, StoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::ServiceError;
use crate::keys::Keys;

impl Keys {
    /// The name of a scheme: the same one for the same scheme, and for no other.
    pub(crate) fn name_scheme(&self, scheme: &HashScheme) -> Result<String, ServiceError> {
        let text = Zeroizing::new(serde_json::to_string(scheme)?);
        Ok(self.stand_in(&Zeroizing::new(format!("{SCHEME}: {}", *text))))
    }

    pub(crate) fn seal_scheme(
        &self,
        id: &str,
        scheme: &HashScheme,
    ) -> Result<ImportScheme, ServiceError> {
        Ok(ImportScheme { id: id.to_owned(), sealed: self.seal_json(SCHEME, scheme)? })
    }

    pub(super) fn open_scheme(&self, scheme: &ImportScheme) -> Result<HashScheme, StoreError> {
        let read = self.open_json(SCHEME, &scheme.sealed);
        read.ok_or(StoreError::Corrupt("import_schemes.sealed"))
    }

    pub(crate) fn seal_hash(&self, hash: &KeptHash) -> Result<Vec<u8>, ServiceError> {
        self.seal_json(HASH, hash)
    }

    pub(super) fn open_hash(&self, sealed: &[u8]) -> Result<KeptHash, StoreError> {
        self.open_json(HASH, sealed).ok_or(StoreError::Corrupt("imports.sealed"))
    }

    fn seal_json<T: Serialize>(&self, label: &str, value: &T) -> Result<Vec<u8>, ServiceError> {
        self.seal(label, &Zeroizing::new(serde_json::to_vec(value)?))
    }

    fn open_json<T: DeserializeOwned>(&self, label: &str, sealed: &[u8]) -> Option<T> {
        serde_json::from_slice(&self.open(label, sealed)?).ok()
    }
}

const HASH: &str = "imported hash";
const SCHEME: &str = "import scheme";
