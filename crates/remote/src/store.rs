//! The server as a store of credentials: asked by fingerprint, unless only the secret will do.

use keystile_api::lookups::{Lookup, LookupRequest};
use keystile_domain::{Answer, CredentialStore, CredentialText, Found, Jwt, Secret, Seq};

use crate::facts::{credential, tombstone};
use crate::server::{Server, ServerError};

/// What a server knows.
#[derive(Debug)]
pub(crate) struct RemoteStore {
    server: Server,
}

impl RemoteStore {
    pub(crate) fn new(server: Server) -> Self {
        Self { server }
    }
}

impl CredentialStore for RemoteStore {
    type Error = ServerError;

    async fn find(&self, secret: &Secret) -> Result<Answer, ServerError> {
        let mut lookup = self.server.look_up(&by_fingerprint(secret)).await?;
        if lookup.code == SECRET_REQUIRED {
            lookup = self.server.look_up(&by_itself(secret.expose())).await?;
        }
        read(lookup)
    }
}

impl Server {
    /// What is known of a JWT, which only the server can verify.
    pub(crate) async fn find_jwt(&self, jwt: &Jwt) -> Result<Option<Found>, ServerError> {
        let lookup = self.look_up(&by_itself(jwt.expose())).await?;
        Ok(read(lookup)?.found)
    }
}

/// What a credential is asked about by where it has to be named again.
pub(crate) fn fingerprint(text: &CredentialText) -> LookupRequest {
    match text {
        CredentialText::Secret(secret) => by_fingerprint(secret),
        CredentialText::Jwt(jwt) => by_itself(jwt.expose()),
    }
}

fn by_fingerprint(secret: &Secret) -> LookupRequest {
    let bytes = secret.fingerprint();
    let digits = bytes.as_bytes().iter().map(|byte| format!("{byte:02x}"));
    LookupRequest { fingerprint: Some(digits.collect()), credential: None }
}

fn by_itself(text: &str) -> LookupRequest {
    LookupRequest { fingerprint: None, credential: Some(text.to_owned()) }
}

fn read(lookup: Lookup) -> Result<Answer, ServerError> {
    let found = match (lookup.code.as_str(), lookup.facts, lookup.deleted) {
        ("found", Some(facts), _) => Some(Found::Credential(credential(facts)?.into())),
        ("deleted", _, Some(deleted)) => {
            Some(Found::Tombstone(tombstone(deleted, lookup.position)?.into()))
        }
        ("expired" | "malformed" | "not_found", ..) => None,
        _ => return Err(ServerError::Unreadable("it has an unknown code")),
    };
    Ok(Answer { found, holds_at: Some(Seq(lookup.position)) })
}

const SECRET_REQUIRED: &str = "secret_required";
