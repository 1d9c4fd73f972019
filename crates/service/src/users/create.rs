//! Making a user or a service account.

use std::collections::BTreeSet;

use keystile_domain::{
    Action, Email, ExternalId, Metadata, Name, Power, RateLimits, RoleId, User, UserId, Username,
    Version,
};

use super::{NO_PASSWORD, name_taken, names_of};
use crate::change::{Changed, Options};
use crate::passwords::Password;
use crate::{Caller, Keystile, ServiceError, random};

/// A user that somebody asks for.
#[derive(Clone, Debug)]
pub struct UserDraft {
    /// The name to sign in with.
    pub username: Username,
    /// Their name for people.
    pub display_name: Option<Name>,
    /// Where they read mail.
    pub email: Option<Email>,
    /// What they sign in with; a service account has none.
    pub password: Option<Password>,
    /// Whether this is a program.
    pub is_service_account: bool,
    /// Whether they may do anything.
    pub enabled: bool,
    /// The roles that they shall hold.
    pub roles: BTreeSet<RoleId>,
    /// How often all that acts as them may do anything in a time.
    pub rate_limits: RateLimits,
    /// What another system calls them.
    pub external_id: Option<ExternalId>,
    /// What the customer keeps beside them.
    pub metadata: Metadata,
}

impl Keystile {
    /// Makes a user.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Ceiling`] if a role is more than the caller may hand out;
    /// [`ServiceError::Conflict`] if a user has a name that looks the same;
    /// [`ServiceError::Broken`] for an unknown role, a weak password or one of a service account;
    /// [`ServiceError::Outlives`] for a password that a credential sets which ends itself;
    /// [`ServiceError::Lacking`] without `keystile.users.write`.
    pub async fn create_user(
        &self,
        caller: &Caller,
        draft: UserDraft,
        options: Options<User>,
    ) -> Result<Changed<User>, ServiceError> {
        caller.require(Power::UsersWrite)?;
        if draft.is_service_account && draft.password.is_some() {
            return Err(ServiceError::broken("/password", NO_PASSWORD));
        }
        let names = names_of(&draft.username, draft.display_name.as_ref(), draft.email.as_ref());
        let hash = match &draft.password {
            Some(password) => Some(self.hash_new_password(password, &names, "/password").await?),
            None => None,
        };
        self.change(caller, Power::UsersWrite, options, move |scope| {
            Box::pin(async move {
                if hash.is_some() {
                    scope.must_not_end()?;
                }
                for role in scope.roles_named(&draft.roles).await? {
                    scope.rights.reach_role(&role)?;
                }
                let user = User {
                    id: random::id(UserId::new, scope.now)?,
                    username: draft.username,
                    display_name: draft.display_name,
                    email: draft.email,
                    enabled: draft.enabled,
                    is_service_account: draft.is_service_account,
                    roles: draft.roles,
                    rate_limits: draft.rate_limits,
                    external_id: draft.external_id,
                    metadata: draft.metadata,
                    version: Version::FIRST,
                    created_at: scope.now,
                    updated_at: scope.now,
                };
                scope.tx.insert_user(&user, hash.as_deref()).await.map_err(name_taken)?;
                scope.record_user(Action::UserCreated, None, Some(&user), None)?;
                Ok(user)
            })
        })
        .await
    }
}
