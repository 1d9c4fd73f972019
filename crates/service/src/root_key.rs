//! The key that everything else comes from. The database keeps it, sealed under the master key: so
//! the operator can replace the master key and nothing that hangs on the root key notices, neither
//! stored digests nor the seals of the audit log.

use base64ct::{Base64, Encoding};
use keystile_auth::Clock;
use keystile_domain::{Action, Target};
use keystile_storage::{Conn, Store, StoreError, Tx};
use zeroize::Zeroizing;

use crate::change::Scope;
use crate::first_start::{self, FirstStartError, is_initialised_under};
use crate::keys::Keys;
use crate::{MasterKey, ServiceError, random};

/// 32 random bytes that nobody ever sees.
pub(crate) struct RootKey(Zeroizing<[u8; 32]>);

impl RootKey {
    pub(crate) fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    pub(crate) fn draw() -> Result<Self, ServiceError> {
        Ok(Self(Zeroizing::new(random::bytes()?)))
    }

    /// The one of a database. A database that keeps none is from before there were any: the master
    /// key was its own root.
    pub(crate) async fn read(conn: &mut Conn, master: &MasterKey) -> Result<Self, StoreError> {
        let Some(sealed) = conn.find_meta(ROOT_KEY).await? else { return Ok(master.as_root()) };
        let sealed = Base64::decode_vec(&sealed).ok();
        let key = sealed.and_then(|sealed| master.sealer().open_key(ROOT_KEY, &sealed));
        key.map(Self).ok_or(StoreError::Corrupt("meta.root_key"))
    }

    /// Keeps it, under this master key and no other.
    pub(crate) async fn write(&self, tx: &mut Tx, master: &MasterKey) -> Result<(), ServiceError> {
        let sealed = master.sealer().seal(ROOT_KEY, self.0.as_slice())?;
        tx.set_meta(ROOT_KEY, &Base64::encode_string(&sealed)).await?;
        Ok(tx.set_meta(first_start::MASTER_KEY_CHECK, &master.check_value()).await?)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Puts a database under another master key. Nodes that run go on; from the next start they need the
/// new one.
///
/// # Errors
///
/// [`FirstStartError::WrongMasterKey`] if the database is not under `old`;
/// [`FirstStartError::Service`] if the change failed. Then it stays under the old one.
pub async fn rotate_master_key(
    store: &Store,
    old: &MasterKey,
    new: &MasterKey,
    clock: &dyn Clock,
) -> Result<(), FirstStartError> {
    is_initialised_under(store, old).await?;
    let keys = Keys::read(store, old).await.map_err(ServiceError::from)?;
    let mut scope = Scope::begin(store, keys, clock).await?;
    // Nobody replaces it from here on.
    let check = scope.tx.find_meta(first_start::MASTER_KEY_CHECK).await;
    if check.map_err(ServiceError::from)?.as_deref() != Some(old.check_value().as_str()) {
        scope.tx.rollback().await.map_err(ServiceError::from)?;
        return Err(FirstStartError::WrongMasterKey);
    }
    let root = RootKey::read(&mut scope.tx, old).await.map_err(ServiceError::from)?;
    root.write(&mut scope.tx, new).await?;
    scope.record(Action::MasterKeyRotated, Target::system(), (None, None), None)?;
    Ok(scope.commit().await?)
}

const ROOT_KEY: &str = "root_key";
