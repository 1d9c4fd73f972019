//! Signing in with a name and a password: a session, an access token that stands on it, and a
//! refresh token that prolongs it.
//!
//! - here: the way in, with one answer for everybody who may not come in, and the same work;
//! - `attempts`: how often it may be tried; `waits`: who was just told that it is too early;
//! - `refresh`: refresh tokens, and signing out;
//! - `passwords`: replacing a password, one's own or that of somebody who is locked out.

mod attempts;
mod passwords;
mod refresh;
mod waits;

use std::time::Duration;

use keystile_domain::{
    Credential, HashCost, PasswordSettings, Provider, ProviderId, ProviderSettings, Secret,
    Session, SessionHolder, SessionId, Transport, User, UserId, Username,
};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use self::attempts::Attempt;
use self::refresh::RefreshToken;
use crate::access_tokens::AccessTokenDraft;
use crate::change::Scope;
use crate::passwords::{HashError, Password, Verified, find_provider};
use crate::token_proof::{Basis, of_session};
use crate::{AccessToken, Keystile, Origin, ServiceError, random};

pub(crate) use self::attempts::REMEMBERED;
pub use self::passwords::{PasswordChange, PasswordChanged, PasswordReset};
pub(crate) use self::waits::Waits;

/// What somebody types to sign in.
#[derive(Debug)]
pub struct SignIn {
    /// The name, however it is written.
    pub username: String,
    /// The password, as it was typed.
    pub password: SecretString,
}

/// What somebody has who signed in.
#[derive(Debug)]
pub struct SignedIn {
    /// What requests show.
    pub access_token: AccessToken,
    /// What gets the next of both, once.
    pub refresh_token: Secret,
}

/// Why nobody may come in: for the log alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignInRefusal {
    /// They changed while the password was looked at.
    #[error("the user {0} was changed meanwhile")]
    Changed(UserId),
    /// They are switched off.
    #[error("the user {0} is switched off")]
    Disabled(UserId),
    /// They have no password.
    #[error("the user {0} has no password")]
    NoPassword(UserId),
    /// No provider of passwords is switched on.
    #[error("no provider of passwords is switched on")]
    NoProvider,
    /// They are a program.
    #[error("the user {0} is a service account")]
    ServiceAccount(UserId),
    /// Nobody has the name.
    #[error("nobody has the name")]
    UnknownName,
    /// The password is another.
    #[error("the password of the user {0} is another")]
    WrongPassword(UserId),
}

impl Keystile {
    /// What a sign-in page offers, in order of priority: providers that are switched on, of
    /// passwords and of people at OpenID providers.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Store`] if the store cannot say.
    pub async fn list_sign_in_providers(&self) -> Result<Vec<Provider>, ServiceError> {
        let mut providers = self.store.read().await?.list_providers().await?;
        providers.retain(|provider| {
            provider.enabled
                && match &provider.settings {
                    ProviderSettings::Password(_) => true,
                    ProviderSettings::Oidc(settings) => settings.trust_rules.is_empty(),
                    _ => false,
                }
        });
        Ok(providers)
    }

    /// Signs somebody in.
    ///
    /// # Errors
    ///
    /// [`ServiceError::SignIn`] for everybody who may not come in, which takes the same work
    /// whatever the reason; [`ServiceError::TooManyAttempts`] if it is too early to try again;
    /// [`ServiceError::InsecureTransport`] over plain HTTP, unless the provider allows it.
    pub async fn sign_in(&self, typed: SignIn, origin: Origin) -> Result<SignedIn, ServiceError> {
        self.admit_address(origin.address)?;
        let found = self.find_login(&typed.username, &origin).await?;
        let attempt = &found.attempt;
        self.admit_attempt(attempt).await?;
        let cost = found.settings.cost;
        let (password, stored) = match typed.password.expose_secret().parse::<Password>() {
            Ok(password) => (password, found.stored.as_deref()),
            // What cannot be a password matches none, after the same work.
            Err(_) => (Password::draw()?, None),
        };
        let verified = self.compare(attempt, &password, stored, cost).await?;
        let (user, stored) = found.judge(verified)?;
        // Whoever is in a hurry gets the cheaper hash for now.
        let dearer = match verified.rehash {
            true => self.hasher.hash(&password, cost).await.ok(),
            false => None,
        };
        let session = self.new_session(user, found.provider.id, &found.settings, &origin)?;
        let draft = Draft { session, verified: stored.to_owned(), dearer };
        let signed_in = self.begin_session(draft, &found.settings, origin).await?;
        self.forgive(attempt).await?;
        Ok(signed_in)
    }

    /// How many passwords were hashed since the start: what signing in costs.
    #[must_use]
    pub fn passwords_hashed(&self) -> u64 {
        self.hasher.computed()
    }

