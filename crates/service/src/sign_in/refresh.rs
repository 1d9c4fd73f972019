//! Refresh tokens: each works once, and shown a second time it ends its session (RFC 9700, section
//! 4.14.2). Whoever has one can also sign out with it.

use std::sync::Arc;

use keystile_domain::{
    Action, Context, Credential, Decision, Digest, Encoding, Fit, KeyLength, PasswordSettings,
    Prefix, ProviderSettings, Rule, Secret, SecretFormat, Session, SessionId, Timestamp, decide,
};
use keystile_storage::{Books, Conn, RefreshToken as StoredRefreshToken};

use super::{SignedIn, minutes};
use crate::keys::Keys;
use crate::token_proof::of_session;
use crate::{Keystile, Origin, ServiceError, random};

/// A new refresh token.
pub(super) struct RefreshToken {
    pub(super) secret: Secret,
    pub(super) digest: Digest,
    pub(super) ends_at: Timestamp,
}

impl RefreshToken {
    /// A token that ends with its session at the latest.
    pub(super) fn draw(
        keys: &Keys,
        settings: &PasswordSettings,
        session: &Session,
        now: Timestamp,
    ) -> Result<Self, ServiceError> {
        let secret = format().generate(&mut random::generator())?;
        let digest = keys.digest(&secret.fingerprint());
        let ends_at = now.after(minutes(settings.refresh_minutes)).min(session.ends_at);
        Ok(Self { secret, digest, ends_at })
    }
}

impl Keystile {
    /// Trades a refresh token for the next one and a new access token.
    ///
    /// Of many who try with one token, the first succeeds, and the second ends the session for all
    /// of them: nobody can tell which of them it was meant for.
    ///
    /// # Errors
    ///
    /// [`ServiceError::RefreshToken`] if it is unknown, used or ended, or its user may not sign in
    /// any more; [`ServiceError::InsecureTransport`] over plain HTTP, unless the provider allows it.
    pub async fn refresh(&self, token: &str, origin: Origin) -> Result<SignedIn, ServiceError> {
        // Reading takes nobody's turn: made-up tokens could otherwise hold up all changes.
        let known = self.find_refresh_text(token).await?;
        let (digest, _) = known.ok_or(ServiceError::RefreshToken(UNKNOWN))?;
        let mut books = self.store.books().await?;
        match self.spend(&mut books, &digest, &origin).await {
            Ok(Turn::Next(next)) => {
                books.commit().await?;
                let Next { credential, session, settings, refresh } = *next;
                self.hand_over(&credential, session, &settings, refresh).await
            }
            Ok(Turn::Replayed(session)) => {
                books.rollback().await?;
                self.end_replayed(session, origin).await?;
                Err(ServiceError::RefreshToken("was used before; its session has ended"))
            }
            Err(error) => {
                // The error that stopped it is the one to tell.
                let _ = books.rollback().await;
                Err(error)
            }
        }
    }

    /// Ends the session of a refresh token. One that is unknown, or whose session has ended, is no
    /// error: what was asked is the case.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Store`] if the store cannot end it.
    pub async fn sign_out(&self, token: &str, origin: Origin) -> Result<(), ServiceError> {
        let Some((_, known)) = self.find_refresh_text(token).await? else { return Ok(()) };
        self.change_unasked(Some(origin), move |scope| {
            Box::pin(async move {
                scope.act_as_holder_of(known.session).await?;
                scope.end_session(known.session, Action::SessionEnded).await
            })
        })
        .await
    }

    /// Finds a refresh token, and what it is stored as.
    pub(crate) async fn find_refresh_token(
        &self,
        conn: &mut Conn,
        secret: &Secret,
    ) -> Result<Option<(Digest, StoredRefreshToken)>, ServiceError> {
        for digest in self.keys.digests(conn, &secret.fingerprint()).await? {
            if let Some(token) = conn.find_refresh_token(&digest).await? {
                return Ok(Some((digest, token)));
            }
        }
        Ok(None)
    }

    /// The same, for a text that may be none.
    async fn find_refresh_text(
        &self,
        text: &str,
    ) -> Result<Option<(Digest, StoredRefreshToken)>, ServiceError> {
        let fits = format().fit(text) == Fit::Fits;
        let Some(secret) = Secret::parse(text).ok().filter(|_| fits) else { return Ok(None) };
        let mut conn = self.store.read().await?;
        self.find_refresh_token(&mut conn, &secret).await
    }

    /// Uses a token up, and makes the next one.
    async fn spend(
        &self,
        books: &mut Books,
        digest: &Digest,
        origin: &Origin,
    ) -> Result<Turn, ServiceError> {
        let now = self.clock.now();
        let spent = books.spend_refresh_token(digest).await?;
        let spent = spent.ok_or(ServiceError::RefreshToken(UNKNOWN))?;
        if !spent.was_current {
            return Ok(Turn::Replayed(spent.session));
        }
        if spent.ends_at <= now {
            return Err(ServiceError::RefreshToken("has ended"));
        }
        let session = books.find_session(spent.session).await?;
        let session = session.ok_or(ServiceError::RefreshToken(UNKNOWN))?;
        let credential = of_session(books, session.id).await?;
        let credential = Arc::new(credential.ok_or(ServiceError::RefreshToken(UNKNOWN))?);
        judge(&credential, origin, now)?;
        let ProviderSettings::Password(settings) = &credential.provider.settings else {
            return Err(ServiceError::RefreshToken("is not of a session with a password"));
        };
        let refresh = RefreshToken::draw(&self.keys, settings, &session, now)?;
        books.insert_refresh_token(session.id, &refresh.digest, refresh.ends_at).await?;
        Ok(Turn::Next(Box::new(Next {
            settings: settings.clone(),
            session: session.id,
            credential,
            refresh,
        })))
    }

    async fn end_replayed(&self, session: SessionId, origin: Origin) -> Result<(), ServiceError> {
        self.change_unasked(Some(origin), move |scope| {
            Box::pin(async move { scope.end_session(session, Action::SessionReplayed).await })
        })
        .await
    }
}

/// What came of using a token up.
enum Turn {
    Next(Box<Next>),
    Replayed(SessionId),
}

/// What follows a token.
struct Next {
    credential: Arc<Credential>,
    session: SessionId,
    settings: PasswordSettings,
    refresh: RefreshToken,
}

/// Whether whoever signed in may still come in.
fn judge(
    credential: &Arc<Credential>,
    origin: &Origin,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let context = Context { transport: Some(origin.transport), ..Context::default() };
    match decide(credential, &context, now) {
        Decision::Allow(_) => Ok(()),
        Decision::Deny(denial) if denial.rule() == Rule::TransportSecure => {
            Err(ServiceError::InsecureTransport)
        }
        Decision::Deny(denial) => Err(ServiceError::RefreshToken(denial.rule().as_str())),
    }
}

/// How refresh tokens look. The format is not among those of credentials: none is ever taken for
/// one.
fn format() -> SecretFormat {
    let prefix = "ks_rt_".parse::<Prefix>();
    #[expect(clippy::expect_used, reason = "the text has letters and underscores alone")]
    let prefix = prefix.expect("a prefix");
    SecretFormat { prefix, encoding: Encoding::Base62, key_length: KeyLength::default() }
}

const UNKNOWN: &str = "is unknown, or its session has ended";
