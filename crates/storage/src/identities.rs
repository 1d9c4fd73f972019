//! Who users are to OpenID providers: an issuer and a subject together, never a name or a mail
//! (OpenID Connect Core, section 5.7).

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::{Role, RoleId, Timestamp, User, UserId};

use crate::columns::{parameter, parse};
use crate::conn::on_conn;
use crate::schema::{identities, user_roles};
use crate::{Conn, StoreError, Tx};

impl Conn {
    /// Finds the user that an issuer calls so; both are compared to the letter.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn find_user_by_identity(
        &mut self,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<User>, StoreError> {
        // PostgreSQL stores no such text, and to ask it for one is an error.
        if issuer.contains('\0') || subject.contains('\0') {
            return Ok(None);
        }
        let query = identities::table.find((issuer, subject)).select(identities::user_id);
        let id: Option<Option<String>> =
            on_conn!(self, |link| query.get_result(link).await.optional()?);
        match id.flatten() {
            Some(id) => self.find_user(parse(&id, "identities.user_id")?).await,
            None => Ok(None),
        }
    }

    /// Whether an issuer calls, or called, somebody so. The memory of an identity outlives its
    /// user: who was deleted is not made anew by the next token of the same subject.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn knows_identity(
        &mut self,
        issuer: &str,
        subject: &str,
    ) -> Result<bool, StoreError> {
        if issuer.contains('\0') || subject.contains('\0') {
            return Ok(false);
        }
        let query = identities::table.find((issuer, subject)).count();
        let known: i64 = on_conn!(self, |link| query.get_result(link).await?);
        Ok(known > 0)
    }

    /// Lists the roles that the users of an issuer hold: whoever speaks for the issuer speaks for
    /// them.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn list_roles_of_issuer(&mut self, issuer: &str) -> Result<Vec<Role>, StoreError> {
        let known = identities::table
            .filter(identities::issuer.eq(parameter(issuer)))
            .filter(identities::user_id.is_not_null())
            .select(identities::user_id.assume_not_null());
        let held = user_roles::table
            .filter(user_roles::user_id.eq_any(known))
            .select(user_roles::role_id)
            .distinct();
        let ids: Vec<i64> = on_conn!(self, |link| held.load(link).await?);
        self.list_roles_by_id(&ids.into_iter().map(RoleId).collect()).await
    }
}

impl Tx {
    /// Remembers what an issuer calls a user, beyond the user's removal. The texts must not contain
    /// the character NUL.
    ///
    /// # Errors
    ///
    /// [`Conflict::Identity`](crate::Conflict::Identity) if the issuer calls somebody so already,
    /// [`Conflict::Reference`](crate::Conflict::Reference) if there is no such user.
    pub async fn insert_identity(
        &mut self,
        issuer: &str,
        subject: &str,
        user: UserId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let insert = diesel::insert_into(identities::table).values((
            identities::issuer.eq(issuer),
            identities::subject.eq(subject),
            identities::user_id.eq(user.to_string()),
            identities::created_at.eq(now.as_millis()),
        ));
        on_conn!(self, |link| insert.execute(link).await?);
        Ok(())
    }

    /// Forgets what issuers call a user.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn remove_identities(&mut self, user: UserId) -> Result<(), StoreError> {
        let of_user = identities::table.filter(identities::user_id.eq(user.to_string()));
        let remove = diesel::delete(of_user);
        on_conn!(self, |link| remove.execute(link).await?);
        Ok(())
    }
}
