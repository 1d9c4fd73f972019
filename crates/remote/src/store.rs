//! The server as a store of credentials: asked by fingerprint, unless only the text itself will do.

use keystile_api::lookups::{Lookup, LookupRequest};
use keystile_domain::{
    Answer, CredentialStore, CredentialText, Fingerprint, Found, Jwt, Secret, Seq,
};

use crate::facts::{credential, tombstone};
use crate::server::{Server, ServerError};

/// What a server knows.
#[derive(Debug)]
pub(crate) struct RemoteStore {
    server: Server,
}

/// What a server says of a credential.
pub(crate) struct Known {
    pub(crate) answer: Answer,
    /// What the feed calls a JWT that can be revoked by itself.
    pub(crate) token_id: Option<String>,
}

impl RemoteStore {
    pub(crate) fn new(server: Server) -> Self {
        Self { server }
    }
}

impl CredentialStore for RemoteStore {
    type Error = ServerError;

    async fn find(&self, secret: &Secret) -> Result<Answer, ServerError> {
        let mut lookup = self.server.look_up(&by_fingerprint(&secret.fingerprint())).await?;
        if lookup.code == SECRET_REQUIRED {
            lookup = self.server.look_up(&by_itself(secret.expose())).await?;
        }
        Ok(read(lookup)?.answer)
    }
}

impl Server {
    /// What is known of a JWT: by its fingerprint, if this server has verified it before.
    pub(crate) async fn find_jwt(&self, jwt: &Jwt) -> Result<Known, ServerError> {
        let mut lookup = self.look_up(&by_fingerprint(&jwt.fingerprint())).await?;
        if is_strange(&lookup.code) {
            lookup = self.look_up(&by_itself(jwt.expose())).await?;
        }
        read(lookup)
    }
}

/// What a credential is asked about by once the server has seen it.
pub(crate) fn fingerprint(text: &CredentialText) -> LookupRequest {
    match text {
        CredentialText::Secret(secret) => by_fingerprint(&secret.fingerprint()),
        CredentialText::Jwt(jwt) => by_fingerprint(&jwt.fingerprint()),
    }
}

/// Whether a server that answers so has not seen the JWT, or no longer knows it.
pub(crate) fn is_strange(code: &str) -> bool {
    matches!(code, "not_found" | SECRET_REQUIRED)
}

fn by_fingerprint(fingerprint: &Fingerprint) -> LookupRequest {
    let digits = fingerprint.as_bytes().iter().map(|byte| format!("{byte:02x}"));
    LookupRequest { fingerprint: Some(digits.collect()), credential: None }
}

fn by_itself(text: &str) -> LookupRequest {
    LookupRequest { fingerprint: None, credential: Some(text.to_owned()) }
}

fn read(lookup: Lookup<'_>) -> Result<Known, ServerError> {
    let mut token_id = None;
    let found = match (lookup.code.as_str(), lookup.facts, lookup.deleted) {
        ("found", Some(facts), _) => {
            token_id.clone_from(&facts.token_id);
            Some(Found::Credential(credential(facts)?.into()))
        }
        ("deleted", _, Some(deleted)) => {
            Some(Found::Tombstone(tombstone(deleted, lookup.position)?.into()))
        }
        ("expired" | "malformed" | "not_found", ..) => None,
        _ => return Err(ServerError::Unreadable("it has an unknown code")),
    };
    Ok(Known { answer: Answer { found, holds_at: Some(Seq(lookup.position)) }, token_id })
}

const SECRET_REQUIRED: &str = "secret_required";
