//! What a ticket is for and by what its maker was known, as it is sealed: never a secret that
//! somebody else takes.

use std::sync::Arc;

use keystile_auth::jwt::Claims;
use keystile_domain::{TicketTarget, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::access_tokens::{read_scope, scope_text};
use crate::token_proof::{Basis, ForeignToken, OwnToken, ProvenToken};

/// What a ticket is worth.
#[derive(Debug)]
pub(super) struct Contents {
    /// What it is for.
    pub(super) target: TicketTarget,
    /// Whom it stands for.
    pub(super) proof: ProvenToken,
}

#[derive(Serialize, Deserialize)]
struct Written {
    method: String,
    path: String,
    proof: Proof,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Proof {
    Foreign { provider: String, claims: Map<String, Value> },
    Own { issuer: String, id: String, basis: String, scopes: Option<String>, ends_at: i64 },
    Secret(String),
}

impl Contents {
    pub(super) fn to_bytes(&self) -> serde_json::Result<Zeroizing<Vec<u8>>> {
        let written = Written {
            method: self.target.method.as_str().to_owned(),
            path: self.target.path.as_str().to_owned(),
            proof: Proof::of(&self.proof),
        };
        serde_json::to_vec(&written).map(Zeroizing::new)
    }

    /// Reads what was written; nothing if it was not.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let written: Written = serde_json::from_slice(bytes).ok()?;
        let (method, path) = (written.method.parse().ok()?, written.path.parse().ok()?);
        Some(Self { target: TicketTarget { method, path }, proof: written.proof.read()? })
    }
}

impl Proof {
    fn of(proof: &ProvenToken) -> Self {
        match proof {
            ProvenToken::Foreign(token) => Self::Foreign {
                provider: token.provider.to_string(),
                claims: token.claims.all().clone(),
            },
            ProvenToken::Own(token) => Self::Own {
                issuer: token.issuer.clone(),
                id: token.id.clone(),
                basis: token.basis.to_text(),
                scopes: token.scopes.as_ref().map(scope_text),
                ends_at: token.ends_at.as_millis(),
            },
            ProvenToken::Secret(basis) => Self::Secret(basis.to_text()),
        }
    }

    fn read(self) -> Option<ProvenToken> {
        Some(match self {
            Self::Foreign { provider, claims } => ProvenToken::Foreign(Arc::new(ForeignToken {
                provider: provider.parse().ok()?,
                claims: Claims::try_from(claims).ok()?,
            })),
            Self::Own { issuer, id, basis, scopes, ends_at } => {
                let scopes = match scopes {
                    Some(text) => Some(read_scope(&text)?),
                    None => None,
                };
                ProvenToken::Own(Arc::new(OwnToken {
                    issuer,
                    id,
                    basis: Basis::from_text(&basis)?,
                    scopes,
                    ends_at: Timestamp::from_millis(ends_at),
                }))
            }
            Self::Secret(basis) => ProvenToken::Secret(Basis::from_text(&basis)?),
        })
    }
}
