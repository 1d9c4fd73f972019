//! Sessions: who signed in, and what traded a token. Their refresh tokens are in
//! `refresh_tokens.rs`.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::{RoleId, Session, SessionHolder, SessionId, Timestamp, UserId};

use crate::columns::{from_json, parse, parse_optional, to_json};
use crate::conn::on_conn;
use crate::schema::sessions;
use crate::{Books, Conn, StoreError, Tx};

impl Conn {
    /// Finds a session, whether or not it has ended.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn find_session(&mut self, id: SessionId) -> Result<Option<Session>, StoreError> {
        let query = sessions::table.find(id.to_string());
        let row = on_conn!(self, |link| query
            .select(SessionRow::as_select())
            .get_result(link)
            .await
            .optional()?);
        row.map(|row: SessionRow| row.read()).transpose()
    }

    /// Lists a user's sessions in the order in which they began, those that have ended among them
    /// for as long as they are kept.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn list_sessions(&mut self, user: UserId) -> Result<Vec<Session>, StoreError> {
        let query = sessions::table
            .filter(sessions::user_id.eq(user.to_string()))
            .order((sessions::created_at, sessions::id));
        let rows = on_conn!(self, |link| query.select(SessionRow::as_select()).load(link).await?);
        rows.iter().map(SessionRow::read).collect()
    }
}

impl Tx {
    /// Stores a new session.
    ///
    /// # Errors
    ///
    /// [`Conflict::Reference`](crate::Conflict::Reference) if the user or the provider does not
    /// exist. The roles of a machine's session are not looked at.
    pub async fn insert_session(&mut self, session: &Session) -> Result<(), StoreError> {
        let insert = diesel::insert_into(sessions::table).values(SessionRow::new(session)?);
        on_conn!(self, |link| insert.execute(link).await?);
        Ok(())
    }

    /// Ends a session, and its refresh tokens with it.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] if there is no such session.
    pub async fn remove_session(&mut self, id: SessionId) -> Result<(), StoreError> {
        let remove = diesel::delete(sessions::table.find(id.to_string()));
        match on_conn!(self, |link| remove.execute(link).await?) {
            0 => Err(StoreError::NotFound),
            _ => Ok(()),
        }
    }

    /// Ends all sessions of a user but one, and their refresh tokens with them; tells which, those
    /// made first first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn remove_sessions_of(
        &mut self,
        user: UserId,
        except: Option<SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        let except: Vec<String> = except.iter().map(ToString::to_string).collect();
        let theirs = sessions::table
            .filter(sessions::user_id.eq(user.to_string()))
            .filter(sessions::id.ne_all(except));
        let remove = diesel::delete(theirs).returning(sessions::id);
        let mut ids: Vec<String> = on_conn!(self, |link| remove.get_results(link).await?);
        ids.sort_unstable();
        ids.iter().map(|id| parse(id, "sessions.id")).collect()
    }
}

impl Books {
    /// Forgets the sessions that have ended, and their refresh tokens with them.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn remove_ended_sessions(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let ended = diesel::delete(sessions::table).filter(sessions::ends_at.le(now.as_millis()));
        on_conn!(self, |link| ended.execute(link).await?);
        Ok(())
    }
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = sessions)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
struct SessionRow {
    id: String,
    user_id: Option<String>,
    workload: Option<String>,
    role_ids: Option<String>,
    provider_id: String,
    address: Option<String>,
    created_at: i64,
    ends_at: i64,
}

impl SessionRow {
    fn new(session: &Session) -> Result<Self, StoreError> {
        let (user_id, workload, role_ids) = match &session.holder {
            SessionHolder::User(id) => (Some(id.to_string()), None, None),
            SessionHolder::Workload { name, roles } => {
                let roles: Vec<i64> = roles.iter().map(|role| role.0).collect();
                (None, Some(name.as_str().to_owned()), Some(to_json(&roles, ROLE_IDS)?))
            }
        };
        Ok(Self {
            id: session.id.to_string(),
            user_id,
            workload,
            role_ids,
            provider_id: session.provider.to_string(),
            address: session.address.map(|address| address.to_string()),
            created_at: session.created_at.as_millis(),
            ends_at: session.ends_at.as_millis(),
        })
    }

    fn read(&self) -> Result<Session, StoreError> {
        Ok(Session {
            id: parse(&self.id, "sessions.id")?,
            holder: self.holder()?,
            provider: parse(&self.provider_id, "sessions.provider_id")?,
            created_at: Timestamp::from_millis(self.created_at),
            ends_at: Timestamp::from_millis(self.ends_at),
            address: parse_optional(self.address.as_deref(), "sessions.address")?,
        })
    }

    fn holder(&self) -> Result<SessionHolder, StoreError> {
        match (&self.user_id, &self.workload, &self.role_ids) {
            (Some(id), None, None) => Ok(SessionHolder::User(parse(id, "sessions.user_id")?)),
            (None, Some(name), Some(roles)) => {
                let roles: BTreeSet<i64> = from_json(roles, ROLE_IDS)?;
                let name = parse(name, "sessions.workload")?;
                let roles = roles.into_iter().map(RoleId).collect();
                Ok(SessionHolder::Workload { name, roles })
            }
            _ => Err(StoreError::Corrupt("sessions.user_id")),
        }
    }
}

const ROLE_IDS: &str = "sessions.role_ids";
