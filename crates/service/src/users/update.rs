//! Changing a user.

use std::collections::BTreeSet;

use keystile_domain::{
    Action, Email, ExternalId, Name, Power, RateLimits, Rights, RoleId, User, UserId, Username,
    Version,
};
use keystile_storage::Except;
use serde_json::{Map, Value, json};

use super::{NO_PASSWORD, name_taken, names_of, target};
use crate::change::{Changed, Options, Scope};
use crate::passwords::Password;
use crate::{Caller, Keystile, ServiceError};

/// What shall be different about a user; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// The name that they sign in with.
    pub username: Option<Username>,
    /// Their name for people.
    pub display_name: Option<Option<Name>>,
    /// Where they read mail.
    pub email: Option<Option<Email>>,
    /// What they sign in with. A new one ends all their sessions.
    pub password: Option<Option<Password>>,
    /// Whether they may do anything.
    pub enabled: Option<bool>,
    /// The roles that they hold.
    pub roles: Option<BTreeSet<RoleId>>,
    /// How often all that acts as them may do anything in a time.
    pub rate_limits: Option<RateLimits>,
    /// What another system calls them.
    pub external_id: Option<Option<ExternalId>>,
    /// What the customer keeps beside them: a merge patch, or `None` for nothing at all.
    pub metadata: Option<Option<Map<String, Value>>>,
}

/// What becomes of a password: its hash, or nothing if it is taken away.
type NewHash = Option<Option<String>>;

impl Keystile {
    /// Changes a user. A change that changes nothing writes no event and keeps the version.
    ///
    /// Whoever sets a password can act as the user from then on, so they must be able to hand out
    /// every role that the user holds.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Ceiling`] if the user before or after is beyond the caller;
    /// [`ServiceError::OwnPassword`] if it is the caller's own password;
    /// [`ServiceError::Conflict`] if nobody would be left who may do everything, or another user
    /// has a name that looks the same; [`ServiceError::Outdated`] if it does not have the
    /// `expected` version; [`ServiceError::Broken`] for an unknown role, a weak password or one of
    /// a service account; [`ServiceError::NotFound`]; [`ServiceError::Lacking`] without
    /// `keystile.users.write`.
    pub async fn update_user(
        &self,
        caller: &Caller,
        id: UserId,
        expected: Option<Version>,
        change: UserChange,
        options: Options<User>,
    ) -> Result<Changed<User>, ServiceError> {
        caller.require(Power::UsersWrite)?;
        if change.password.is_some() && caller.credential().principal.id == id.as_uuid() {
            return Err(ServiceError::OwnPassword);
        }
        let hash = self.new_hash(id, &change).await?;
        self.change(caller, Power::UsersWrite, options, move |scope| {
            Box::pin(async move {
                if hash.as_ref().is_some_and(Option::is_some) {
                    scope.must_not_end()?;
                }
                let (before, roles) = scope.user_in_reach(id, expected).await?;
                let mut after = changed(scope, &before, change).await?;
                if after == before && hash.is_none() {
                    return Ok(before);
                }
                let rights_after = Rights::of(&scope.tx.list_roles_by_id(&after.roles).await?);
                let signs_in = after.enabled && hash != Some(None);
                if before.enabled && !(signs_in && rights_after.are_unlimited()) {
                    let gone = Except { users: &[id], ..Except::default() };
                    scope.spare_last_administrator(&Rights::of(&roles), &gone).await?;
                }
                let is_more_than_password = after != before;
                after.version = before.version.next();
                after.updated_at = scope.now;
                scope.tx.update_user(&after).await.map_err(name_taken)?;
                if is_more_than_password {
                    let action = action(&before, &after);
                    scope.record_user(action, Some(&before), Some(&after), None)?;
                }
                if before.enabled && !after.enabled {
                    scope.end_sessions_of(id, None).await?;
                }
                if let Some(hash) = &hash {
                    set_password(scope, &after, hash.as_deref()).await?;
                }
                Ok(after)
            })
        })
        .await
    }

    /// The hash of the new password, computed before the change, which holds up all others.
    async fn new_hash(&self, id: UserId, change: &UserChange) -> Result<NewHash, ServiceError> {
        let Some(password) = &change.password else { return Ok(None) };
        let user = self.store.read().await?.find_user(id).await?.ok_or(ServiceError::NotFound)?;
        if user.is_service_account {
            return Err(ServiceError::broken("/password", NO_PASSWORD));
        }
        let Some(password) = password else { return Ok(Some(None)) };
        let username = change.username.as_ref().unwrap_or(&user.username);
        let name = change.display_name.as_ref().unwrap_or(&user.display_name);
        let email = change.email.as_ref().unwrap_or(&user.email);
        let names = names_of(username, name.as_ref(), email.as_ref());
        Ok(Some(Some(self.hash_new_password(password, &names, "/password").await?)))
    }
}

/// The user as they will be, if every rule allows.
async fn changed(
    scope: &mut Scope,
    before: &User,
    change: UserChange,
) -> Result<User, ServiceError> {
    let mut after = before.clone();
    if let Some(roles) = change.roles {
        for role in scope.roles_named(&roles).await? {
            if !before.roles.contains(&role.id) {
                scope.rights.reach_role(&role)?;
            }
        }
        after.roles = roles;
    }
    if let Some(patch) = change.metadata {
        after.metadata = match patch {
            None => Default::default(),
            Some(patch) => before
                .metadata
                .merged(patch)
                .map_err(|error| ServiceError::broken("/metadata", error))?,
        };
    }
    after.username = change.username.unwrap_or(after.username);
    after.display_name = change.display_name.unwrap_or(after.display_name);
    after.email = change.email.unwrap_or(after.email);
    after.rate_limits = change.rate_limits.unwrap_or(after.rate_limits);
    after.enabled = change.enabled.unwrap_or(after.enabled);
    after.external_id = change.external_id.unwrap_or(after.external_id);
    Ok(after)
}

/// Replaces what a user signs in with, or takes it away, and ends their sessions. Whoever knows the
/// password holds all their roles.
async fn set_password(
    scope: &mut Scope,
    user: &User,
    hash: Option<&str>,
) -> Result<(), ServiceError> {
    let roles = scope.tx.list_roles_by_id(&user.roles).await?;
    roles.iter().try_for_each(|role| scope.rights.reach_role(role))?;
    scope.tx.set_password_hash(user.id, hash).await?;
    let after = json!({"has_password": hash.is_some()});
    scope.record(Action::PasswordChanged, target(user), (None, Some(after)), None)?;
    scope.end_sessions_of(user.id, None).await?;
    Ok(())
}

fn action(before: &User, after: &User) -> Action {
    match (before.enabled, after.enabled) {
        (true, false) => Action::UserDisabled,
        (false, true) => Action::UserEnabled,
        _ => Action::UserUpdated,
    }
}
