//! The peppers that secrets stand under, sealed before they come here, and the moving of a secret
//! from one to the next.
//!
//! A secret moves when it is shown, since nobody can tell it otherwise. Until then whoever looks for
//! it looks under every pepper at once: between two looks it could move from where the second one
//! is going to look to where the first one has looked.

use std::fmt;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::{CredentialKind, Digest, Timestamp};
use uuid::Uuid;

use crate::columns::{bytes, parse};
use crate::conn::on_conn;
use crate::schema::{api_keys, peppers, secrets, tokens, tombstones};
use crate::{Books, Conn, StoreError, Tx};

/// A pepper, as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredPepper {
    /// Its number. Of all of them the highest is the present one.
    pub number: i32,
    /// The pepper, encrypted under a key that the database never sees.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A credential that is found by an old pepper alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Straggler {
    /// What kind of credential it is.
    pub kind: CredentialKind,
    /// Which one.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
}

impl fmt::Debug for StoredPepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredPepper").field("number", &self.number).finish_non_exhaustive()
    }
}

/// The live secrets of one table of credentials that stand under an old pepper.
macro_rules! stragglers {
    ($conn:expr, $table:ident, $kind:expr, $present:expr, $now:expr) => {{
        let query = secrets::table
            .inner_join($table::table.on($table::id.eq(secrets::credential_id)))
            .filter(secrets::kind.eq($kind.as_str()))
            .filter(secrets::pepper.ne($present))
            .filter(secrets::ends_at.gt($now).and($table::expires_at.gt($now)))
            .select(($table::id, $table::name))
            .distinct()
            .order($table::id);
        let rows: Vec<(String, String)> = on_conn!($conn, |link| query.load(link).await?);
        rows.into_iter().map(|(id, name)| {
            Ok::<_, StoreError>(Straggler { kind: $kind, id: parse(&id, "secrets.id")?, name })
        })
    }};
}

impl Conn {
    /// Lists the peppers, the oldest first. None: there is one, which was never stored.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn list_peppers(&mut self) -> Result<Vec<StoredPepper>, StoreError> {
        let query = peppers::table.order(peppers::id);
        let rows: Vec<(i32, Vec<u8>, i64)> = on_conn!(self, |link| query.load(link).await?);
        let read = |(number, sealed, created_at)| StoredPepper {
            number,
            sealed,
            created_at: Timestamp::from_millis(created_at),
        };
        Ok(rows.into_iter().map(read).collect())
    }

    /// Finds the one of these digests that stands for a secret, or else for one that was deleted.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn locate_secret(
        &mut self,
        digests: &[Digest],
    ) -> Result<Option<Digest>, StoreError> {
        let these = || digests.iter().map(|digest| digest.as_bytes().as_slice());
        let living = secrets::table.filter(secrets::digest.eq_any(these())).select(secrets::digest);
        let mut place: Option<Vec<u8>> =
            on_conn!(self, |link| living.get_result(link).await.optional()?);
        if place.is_none() {
            let dead = tombstones::table.filter(tombstones::digest.eq_any(these()));
            let dead = dead.select(tombstones::digest);
            place = on_conn!(self, |link| dead.get_result(link).await.optional()?);
        }
        place.map(|digest| bytes(&digest, "secrets.digest").map(Digest::from_bytes)).transpose()
    }

    /// Lists the credentials that would stop if only the pepper of this number were left: those
    /// with a secret under another that has not ended by `now`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn list_stragglers(
        &mut self,
        present: i32,
        now: Timestamp,
    ) -> Result<Vec<Straggler>, StoreError> {
        let (now, token) = (now.as_millis(), CredentialKind::PersonalAccessToken);
        let keys = stragglers!(self, api_keys, CredentialKind::ApiKey, present, now);
        let tokens = stragglers!(self, tokens, token, present, now);
        keys.chain(tokens).collect()
    }
}

impl Tx {
    /// Stores a pepper; if its number is the highest, new secrets stand under it from now on.
    ///
    /// # Errors
    ///
    /// [`Conflict::Value`](crate::Conflict::Value) if there is one of this number.
    pub async fn insert_pepper(&mut self, pepper: &StoredPepper) -> Result<(), StoreError> {
        let insert = diesel::insert_into(peppers::table).values((
            peppers::id.eq(pepper.number),
            peppers::sealed.eq(&pepper.sealed),
            peppers::created_at.eq(pepper.created_at.as_millis()),
        ));
        on_conn!(self, |link| insert.execute(link).await?);
        if pepper.number > self.pepper() { self.take_pepper(pepper.number).await } else { Ok(()) }
    }

    /// Forgets every pepper but the present one. Secrets under others end at `now`: whoever still
    /// knows such a pepper finds one, and finds it ended.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn remove_old_peppers(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let now = now.as_millis();
        let left = secrets::table.filter(secrets::pepper.ne(self.pepper()));
        let end =
            diesel::update(left.filter(secrets::ends_at.gt(now))).set(secrets::ends_at.eq(now));
        on_conn!(self, |link| end.execute(link).await?);
        let old = diesel::delete(peppers::table.filter(peppers::id.ne(self.pepper())));
        on_conn!(self, |link| old.execute(link).await?);
        Ok(())
    }
}

impl Books {
    /// Lets a secret stand under another pepper, now that it was shown; says whether it still stood
    /// where it was seen.
    ///
    /// # Errors
    ///
    /// [`Conflict::SecretDigest`](crate::Conflict::SecretDigest) if another credential has the same
    /// secret.
    pub async fn move_secret(
        &mut self,
        from: &Digest,
        to: &Digest,
        pepper: i32,
    ) -> Result<bool, StoreError> {
        let put = diesel::update(secrets::table.find(from.as_bytes().as_slice())).set((
            secrets::digest.eq(to.as_bytes().as_slice()),
            secrets::former_digest.eq(from.as_bytes().as_slice()),
            secrets::pepper.eq(pepper),
        ));
        Ok(on_conn!(self, |link| put.execute(link).await?) > 0)
    }
}
