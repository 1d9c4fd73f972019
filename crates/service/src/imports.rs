//! Keys that were imported by the hash of another store: how a presented secret is recognised by
//! that hash, and becomes an ordinary one.
//!
//! Only a secret that nobody knows comes here, and only while some imported key was never seen. It
//! costs one look-up among the deleted, and one among those that wait. A slow hash is computed
//! beside everything else, few at once and one of a beginning: whoever guesses at such a key keeps
//! nobody waiting but others who show one for the first time.
//!
//! One secret may have been imported by several hashes, which nobody can tell before it is shown.
//! Then it is that of the oldest key: no later import takes a key from its holder.

mod sealed;
mod slow_hash;
mod slow_hashes;

use std::time::Duration;

use keystile_domain::{Digest, Found, HashScheme, ImportPlace, KeptHash, Secret};
use keystile_storage::{Conflict, Conn, Import, Store, StoreError};
use tokio::time::timeout;

use self::slow_hashes::SlowHashes;
use crate::LookupError;
use crate::keys::Keys;
use crate::passwords::HashError;

pub(crate) use self::slow_hash::SlowHash;

/// Recognises imported secrets.
pub(crate) struct Imports {
    keys: Keys,
    slow: SlowHashes,
}

/// A key that has the hash of a presented secret, or begins as that does.
struct Candidate<'s> {
    digest: Digest,
    scheme: &'s HashScheme,
    /// What is to be compared of one that begins so.
    prefixed: Option<Prefixed>,
}

struct Prefixed {
    prefix_digest: Digest,
    kept: KeptHash,
}

impl Imports {
    pub(crate) fn new(keys: Keys) -> Self {
        Self { keys, slow: SlowHashes::default() }
    }

    /// Finds what belongs to a secret that is not known by its own `digest`. If it is a key, the
    /// secret is known from now on.
    pub(crate) async fn find(
        &self,
        store: &Store,
        secret: &Secret,
    ) -> Result<Option<Found>, LookupError> {
        let mut conn = store.read().await?;
        let schemes = self.keys.import_schemes(&mut conn).await?;
        if schemes.is_empty() {
            return Ok(None);
        }
        let (hashes, prefixes) = self.places(&schemes, secret);
        // What was deleted under one hash stays so, whatever other hashes are known of it.
        if let Some(buried) = conn.list_buried_digests(&hashes).await?.first() {
            return Ok(conn.find_credential(buried).await?);
        }
        let found = conn.list_imports(&hashes, &prefixes).await?;
        drop(conn);
        let candidates = self.candidates(&schemes, found)?;
        let fast = candidates.iter().position(|of| of.is_fast_hash_of(secret));
        let (older, rest) = candidates.split_at(fast.unwrap_or(candidates.len()));
        let found = match self.find_slowly(store, secret, older).await? {
            Some(found) => Some(found),
            None => match rest.first() {
                Some(of) => self.adopt(store, &of.digest, secret).await?,
                None => None,
            },
        };
        match found {
            // While we looked, somebody else may have shown the same secret.
            None => Ok(self.keys.find(&mut store.read().await?, &secret.fingerprint()).await?),
            found => Ok(found),
        }
    }

