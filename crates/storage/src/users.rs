//! Users, and the roles that they hold.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::{Timestamp, User, Version};

use crate::columns::{parameter, parse, roles_of};
use crate::conn::{insert_all, on_conn};
use crate::schema::{user_roles, users};
use crate::{Conn, StoreError, Tx};

impl Conn {
    /// Finds a user by the folded name that they sign in with.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn find_user_by_name(&mut self, folded: &str) -> Result<Option<User>, StoreError> {
        let query = users::table.filter(users::username_folded.eq(parameter(folded)));
        let Some(row) = on_conn!(self, |link| query
            .select(UserRow::as_select())
            .first(link)
            .await
            .optional()?)
        else {
            return Ok(None);
        };
        let query = user_roles::table.filter(user_roles::user_id.eq(&row.id));
        let roles: Vec<(String, i64)> = on_conn!(self, |link| query.load(link).await?);
        row.read(&roles).map(Some)
    }
}

impl Tx {
    /// Stores a new user; without a password hash it cannot sign in by password.
    ///
    /// # Errors
    ///
    /// [`Conflict::Username`](crate::Conflict::Username) if another user has the name,
    /// [`Conflict::Reference`](crate::Conflict::Reference) if a role does not exist.
    pub async fn insert_user(
        &mut self,
        user: &User,
        password_hash: Option<&str>,
    ) -> Result<(), StoreError> {
        let row = UserRow::new(user);
        let id = row.id.clone();
        let insert =
            diesel::insert_into(users::table).values((row, users::password_hash.eq(password_hash)));
        on_conn!(self, |link| insert.execute(link).await?);
        let hold = |role: &keystile_domain::RoleId| {
            (user_roles::user_id.eq(id.clone()), user_roles::role_id.eq(role.0))
        };
        insert_all!(self, user_roles::table, user.roles.iter().map(hold).collect());
        Ok(())
    }
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = users)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
struct UserRow {
    id: String,
    username: String,
    username_folded: String,
    enabled: bool,
    is_service_account: bool,
    version: i64,
    created_at: i64,
    updated_at: i64,
}

impl UserRow {
    fn new(user: &User) -> Self {
        Self {
            id: user.id.to_string(),
            username: user.username.as_str().to_owned(),
            username_folded: user.username.folded(),
            enabled: user.enabled,
            is_service_account: user.is_service_account,
            version: user.version.0,
            created_at: user.created_at.as_millis(),
            updated_at: user.updated_at.as_millis(),
        }
    }

    fn read(&self, roles: &[(String, i64)]) -> Result<User, StoreError> {
        Ok(User {
            id: parse(&self.id, "users.id")?,
            username: parse(&self.username, "users.username")?,
            enabled: self.enabled,
            is_service_account: self.is_service_account,
            roles: roles_of(&self.id, roles),
            version: Version(self.version),
            created_at: Timestamp::from_millis(self.created_at),
            updated_at: Timestamp::from_millis(self.updated_at),
        })
    }
}
