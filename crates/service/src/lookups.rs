//! What is known of a credential, for a verifier that judges it by itself.
//!
//! Nothing here comes out of a memory: the answer is what the database says now, and tells up to
//! where in the feed it holds.

use std::sync::Arc;

use keystile_auth::{Chain, Rejection, TokenError};
use keystile_domain::{
    Credential, CredentialText, Fingerprint, Formats, Found, Power, Seq, Tombstone,
};

use crate::providers::{chain, formats};
use crate::token_proof::ProvenToken;
use crate::{Caller, Keystile, ServiceError, Unidentified};

/// What a credential is asked about by.
#[derive(Debug)]
pub enum Shown {
    /// The SHA-256 of a secret.
    Fingerprint(Fingerprint),
    /// Itself; nothing if the text could not be one.
    Text(Option<CredentialText>),
}

/// What is known of a credential.
#[derive(Debug)]
pub struct Lookup {
    /// What is known.
    pub known: Known,
    /// Up to where in the feed every change is in it.
    pub position: Seq,
    /// What the feed calls a JWT of ours when it is revoked by itself.
    pub token_id: Option<String>,
}

/// What keys look like, and where they stand.
#[derive(Clone, Debug)]
pub struct KeyShapes {
    /// Where in a request they may stand.
    pub chain: Chain,
    /// How they may look.
    pub formats: Formats,
}

/// What is known of a credential; nothing of it was judged.
#[derive(Debug)]
pub enum Known {
    /// The credential, in whatever state.
    Credential(Arc<Credential>),
    /// There is none.
    Absent(Absent),
}

/// Why there is no credential to judge.
#[derive(Debug)]
pub enum Absent {
    /// This is left of it.
    Deleted(Arc<Tombstone>),
    /// A token that has ended, by its own word.
    Expired,
    /// It cannot be a credential.
    Malformed,
    /// Nobody knows it.
    NotFound,
    /// It may be an imported key, which only the secret itself can show.
    SecretRequired,
}

impl Keystile {
    /// Looks a credential up.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Lacking`] without `keystile.keys.verify`; [`ServiceError::Store`] if nobody
    /// can say.
    pub async fn look_up(&self, caller: &Caller, shown: &Shown) -> Result<Lookup, ServiceError> {
        caller.require(Power::KeysVerify)?;
        match shown {
            Shown::Fingerprint(fingerprint) => self.find_by_fingerprint(fingerprint).await,
            Shown::Text(None) => {
                Ok(Lookup::new(Known::Absent(Absent::Malformed), self.feed_head().await?))
            }
            Shown::Text(Some(text)) => self.find_by_text(text).await,
        }
    }

    /// Where keys may stand in a request and how they may look, by the providers as they are now.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Lacking`] without `keystile.keys.verify`.
    pub async fn find_key_shapes(&self, caller: &Caller) -> Result<KeyShapes, ServiceError> {
        caller.require(Power::KeysVerify)?;
        let mut conn = self.store.read().await?;
        let formats = formats(&mut conn).await?;
        let chain = chain(&conn.list_providers().await?);
        Ok(KeyShapes { chain, formats })
    }

    pub(crate) async fn find_by_fingerprint(
        &self,
        fingerprint: &Fingerprint,
    ) -> Result<Lookup, ServiceError> {
        let mut conn = self.store.read().await?;
        // Before the credential: whatever happens in between may be in the answer, and is not in
        // what the answer claims.
        let (position, _) = conn.head().await?;
        let known = match self.keys.find(&mut conn, fingerprint).await? {
            Some(Found::Credential(credential)) => Known::Credential(credential),
            Some(Found::Tombstone(tombstone)) => Known::Absent(Absent::Deleted(tombstone)),
            None => {
                if let Some(token) = self.recall_proof(fingerprint) {
                    // Remembered is that it was verified, not what it is worth.
                    let credential = token.resolve(&mut conn).await?;
                    return Ok(Lookup::of_token(credential, &token, position));
                }
                let has_imports = !self.keys.import_schemes(&mut conn).await?.is_empty();
                Known::Absent(if has_imports { Absent::SecretRequired } else { Absent::NotFound })
            }
        };
        Ok(Lookup::new(known, position))
    }

    async fn find_by_text(&self, text: &CredentialText) -> Result<Lookup, ServiceError> {
        let position = self.feed_head().await?;
        let rejection = match text {
            CredentialText::Jwt(_) if !self.is_registered() => Rejection::Outdated,
            CredentialText::Jwt(jwt) => match self.read_jwt(jwt).await {
                Ok((credential, token)) => {
                    return Ok(Lookup::of_token(Some(credential), &token, position));
                }
                Err(rejection) => rejection,
            },
            CredentialText::Secret(_) => {
                // What this node remembers is as good as its lease, and may be older than the
                // feed's end.
                let deciding = self.verifier.begin().disbelieving();
                match self.identify(&deciding, text).await {
                    Ok((credential, _)) => {
                        return Ok(Lookup::new(Known::Credential(credential), position));
                    }
                    Err(rejection) => rejection,
                }
            }
        };
        Ok(Lookup::new(Known::Absent(Absent::of(rejection)?), position))
    }
}

impl Lookup {
    fn new(known: Known, position: Seq) -> Self {
        Self { known, position, token_id: None }
    }

    /// What a token that was verified stands for now.
    fn of_token(credential: Option<Arc<Credential>>, token: &ProvenToken, position: Seq) -> Self {
        let known = credential.map_or(Known::Absent(Absent::NotFound), Known::Credential);
        Self { known, position, token_id: token.id().map(str::to_owned) }
    }
}

impl Absent {
    /// What a rejection says, unless it is that nobody can say.
    pub(crate) fn of(rejection: Unidentified) -> Result<Self, ServiceError> {
        match rejection {
            Rejection::Deleted(tombstone) => Ok(Self::Deleted(tombstone)),
            Rejection::Malformed(_)
            | Rejection::Untrusted(
                TokenError::Claims | TokenError::Encoding | TokenError::Header,
            ) => Ok(Self::Malformed),
            Rejection::Untrusted(TokenError::Expired) => Ok(Self::Expired),
            Rejection::NotFound | Rejection::Untrusted(_) => Ok(Self::NotFound),
            Rejection::Outdated => Err(ServiceError::Behind),
            Rejection::Store(error) => Err(error.into()),
        }
    }
}
