//! Secrets that another store hashed and that nobody has shown since.
//!
//! Such a secret is in `secrets` like any other, under a digest of the old hash. What is here is
//! needed to find that digest: it goes when the secret is shown, or ends.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::{ApiKeyId, Digest};
use uuid::Uuid;

use crate::columns::{bytes, id_text, parse};
use crate::conn::{KEYS_AT_ONCE, insert_all, on_conn};
use crate::schema::{import_schemes, imports, secrets, tombstones};
use crate::{Books, Conn, StoreError, Tx};

/// How the keys of one other store were hashed, sealed by the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportScheme {
    /// Its name, which says nothing about it.
    pub id: String,
    /// What it is.
    pub sealed: Vec<u8>,
}

/// A secret that was imported by its old hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// What stands for it among the secrets.
    pub digest: Digest,
    /// Whose it is.
    pub key: ApiKeyId,
    /// How it was hashed.
    pub scheme_id: String,
    /// What it costs to compare it.
    pub weight: i32,
    /// Where it is found, if not by the hash alone.
    pub prefixed: Option<PrefixedImport>,
}

/// What is kept of a secret that is found by its beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrefixedImport {
    /// What stands for the beginning.
    pub prefix_digest: Digest,
    /// The old hash, sealed by the caller.
    pub sealed: Vec<u8>,
}

impl Conn {
    /// Lists how imported secrets were hashed: those that nobody has shown yet, and some more until
    /// they are [forgotten](Books::forget_unused_import_schemes).
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn list_import_schemes(&mut self) -> Result<Vec<ImportScheme>, StoreError> {
        let query = import_schemes::table.order(import_schemes::id);
        let rows: Vec<(String, Vec<u8>)> = on_conn!(self, |link| query.load(link).await?);
        Ok(rows.into_iter().map(|(id, sealed)| ImportScheme { id, sealed }).collect())
    }

    /// Lists those of the digests that stand for a secret, or for one that was deleted.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn list_known_digests(
        &mut self,
        digests: &[Digest],
    ) -> Result<Vec<Digest>, StoreError> {
        let mut known = self.list_buried_digests(digests).await?;
        for chunk in digests.chunks(KEYS_AT_ONCE) {
            let living = secrets::table.filter(secrets::digest.eq_any(slices(chunk)));
            let living = living.select(secrets::digest);
            let living: Vec<Vec<u8>> = on_conn!(self, |link| living.load(link).await?);
            for digest in living {
                known.push(read(&digest, "secrets.digest")?);
            }
        }
        Ok(known)
    }

    /// Lists those of the digests that stand for a secret that was deleted.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn list_buried_digests(
        &mut self,
        digests: &[Digest],
    ) -> Result<Vec<Digest>, StoreError> {
        let mut buried = Vec::new();
        for chunk in digests.chunks(KEYS_AT_ONCE) {
            let dead = tombstones::table.filter(tombstones::digest.eq_any(slices(chunk)));
            let dead = dead.select(tombstones::digest);
            buried.extend::<Vec<Vec<u8>>>(on_conn!(self, |link| dead.load(link).await?));
        }
        buried.iter().map(|digest| read(digest, "tombstones.digest")).collect()
    }

    /// Lists the secrets that are found by one of these hashes, or begin in one of these ways, the
    /// oldest key first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn list_imports(
        &mut self,
        hashes: &[Digest],
        prefixes: &[Digest],
    ) -> Result<Vec<Import>, StoreError> {
        let by_hash = imports::digest.eq_any(slices(hashes)).and(imports::prefix_digest.is_null());
        let by_prefix = imports::prefix_digest.eq_any(slices(prefixes));
        // An id begins with the moment at which it was made.
        let query = imports::table.filter(by_prefix.or(by_hash)).order(imports::key_id);
        let rows = on_conn!(self, |link| query.select(ImportRow::as_select()).load(link).await?);
        rows.into_iter().map(ImportRow::read).collect()
    }

    /// Adds up what the secrets weigh that begin in each of these ways.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn weigh_imports_by_prefix(
        &mut self,
        prefixes: &[Digest],
    ) -> Result<BTreeMap<[u8; 32], i64>, StoreError> {
        let mut weights = BTreeMap::new();
        for chunk in prefixes.chunks(KEYS_AT_ONCE) {
            let query = imports::table
                .filter(imports::prefix_digest.eq_any(slices(chunk)))
                .group_by(imports::prefix_digest)
                .select((imports::prefix_digest, diesel::dsl::sum(imports::weight)));
            let rows: Vec<(Option<Vec<u8>>, Option<i64>)> =
                on_conn!(self, |link| query.load(link).await?);
            for (prefix, weight) in rows {
                let prefix = bytes(&prefix.unwrap_or_default(), PREFIX_DIGEST)?;
                weights.insert(prefix, weight.unwrap_or_default());
            }
        }
        Ok(weights)
    }

    /// Lists those of the keys whose imported secret nobody has shown yet.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn list_unseen_imports(
        &mut self,
        keys: &[Uuid],
    ) -> Result<BTreeSet<Uuid>, StoreError> {
        let keys = keys.iter().map(|id| id_text(*id));
        let query = imports::table.filter(imports::key_id.eq_any(keys)).select(imports::key_id);
        let rows: Vec<String> = on_conn!(self, |link| query.load(link).await?);
        rows.iter().map(|id| parse(id, KEY_ID)).collect()
    }
}

