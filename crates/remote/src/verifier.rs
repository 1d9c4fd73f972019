//! A verifier that knows what a server knows.

use std::sync::Arc;

use arc_swap::ArcSwap;
use keystile_api::verify::VerifyRequest;
use keystile_auth::{
    Chain, Clock, Deciding, Recalled, Refused, Rejection, SystemClock, UsedUp, Verifier, Verify,
};
use keystile_domain::{Context, Credential, CredentialText, Decision, decide};
use tokio::task::JoinHandle;

use crate::follower::AbortOnDrop;
use crate::server::{Counted, Server, ServerError};
use crate::store::{RemoteStore, is_strange};
use crate::tokens::Tokens;
use crate::uses::{Uses, question};
use crate::{Builder, BuilderError};

/// Judges credentials with what a Keystile server knows of them: out of memory, for as long as the
/// server lets it.
///
/// It follows the server until it is dropped. Give it to a [`Guard`](keystile_auth::Guard), or ask
/// it by [`Verify`].
#[derive(Debug)]
pub struct RemoteVerifier {
    verifier: Arc<Verifier<RemoteStore, SystemClock>>,
    tokens: Tokens,
    server: Server,
    chain: Arc<ArcSwap<Chain>>,
    /// Where its checks are noted, since the server does not see them.
    uses: Uses,
    _tasks: [AbortOnDrop; 2],
}

impl RemoteVerifier {
    /// A verifier for the server at `url`, which it asks with `key`: an API key or token that holds
    /// `keystile.keys.verify`, as the role `verifier` does.
    ///
    /// # Errors
    ///
    /// [`BuilderError`] if the one is no URL or the other cannot be a key.
    pub fn builder(url: &str, key: &str) -> Result<Builder, BuilderError> {
        Builder::new(url, key)
    }

    /// Whether it may answer from memory at this moment. If not, it asks the server each time, and
    /// lets nobody in whom the server does not answer for: a service may want to tell this to
    /// whoever sends it requests.
    #[must_use]
    pub fn is_trusting(&self) -> bool {
        self.verifier.begin().is_trusting()
    }

    /// How its memory of keys and tokens does.
    #[must_use]
    pub fn recalled(&self) -> Recalled {
        self.verifier.recalled() + self.tokens.recalled()
    }

    pub(crate) fn new(
        verifier: Arc<Verifier<RemoteStore, SystemClock>>,
        tokens: Tokens,
        server: Server,
        chain: Arc<ArcSwap<Chain>>,
        uses: Uses,
        tasks: [JoinHandle<()>; 2],
    ) -> Self {
        Self { verifier, tokens, server, chain, uses, _tasks: tasks.map(AbortOnDrop) }
    }

    async fn identify(
        &self,
        deciding: &Deciding<'_>,
        text: &CredentialText,
    ) -> Result<Arc<Credential>, Rejection<ServerError>> {
        match text {
            CredentialText::Jwt(jwt) => self.tokens.identify(deciding, jwt).await,
            CredentialText::Secret(secret) => self.verifier.identify(deciding, secret).await,
        }
    }

    /// Has a use counted where all uses are. Every rule has passed here; the server asks them again,
    /// by what it knows.
    async fn count(&self, text: &CredentialText, context: &Context<'_>) -> Result<(), Refused> {
        let question = VerifyRequest { strict: true, ..question(text, context) };
        let mut counted = self.server.count(&question).await.map_err(unavailable)?;
        if let (Counted::Invalid { code }, CredentialText::Jwt(jwt)) = (&counted, text)
            && is_strange(code)
        {
            let credential = Some(jwt.expose().to_owned());
            let question = VerifyRequest { fingerprint: None, credential, ..question };
            counted = self.server.count(&question).await.map_err(unavailable)?;
        }
        match counted {
            Counted::Valid => Ok(()),
            Counted::Exceeded { code, retry_after } => {
                Err(Refused::exceeded(limit(&code), retry_after))
            }
            Counted::Invalid { code } => Err(Refused::Unknown(code.into())),
        }
    }
}

impl Verify for RemoteVerifier {
    async fn verify(
        &self,
        text: &CredentialText,
        context: &Context<'_>,
    ) -> Result<Decision, Refused> {
        // Held to the end: what is revoked meanwhile is settled once this has ended.
        let mut deciding = self.verifier.begin();
        let credential = match self.identify(&deciding, text).await {
            Err(Rejection::Outdated) => {
                // Something happened while the server was asked; what it says now is newer.
                deciding = self.verifier.begin();
                self.identify(&deciding, text).await?
            }
            identified => identified?,
        };
        let decision = decide(&credential, context, SystemClock.now());
        if let Decision::Allow(grant) = &decision {
            match grant.credential().limits.is_empty() {
                true => self.uses.note(text, context),
                false => self.count(text, context).await?,
            }
        }
        Ok(decision)
    }

    fn chain(&self) -> Arc<Chain> {
        self.chain.load_full()
    }
}

fn unavailable(error: ServerError) -> Refused {
    Refused::Unavailable(error.into())
}

fn limit(code: &str) -> UsedUp {
    if code == "quota_exceeded" { UsedUp::Quota } else { UsedUp::Rate }
}