    /// Everything that an attempt is judged by. For a name that nobody has, nobody is looked up, so
    /// that it takes as long.
    async fn find_login(&self, username: &str, origin: &Origin) -> Result<Login, ServiceError> {
        let mut conn = self.store.read().await?;
        let found = find_provider(&mut conn).await?.filter(|(provider, _)| provider.enabled);
        let (provider, settings) = found.ok_or(SignInRefusal::NoProvider)?;
        if origin.transport == Transport::Insecure && !provider.allow_insecure_http {
            return Err(ServiceError::InsecureTransport);
        }
        let key = Username::key_of(username);
        let user = conn.find_user_by_name(&key).await?;
        let id = user.as_ref().map_or(UserId::from(Uuid::nil()), |user| user.id);
        let stored = conn.find_password_hash(id).await?;
        let sessions = conn.list_sessions(id).await?;
        let now = self.clock.now();
        let lockout = settings.lockout;
        let attempt = Attempt::new(&self.keys, &key, origin.address, &sessions, now, lockout);
        Ok(Login { provider, settings, user, stored, attempt })
    }

    /// Compares a password that was admitted.
    async fn compare(
        &self,
        attempt: &Attempt,
        password: &Password,
        stored: Option<&str>,
        cost: HashCost,
    ) -> Result<Verified, ServiceError> {
        let verified = self.hasher.verify(password, stored, cost).await;
        if let Err(HashError::Busy) = verified {
            self.take_back(attempt).await?;
        }
        Ok(verified?)
    }

    fn new_session(
        &self,
        user: UserId,
        provider: ProviderId,
        settings: &PasswordSettings,
        origin: &Origin,
    ) -> Result<Session, ServiceError> {
        let now = self.clock.now();
        Ok(Session {
            id: random::id(SessionId::new, now)?,
            holder: SessionHolder::User(user),
            provider,
            created_at: now,
            ends_at: now.after(minutes(settings.session_minutes)),
            address: Some(origin.address),
        })
    }

    async fn begin_session(
        &self,
        draft: Draft,
        settings: &PasswordSettings,
        origin: Origin,
    ) -> Result<SignedIn, ServiceError> {
        let refresh = RefreshToken::draw(&self.keys, settings, &draft.session, self.clock.now())?;
        let (digest, ends_at) = (refresh.digest, refresh.ends_at);
        let id = draft.session.id;
        let credential = self
            .change_unasked(Some(origin), move |scope| {
                Box::pin(async move {
                    draft.store(scope).await?;
                    scope.tx.insert_refresh_token(id, &digest, ends_at).await?;
                    let credential = of_session(&mut scope.tx, id).await?;
                    credential.ok_or(ServiceError::NotFound)
                })
            })
            .await?;
        self.hand_over(&credential, id, settings, refresh).await
    }

    /// An access token for a session, beside its new refresh token.
    async fn hand_over(
        &self,
        credential: &Credential,
        session: SessionId,
        settings: &PasswordSettings,
        refresh: RefreshToken,
    ) -> Result<SignedIn, ServiceError> {
        let draft = AccessTokenDraft {
            credential,
            basis: Basis::Session(session),
            audiences: Vec::new(),
            scopes: None,
            lifetime: minutes(settings.access_minutes),
        };
        let access_token = self.sign_access_token(draft).await?;
        Ok(SignedIn { access_token, refresh_token: refresh.secret })
    }
}

/// What is known of somebody who wants to come in.
struct Login {
    provider: Provider,
    settings: PasswordSettings,
    user: Option<User>,
    stored: Option<String>,
    attempt: Attempt,
}

impl Login {
    /// Whoever may come in, and the hash that their password matches.
    fn judge(&self, verified: Verified) -> Result<(UserId, &str), SignInRefusal> {
        let user = self.user.as_ref().ok_or(SignInRefusal::UnknownName)?;
        match &self.stored {
            _ if user.is_service_account => Err(SignInRefusal::ServiceAccount(user.id)),
            None => Err(SignInRefusal::NoPassword(user.id)),
            _ if !verified.matches => Err(SignInRefusal::WrongPassword(user.id)),
            _ if !user.enabled => Err(SignInRefusal::Disabled(user.id)),
            Some(stored) => Ok((user.id, stored)),
        }
    }
}

/// A session that is about to begin.
struct Draft {
    session: Session,
    /// The hash that the password matches.
    verified: String,
    /// What takes its place, if it cost too little.
    dearer: Option<String>,
}

impl Draft {
    /// Begins it, unless its user was switched off or got another password since they were judged.
    async fn store(&self, scope: &mut Scope) -> Result<(), ServiceError> {
        let SessionHolder::User(id) = self.session.holder else { return Ok(()) };
        let user = scope.tx.find_user(id).await?.filter(|user| user.enabled);
        let user = user.ok_or(SignInRefusal::Changed(id))?;
        let provider = scope.tx.find_provider(self.session.provider).await?;
        if !provider.is_some_and(|provider| provider.enabled) {
            return Err(SignInRefusal::NoProvider.into());
        }
        if scope.tx.find_password_hash(id).await?.as_ref() != Some(&self.verified) {
            return Err(SignInRefusal::Changed(id).into());
        }
        if let Some(dearer) = &self.dearer {
            scope.tx.set_password_hash(id, Some(dearer)).await?;
        }
        scope.begin_session(&self.session, &user).await
    }
}

fn minutes(minutes: u32) -> Duration {
    Duration::from_secs(60 * u64::from(minutes))
}
