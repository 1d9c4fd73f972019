//! JWTs: what the server says of one is remembered, as it is of keys.
//!
//! Only the server can verify one, so it must be shown the token itself. It remembers what it has
//! verified: from then on it is asked by the fingerprint.

use std::sync::Arc;

use keystile_auth::{Deciding, Recall, Recalled, Rejection, Remember, Told, Trust, Unread};
use keystile_domain::{Credential, Found, Jwt, Subject};

use crate::server::{Server, ServerError};
use crate::store::Known;

/// What is known of JWTs.
#[derive(Debug)]
pub(crate) struct Tokens {
    server: Server,
    trust: Arc<Trust>,
    memory: Recall<Token, Unfound>,
}

/// What a JWT stands for.
#[derive(Clone, Debug)]
struct Token {
    found: Found,
    /// What the feed calls the token itself, if it can be revoked by itself.
    id: Option<String>,
}

/// Why nothing is known. Whoever asked at the same time is told the same, and nobody later: whose a
/// token is may be known in a moment.
#[derive(Clone, Debug)]
enum Unfound {
    Failed(Arc<ServerError>),
    Unknown,
}

impl Tokens {
    pub(crate) fn new(server: Server, trust: Arc<Trust>, bytes: usize) -> Self {
        Self { server, trust, memory: Recall::new(bytes) }
    }

    pub(crate) fn recalled(&self) -> Recalled {
        self.memory.recalled()
    }

    /// The credential that a JWT stands for, in whatever state.
    pub(crate) async fn identify(
        &self,
        deciding: &Deciding<'_>,
        jwt: &Jwt,
    ) -> Result<Arc<Credential>, Rejection<ServerError>> {
        let ask = || {
            let (server, jwt) = (self.server.clone(), jwt.clone());
            async move { ask(&server, &jwt).await }
        };
        match self.memory.find(&self.trust, deciding, &jwt.fingerprint(), ask).await {
            Ok(Some(Token { found: Found::Credential(credential), .. })) => Ok(credential),
            Ok(Some(Token { found: Found::Tombstone(dead), .. })) => Err(Rejection::Deleted(dead)),
            Ok(None) | Err(Unread::Failed(Unfound::Unknown)) => Err(Rejection::NotFound),
            Err(Unread::Behind) => Err(Rejection::Outdated),
            Err(Unread::Failed(Unfound::Failed(error))) => Err(Rejection::Store(error)),
        }
    }
}

impl Remember for Token {
    fn subjects(&self) -> Vec<Subject> {
        let own = self.id.iter().map(|id| Subject::named(id));
        own.chain(self.found.subjects()).collect()
    }

    fn bytes(&self) -> usize {
        self.found.bytes() + self.id.as_ref().map_or(0, String::len)
    }
}

async fn ask(server: &Server, jwt: &Jwt) -> Result<Told<Token>, Unfound> {
    let known = server.find_jwt(jwt).await.map_err(|error| Unfound::Failed(error.into()))?;
    let Known { answer, token_id: id } = known;
    let found = answer.found.ok_or(Unfound::Unknown)?;
    Ok(Told { value: Some(Token { found, id }), holds_at: answer.holds_at })
}