    /// Compares the secret with the slow hashes of candidates, and gives up when that takes too
    /// long; what was ruled out until then is not computed again.
    async fn find_slowly(
        &self,
        store: &Store,
        secret: &Secret,
        candidates: &[Candidate<'_>],
    ) -> Result<Option<Found>, LookupError> {
        let slow = || candidates.iter().filter_map(Candidate::slow);
        let Some((_, first)) = slow().next() else { return Ok(None) };
        let search = async {
            let _turn = self.slow.turn_at(&first.prefix_digest).await?;
            // While we waited, somebody else may have shown the same secret.
            let fingerprint = secret.fingerprint();
            let found = self.keys.find(&mut store.read().await?, &fingerprint).await?;
            if found.is_some() {
                return Ok(found);
            }
            for (of, prefixed) in slow() {
                let digest = self.keys.digest(&fingerprint);
                if self.slow.is_of(secret, &digest, of, &prefixed.kept).await? {
                    return self.adopt(store, &of.digest, secret).await;
                }
            }
            Ok(None)
        };
        timeout(PATIENCE, search).await.unwrap_or(Err(HashError::Busy.into()))
    }

    /// Where a secret may be found: by its hashes, and by its beginnings.
    fn places(
        &self,
        schemes: &[(String, HashScheme)],
        secret: &Secret,
    ) -> (Vec<Digest>, Vec<Digest>) {
        let (mut hashes, mut prefixes) = (Vec::new(), Vec::new());
        let peppers = self.keys.peppers();
        for (scheme, pepper) in
            schemes.iter().flat_map(|(_, of)| peppers.all().map(move |by| (of, by)))
        {
            match scheme.place(pepper, secret) {
                Some(ImportPlace::Digest(digest)) => hashes.push(digest),
                Some(ImportPlace::Prefix(digest)) => prefixes.push(digest),
                None => {}
            }
        }
        (hashes, prefixes)
    }

    /// Makes an imported secret an ordinary one, and finds what belongs to it. Of several who show
    /// it at once, one does it; a key that was deleted meanwhile is found as such.
    async fn adopt(
        &self,
        store: &Store,
        import: &Digest,
        secret: &Secret,
    ) -> Result<Option<Found>, LookupError> {
        let fingerprint = secret.fingerprint();
        let mut books = store.books().await?;
        self.keys.learn_peppers(&mut books).await?;
        let (digest, pepper) = self.keys.numbered_digest(&fingerprint);
        match books.adopt_import(import, &digest, pepper).await {
            Ok(true) => books.commit().await?,
            Ok(false) | Err(StoreError::Conflict(Conflict::SecretDigest)) => {
                books.rollback().await?;
            }
            Err(error) => return Err(error.into()),
        }
        let mut conn = store.read().await?;
        match self.keys.find(&mut conn, &fingerprint).await? {
            None => Ok(conn.find_credential(import).await?),
            found => Ok(found),
        }
    }

    fn candidates<'s>(
        &self,
        schemes: &'s [(String, HashScheme)],
        found: Vec<Import>,
    ) -> Result<Vec<Candidate<'s>>, StoreError> {
        let mut candidates = Vec::new();
        for import in found {
            let scheme = schemes.iter().find(|(name, _)| *name == import.scheme_id);
            // One that was imported just now waits until it is shown again.
            let Some((_, scheme)) = scheme else { continue };
            let prefixed = import.prefixed.map(|prefixed| {
                let kept = self.keys.open_hash(&prefixed.sealed)?;
                Ok::<_, StoreError>(Prefixed { prefix_digest: prefixed.prefix_digest, kept })
            });
            let prefixed = prefixed.transpose()?;
            candidates.push(Candidate { digest: import.digest, scheme, prefixed });
        }
        Ok(candidates)
    }
}

impl Candidate<'_> {
    /// Whether it has a fast hash of the secret, as all have that are found by it.
    fn is_fast_hash_of(&self, secret: &Secret) -> bool {
        self.prefixed.as_ref().is_none_or(|of| of.kept.is_of(secret, self.scheme))
    }

    /// The candidate with what is to be compared slowly, if it is.
    fn slow(&self) -> Option<(&Self, &Prefixed)> {
        let is_slow = self.scheme.algorithm().length().is_none();
        self.prefixed.as_ref().filter(|_| is_slow).map(|prefixed| (self, prefixed))
    }
}

impl Keys {
    /// How the imported secrets were hashed that nobody has shown yet, and a little while longer,
    /// each under its name.
    pub(crate) async fn import_schemes(
        &self,
        conn: &mut Conn,
    ) -> Result<Vec<(String, HashScheme)>, StoreError> {
        let sealed = conn.list_import_schemes().await?;
        sealed
            .into_iter()
            .map(|sealed| Ok((sealed.id.clone(), self.open_scheme(&sealed)?)))
            .collect()
    }
}

/// How long a secret is compared with slow hashes, the waiting included.
const PATIENCE: Duration = Duration::from_secs(5);