impl Tx {
    /// Remembers how a store hashed its secrets, and keeps it from being forgotten until the change
    /// is made.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn remember_import_scheme(
        &mut self,
        scheme: &ImportScheme,
    ) -> Result<(), StoreError> {
        let put = diesel::insert_into(import_schemes::table)
            .values((import_schemes::id.eq(&scheme.id), import_schemes::sealed.eq(&scheme.sealed)))
            .on_conflict(import_schemes::id)
            .do_update()
            .set(import_schemes::sealed.eq(&scheme.sealed));
        on_conn!(self, |link| put.execute(link).await?);
        Ok(())
    }

    /// Stores what is needed to find imported secrets, which must be stored already.
    ///
    /// # Errors
    ///
    /// [`Conflict::Reference`](crate::Conflict::Reference) if a secret or a scheme is not there.
    pub async fn insert_imports(&mut self, imports: &[Import]) -> Result<(), StoreError> {
        insert_all!(self, imports::table, imports.iter().map(ImportRow::new).collect());
        Ok(())
    }
}

impl Books {
    /// Makes an imported secret an ordinary one, now that it was shown; says whether it was there.
    /// Its digest is under the pepper of this number.
    ///
    /// # Errors
    ///
    /// [`Conflict::SecretDigest`](crate::Conflict::SecretDigest) if the same secret is that of
    /// another key.
    pub async fn adopt_import(
        &mut self,
        import: &Digest,
        digest: &Digest,
        pepper: i32,
    ) -> Result<bool, StoreError> {
        // The secret first, as for a delete: two that wait for each other would wait for ever.
        let put = diesel::update(secrets::table.find(import.as_bytes().as_slice()))
            .set((secrets::digest.eq(digest.as_bytes().as_slice()), secrets::pepper.eq(pepper)));
        if on_conn!(self, |link| put.execute(link).await?) == 0 {
            return Ok(false);
        }
        let forget = diesel::delete(imports::table.find(digest.as_bytes().as_slice()));
        on_conn!(self, |link| forget.execute(link).await?);
        Ok(true)
    }

    /// Forgets how secrets were hashed that have all been shown, or ended.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer. Then nothing is forgotten, nor if keys are
    /// being imported at this moment.
    pub async fn forget_unused_import_schemes(&mut self) -> Result<(), StoreError> {
        let waiting = imports::table.select(imports::scheme_id);
        let unused = import_schemes::table.filter(import_schemes::id.ne_all(waiting));
        on_conn!(self, |link| diesel::delete(unused).execute(link).await?);
        Ok(())
    }
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = imports, treat_none_as_default_value = false)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
struct ImportRow {
    digest: Vec<u8>,
    key_id: String,
    scheme_id: String,
    weight: i32,
    prefix_digest: Option<Vec<u8>>,
    sealed: Option<Vec<u8>>,
}

impl ImportRow {
    fn new(import: &Import) -> Self {
        let prefixed = import.prefixed.as_ref();
        Self {
            digest: import.digest.as_bytes().to_vec(),
            key_id: import.key.to_string(),
            scheme_id: import.scheme_id.clone(),
            weight: import.weight,
            prefix_digest: prefixed.map(|found| found.prefix_digest.as_bytes().to_vec()),
            sealed: prefixed.map(|found| found.sealed.clone()),
        }
    }

    fn read(self) -> Result<Import, StoreError> {
        let prefixed = match (self.prefix_digest, self.sealed) {
            (Some(prefix), Some(sealed)) => {
                Some(PrefixedImport { prefix_digest: read(&prefix, PREFIX_DIGEST)?, sealed })
            }
            (None, None) => None,
            _ => return Err(StoreError::Corrupt(PREFIX_DIGEST)),
        };
        Ok(Import {
            digest: read(&self.digest, "imports.digest")?,
            key: parse(&self.key_id, KEY_ID)?,
            scheme_id: self.scheme_id,
            weight: self.weight,
            prefixed,
        })
    }
}

fn slices(digests: &[Digest]) -> impl Iterator<Item = &[u8]> {
    digests.iter().map(|digest| digest.as_bytes().as_slice())
}

fn read(digest: &[u8], place: &'static str) -> Result<Digest, StoreError> {
    bytes(digest, place).map(Digest::from_bytes)
}

const KEY_ID: &str = "imports.key_id";
const PREFIX_DIGEST: &str = "imports.prefix_digest";
