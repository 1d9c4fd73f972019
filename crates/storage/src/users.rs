//! Users, and the roles that they hold. What they own is in `tokens.rs`, what others call them in
//! `identities.rs`.

mod row;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::{
    Listing, PageRequest, Role, RoleId, Start, User, UserFilter, UserId, UserSort,
};

pub(crate) use self::row::UserRow;
use crate::columns::parameter;
use crate::conn::{insert_all, on_conn};
use crate::listing::{cut, named, number, part, text, text_id};
use crate::roles::RoleRow;
use crate::schema::{roles, user_roles, users};
use crate::{Conn, StoreError, Tx};

/// Runs a query for one user.
macro_rules! find_one {
    ($conn:expr, $query:expr) => {{
        let query = $query;
        let row = on_conn!($conn, |link| {
            query.select(UserRow::as_select()).get_result(link).await.optional()?
        });
        let users = $conn.with_role_ids(&row.into_iter().collect::<Vec<_>>()).await?;
        Ok(users.into_iter().next())
    }};
}

impl Conn {
    /// Finds a user.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn find_user(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        find_one!(self, users::table.find(id.to_string()))
    }

    /// Finds a user by the [key](keystile_domain::Username::key) of the name that they sign in
    /// with.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn find_user_by_name(&mut self, key: &str) -> Result<Option<User>, StoreError> {
        find_one!(self, users::table.filter(users::username_folded.eq(parameter(key))))
    }

    /// Finds a user with the roles that they hold, all out of one statement, and so of one moment.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn find_user_with_roles(
        &mut self,
        id: UserId,
    ) -> Result<Option<(User, Vec<Role>)>, StoreError> {
        let query = users::table
            .left_join(user_roles::table.on(user_roles::user_id.eq(users::id)))
            .left_join(roles::table.on(roles::id.nullable().eq(user_roles::role_id.nullable())))
            .filter(users::id.eq(id.to_string()))
            .order(roles::id);
        let rows: Vec<(UserRow, Option<RoleRow>)> = on_conn!(self, |link| {
            let columns = (UserRow::as_select(), Option::<RoleRow>::as_select());
            query.select(columns).load(link).await?
        });
        let [(user, _), ..] = rows.as_slice() else { return Ok(None) };
        let mut user = user.read(&[])?;
        let held = rows.iter().filter_map(|(_, role)| role.as_ref());
        let held = held.map(RoleRow::read).collect::<Result<Vec<_>, _>>()?;
        user.roles = held.iter().map(|role| role.id).collect();
        Ok(Some((user, held)))
    }

    /// Finds what a user's password hashes to; without it, nobody signs in with their name.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn find_password_hash(&mut self, id: UserId) -> Result<Option<String>, StoreError> {
        let query = users::table.find(id.to_string()).select(users::password_hash);
        let hash: Option<Option<String>> =
            on_conn!(self, |link| query.get_result(link).await.optional()?);
        Ok(hash.flatten())
    }

    /// Lists users.
    ///
    /// # Errors
    ///
    /// [`StoreError::ForeignMark`] if the page begins behind a mark of a list in another order.
    pub async fn list_users(
        &mut self,
        filter: &UserFilter,
        page: &PageRequest<UserSort>,
    ) -> Result<Listing<User>, StoreError> {
        let (mut rows, total) = on_conn!(self, |link| {
            let matching = || {
                let mut query = users::table.into_boxed();
                if let Some(pattern) = &filter.username {
                    query = named!(query, users::username_folded, pattern);
                }
                if let Some(enabled) = filter.enabled {
                    query = query.filter(users::enabled.eq(enabled));
                }
                if let Some(is_service_account) = filter.is_service_account {
                    query = query.filter(users::is_service_account.eq(is_service_account));
                }
                if let Some(role) = filter.role {
                    let holders = user_roles::table
                        .filter(user_roles::role_id.eq(role.0))
                        .select(user_roles::user_id);
                    query = query.filter(users::id.eq_any(holders));
                }
                if let Some(external_id) = &filter.external_id {
                    query = query.filter(users::external_id.eq(external_id.as_str()));
                }
                query
            };
            let total = match &page.start {
                Start::Page(_) => Some(matching().count().get_result(link).await?),
                Start::After(_) => None,
            };
            let query = matching().select(UserRow::as_select());
            let query = match page.sort {
                UserSort::Username => {
                    part!(query, page, users::username_folded, text, users::id, text_id)
                }
                _ => part!(query, page, users::created_at, number, users::id, text_id),
            };
            (query.load(link).await?, total)
        });
        let next = cut(&mut rows, page.limit, |row: &UserRow| row.mark(page.sort));
        Ok(Listing { items: self.with_role_ids(&rows).await?, total, next })
    }

    async fn with_role_ids(&mut self, rows: &[UserRow]) -> Result<Vec<User>, StoreError> {
        let ids: Vec<&str> = rows.iter().map(UserRow::id).collect();
        let query = user_roles::table.filter(user_roles::user_id.eq_any(ids));
        let roles: Vec<(String, i64)> = on_conn!(self, |link| query.load(link).await?);
        rows.iter().map(|row| row.read(&roles)).collect()
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
        let row = (UserRow::new(user)?, users::password_hash.eq(password_hash));
        let insert = diesel::insert_into(users::table).values(row);
        on_conn!(self, |link| insert.execute(link).await?);
        self.hold_roles(user).await
    }

    /// Stores what a user has become: everything but whether it is a program, the password, and
    /// when it was made.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] if there is no such user,
    /// [`Conflict::Username`](crate::Conflict::Username) if another has the name,
    /// [`Conflict::Reference`](crate::Conflict::Reference) if a role does not exist.
    pub async fn update_user(&mut self, user: &User) -> Result<(), StoreError> {
        let id = user.id.to_string();
        let put = diesel::update(users::table.find(&id)).set(UserRow::new(user)?.changes());
        if on_conn!(self, |link| put.execute(link).await?) == 0 {
            return Err(StoreError::NotFound);
        }
        let release = diesel::delete(user_roles::table.filter(user_roles::user_id.eq(id)));
        on_conn!(self, |link| release.execute(link).await?);
        self.hold_roles(user).await
    }

    /// Replaces what a user's password hashes to, or takes the password away. The user's version is
    /// the caller's to raise.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] if there is no such user.
    pub async fn set_password_hash(
        &mut self,
        id: UserId,
        password_hash: Option<&str>,
    ) -> Result<(), StoreError> {
        let user = users::table.find(id.to_string());
        let put = diesel::update(user).set(users::password_hash.eq(password_hash));
        match on_conn!(self, |link| put.execute(link).await?) {
            0 => Err(StoreError::NotFound),
            _ => Ok(()),
        }
    }

    /// Removes a user for ever, with their sessions and what issuers call them.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] if there is no such user,
    /// [`Conflict::Reference`](crate::Conflict::Reference) if they own a token, even one that has
    /// ended.
    pub async fn remove_user(&mut self, id: UserId) -> Result<(), StoreError> {
        let remove = diesel::delete(users::table.find(id.to_string()));
        match on_conn!(self, |link| remove.execute(link).await?) {
            0 => Err(StoreError::NotFound),
            _ => Ok(()),
        }
    }

    async fn hold_roles(&mut self, user: &User) -> Result<(), StoreError> {
        let hold = |role: &RoleId| {
            (user_roles::user_id.eq(user.id.to_string()), user_roles::role_id.eq(role.0))
        };
        insert_all!(self, user_roles::table, user.roles.iter().map(hold).collect());
        Ok(())
    }
}
