//! Users and service accounts: what can be asked and changed.
//!
//! Each change is in a file of its own; what they share is here: looking a user up, the ceiling,
//! and what the audit log says of a user. Their tokens are in `tokens`.

mod create;
mod remove;
mod update;

use keystile_domain::{
    Action, Email, Listing, Name, PageRequest, Power, Reason, Rights, Role, Target, TargetKind,
    User, UserFilter, UserId, UserSort, Username, Version,
};
use keystile_storage::StoreError;
use serde_json::{Value, json};

use crate::change::{Scope, expect_version};
use crate::{Caller, Conflict, Keystile, ServiceError, limits};

pub use create::UserDraft;
pub use remove::UserRemoval;
pub use update::UserChange;

impl Keystile {
    /// The users that match, people and service accounts alike.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Lacking`] without `keystile.users.read`.
    pub async fn list_users(
        &self,
        caller: &Caller,
        filter: &UserFilter,
        page: &PageRequest<UserSort>,
    ) -> Result<Listing<User>, ServiceError> {
        caller.require(Power::UsersRead)?;
        Ok(self.store.read().await?.list_users(filter, page).await?)
    }

    /// One user.
    ///
    /// # Errors
    ///
    /// [`ServiceError::NotFound`] if there is none of this id; [`ServiceError::Lacking`] without
    /// `keystile.users.read`.
    pub async fn find_user(&self, caller: &Caller, id: UserId) -> Result<User, ServiceError> {
        caller.require(Power::UsersRead)?;
        self.store.read().await?.find_user(id).await?.ok_or(ServiceError::NotFound)
    }
}

impl Scope {
    /// A user who is about to be changed, and whom the caller may touch.
    async fn user_in_reach(
        &mut self,
        id: UserId,
        expected: Option<Version>,
    ) -> Result<(User, Vec<Role>), ServiceError> {
        let found = self.tx.find_user_with_roles(id).await?;
        let (user, roles) = found.ok_or(ServiceError::NotFound)?;
        expect_version(expected, user.version)?;
        self.rights.reach(&Rights::of(&roles).permissions)?;
        Ok((user, roles))
    }

    pub(crate) fn record_user(
        &mut self,
        action: Action,
        before: Option<&User>,
        after: Option<&User>,
        reason: Option<Reason>,
    ) -> Result<(), ServiceError> {
        let Some(user) = after.or(before) else { return Ok(()) };
        self.record(action, target(user), (before.map(snapshot), after.map(snapshot)), reason)
    }
}

/// The user, as the audit log names them.
pub(crate) fn target(user: &User) -> Target {
    Target { kind: TargetKind::User, id: user.id.to_string(), name: user.username.to_string() }
}

/// What the audit log says of a user.
fn snapshot(user: &User) -> Value {
    json!({
        "username": user.username.as_str(),
        "display_name": user.display_name.as_ref().map(|name| name.as_str()),
        "email": user.email.as_ref().map(|email| email.as_str()),
        "enabled": user.enabled,
        "is_service_account": user.is_service_account,
        "role_ids": user.roles.iter().map(|id| id.0).collect::<Vec<_>>(),
        "rate_limits": limits::snapshot(&user.rate_limits),
        "external_id": user.external_id.as_ref().map(|id| id.as_str()),
        "metadata": user.metadata.as_map(),
    })
}

/// What others know of a user, and would try as their password.
pub(crate) fn names_of<'u>(
    username: &'u Username,
    display_name: Option<&'u Name>,
    email: Option<&'u Email>,
) -> Vec<&'u str> {
    let names = [Some(username.as_str()), display_name.map(Name::as_str), email.map(Email::as_str)];
    names.into_iter().flatten().collect()
}

fn name_taken(error: StoreError) -> ServiceError {
    match error {
        StoreError::Conflict(keystile_storage::Conflict::Username) => {
            Conflict::UsernameTaken.into()
        }
        other => other.into(),
    }
}

const NO_PASSWORD: &str = "a service account has no password; it uses tokens";
