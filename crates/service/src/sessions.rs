//! Sessions of people: how they begin and end, and what the audit log says of it.

use keystile_domain::{
    Action, Actor, Name, Principal, PrincipalKind, Session, SessionHolder, SessionId, Target,
    TargetKind, User, UserId,
};
use keystile_storage::StoreError;
use serde_json::{Value, json};

use crate::ServiceError;
use crate::change::Scope;

impl Scope {
    /// Stores a new session of a user, who acts from here on.
    pub(crate) async fn begin_session(
        &mut self,
        session: &Session,
        user: &User,
    ) -> Result<(), ServiceError> {
        self.tx.insert_session(session).await?;
        self.actor = acting(user, session.id);
        let name = user.username.as_name();
        self.record_session(Action::SessionStarted, session, name, (None, Some(snapshot(session))))
    }

    /// Ends a session, unless it has been ended before.
    pub(crate) async fn end_session(
        &mut self,
        id: SessionId,
        action: Action,
    ) -> Result<(), ServiceError> {
        let Some(session) = self.tx.find_session(id).await? else { return Ok(()) };
        let name = self.holder_of(&session).await?;
        self.tx.remove_session(id).await?;
        self.record_session(action, &session, &name, (Some(snapshot(&session)), None))
    }

    /// Ends every session of a user but one, and tells how many.
    pub(crate) async fn end_sessions_of(
        &mut self,
        user: UserId,
        except: Option<SessionId>,
    ) -> Result<usize, ServiceError> {
        let sessions = self.tx.list_sessions(user).await?;
        let ended: Vec<_> = sessions.iter().filter(|session| Some(session.id) != except).collect();
        for session in &ended {
            self.end_session(session.id, Action::SessionEnded).await?;
        }
        Ok(ended.len())
    }

    /// Lets the holder of a session act from here on: it is theirs to end.
    pub(crate) async fn act_as_holder_of(&mut self, id: SessionId) -> Result<(), ServiceError> {
        if let Some(session) = self.tx.find_session(id).await?
            && let SessionHolder::User(user) = session.holder
            && let Some(user) = self.tx.find_user(user).await?
        {
            self.actor = acting(&user, id);
        }
        Ok(())
    }

    async fn holder_of(&mut self, session: &Session) -> Result<Name, ServiceError> {
        match &session.holder {
            SessionHolder::Workload { name, .. } => Ok(name.clone()),
            SessionHolder::User(id) => {
                let user = self.tx.find_user(*id).await?;
                // The sessions of a user go with them, so there is one.
                let user = user.ok_or(StoreError::Corrupt("sessions.user_id"))?;
                Ok(user.username.as_name().clone())
            }
        }
    }

    fn record_session(
        &mut self,
        action: Action,
        session: &Session,
        name: &Name,
        states: (Option<Value>, Option<Value>),
    ) -> Result<(), ServiceError> {
        let id = session.id.to_string();
        let target = Target { kind: TargetKind::Session, id, name: name.to_string() };
        self.record(action, target, states, None)
    }
}

fn acting(user: &User, session: SessionId) -> Actor {
    let principal = Principal {
        kind: PrincipalKind::User,
        id: user.id.as_uuid(),
        name: user.username.as_name().clone(),
    };
    Actor::Principal { principal, credential: session.as_uuid() }
}

/// What the audit log says of a session.
fn snapshot(session: &Session) -> Value {
    let user = match &session.holder {
        SessionHolder::User(id) => Some(id.to_string()),
        SessionHolder::Workload { .. } => None,
    };
    json!({
        "user_id": user,
        "provider_id": session.provider.to_string(),
        "ends_at": session.ends_at.to_string(),
    })
}
