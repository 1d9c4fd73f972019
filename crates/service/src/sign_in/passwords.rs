//! Replacing a password: one's own, or that of somebody who is locked out.

use keystile_domain::{
    Action, PrincipalKind, ProviderSettings, SessionId, Token, User, UserId, Username,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::Login;
use super::attempts::name_subject;
use crate::change::{Changed, Options, Scope};
use crate::passwords::Password;
use crate::users::{names_of, target};
use crate::{Caller, Keystile, ServiceError};

/// A new password for oneself.
#[derive(Debug)]
pub struct PasswordChange {
    /// The present one, as it was typed.
    pub current: SecretString,
    /// The new one.
    pub new: Password,
    /// Whether one's tokens are deleted too.
    pub revoke_tokens: bool,
}

/// What came of a new password.
#[derive(Debug)]
pub struct PasswordChanged {
    /// How many other sessions were ended.
    pub sessions_ended: usize,
    /// How many tokens were deleted.
    pub tokens_revoked: usize,
    /// The tokens that still work.
    pub tokens_left: Vec<Token>,
}

/// A password that somebody was given.
#[derive(Debug)]
pub struct PasswordReset {
    /// Who.
    pub user: User,
    /// The password, told once.
    pub password: Password,
}

impl Keystile {
    /// Replaces the caller's own password, and ends their other sessions.
    ///
    /// # Errors
    ///
    /// [`ServiceError::SessionRequired`] unless they signed in with a password;
    /// [`ServiceError::Broken`] at `/current_password` if that is another one, which counts as a
    /// failed sign-in, and at `/new_password` if that is too weak or no new one;
    /// [`ServiceError::TooManyAttempts`] as for signing in.
    pub async fn change_password(
        &self,
        caller: &Caller,
        change: PasswordChange,
        options: Options<PasswordChanged>,
    ) -> Result<Changed<PasswordChanged>, ServiceError> {
        // A ticket is not to tell which password is right, either.
        caller.may_change()?;
        let (user, session) = signed_in(caller)?;
        let found = self.find_user_of(user).await?;
        let current = change.current.expose_secret().parse::<Password>();
        let current = current.map_err(|_cannot_be_one| another_password())?;
        let stored = self.confirm(caller, &found, &current).await?;
        if change.new.expose() == current.expose() {
            return Err(ServiceError::broken("/new_password", "must be another one"));
        }
        let names = names_of(&found.username, found.display_name.as_ref(), found.email.as_ref());
        let hash = self.hash_new_password(&change.new, &names, "/new_password").await?;
        let revoke = change.revoke_tokens;
        self.change(caller, None, options, move |scope| {
            Box::pin(async move {
                // Somebody may have reset it while it was looked at.
                if scope.tx.find_password_hash(user).await?.as_ref() != Some(&stored) {
                    return Err(another_password());
                }
                let user = scope.replace_password(user, &hash).await?;
                let sessions_ended = scope.end_sessions_of(user.id, Some(session)).await?;
                let tokens = scope.tx.list_live_tokens(user.id, scope.now).await?;
                if !revoke {
                    return Ok(PasswordChanged {
                        sessions_ended,
                        tokens_revoked: 0,
                        tokens_left: tokens,
                    });
                }
                for token in &tokens {
                    scope.remove_token(&user, token, None).await?;
                }
                let (tokens_revoked, tokens_left) = (tokens.len(), Vec::new());
                Ok(PasswordChanged { sessions_ended, tokens_revoked, tokens_left })
            })
        })
        .await
    }

    /// Gives somebody who is locked out a drawn password, ends their sessions, and forgets their
    /// failed attempts. Only for whoever runs the server.
    ///
    /// # Errors
    ///
    /// [`ServiceError::NotFound`] if nobody of this name can have a password: unknown, or a service
    /// account.
    pub async fn reset_password(&self, username: &str) -> Result<PasswordReset, ServiceError> {
        let key = Username::key_of(username);
        let found = self.store.read().await?.find_user_by_name(&key).await?;
        let found = found.filter(|user| !user.is_service_account).ok_or(ServiceError::NotFound)?;
        let password = Password::draw()?;
        let hash = self.hash_new_password(&password, &[], "").await?;
        let user = self
            .change_unasked(None, move |scope| {
                Box::pin(async move {
                    let user = scope.replace_password(found.id, &hash).await?;
                    scope.end_sessions_of(user.id, None).await?;
                    Ok(user)
                })
            })
            .await?;
        let mut books = self.store.books().await?;
        books.clear_failures(&name_subject(&self.keys, &key)).await?;
        books.commit().await?;
        Ok(PasswordReset { user, password })
    }

    async fn find_user_of(&self, id: UserId) -> Result<User, ServiceError> {
        let found = self.store.read().await?.find_user(id).await?;
        found.ok_or(ServiceError::Unauthenticated)
    }

    /// The hash of the caller's present password, if this is it.
    async fn confirm(
        &self,
        caller: &Caller,
        user: &User,
        current: &Password,
    ) -> Result<String, ServiceError> {
        let login = self.find_login(user.username.as_str(), caller.origin()).await?;
        self.admit_attempt(&login.attempt).await?;
        let Login { attempt, settings, stored, .. } = &login;
        let verified = self.compare(attempt, current, stored.as_deref(), settings.cost).await?;
        match stored {
            Some(stored) if verified.matches => {
                self.forgive(attempt).await?;
                Ok(stored.clone())
            }
            _ => Err(another_password()),
        }
    }
}

impl Scope {
    /// Stores what a user's new password hashes to.
    pub(crate) async fn replace_password(
        &mut self,
        id: UserId,
        hash: &str,
    ) -> Result<User, ServiceError> {
        let mut user = self.tx.find_user(id).await?.ok_or(ServiceError::NotFound)?;
        user.version = user.version.next();
        user.updated_at = self.now;
        self.tx.update_user(&user).await?;
        self.tx.set_password_hash(id, Some(hash)).await?;
        let after = json!({"has_password": true});
        self.record(Action::PasswordChanged, target(&user), (None, Some(after)), None)?;
        Ok(user)
    }
}

/// The user and the session of a caller who signed in with a password, and shows all of it.
fn signed_in(caller: &Caller) -> Result<(UserId, SessionId), ServiceError> {
    let credential = caller.credential();
    let by_password = matches!(credential.provider.settings, ProviderSettings::Password(_));
    let is_whole = credential.scopes.is_none();
    let is_user = credential.principal.kind == PrincipalKind::User;
    if credential.signed_in && by_password && is_whole && is_user {
        Ok((credential.principal.id.into(), credential.id.into()))
    } else {
        Err(ServiceError::SessionRequired)
    }
}

fn another_password() -> ServiceError {
    ServiceError::broken("/current_password", "is not the present password")
}
