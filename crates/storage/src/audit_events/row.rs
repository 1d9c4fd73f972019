//! An event as its table has it: apart from the queries, for it has two dozen columns.

use diesel::prelude::*;
use keystile_domain::{
    Actor, ChainHash, Event, EventDigests, EventDraft, Mark, MarkKey, Salted, SealedEvent, Seq,
    Target, Timestamp,
};
use serde_json::Value;

use crate::StoreError;
use crate::bulk::bulk;
use crate::columns::{PrincipalColumns, bytes, from_json, id_text, parse, parse_optional};
use crate::schema::events;

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = events, treat_none_as_default_value = false)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub(super) struct EventRow {
    seq: i64,
    id: String,
    at: i64,
    actor_kind: Option<String>,
    actor_id: Option<String>,
    actor_name: Option<String>,
    credential_id: Option<String>,
    action: String,
    target_kind: String,
    target_id: String,
    target_name: String,
    before: Option<String>,
    before_salt: Option<Vec<u8>>,
    before_digest: Option<Vec<u8>>,
    after: Option<String>,
    after_salt: Option<Vec<u8>>,
    after_digest: Option<Vec<u8>>,
    address: Option<String>,
    address_salt: Option<Vec<u8>>,
    address_digest: Option<Vec<u8>>,
    reason: Option<String>,
    request_id: Option<String>,
    previous_hash: Vec<u8>,
    hash: Vec<u8>,
}

bulk!(EventRow, events, {
    seq: seq,
    id: id,
    at: at,
    actor_kind: actor_kind,
    actor_id: actor_id,
    actor_name: actor_name,
    credential_id: credential_id,
    action: action,
    target_kind: target_kind,
    target_id: target_id,
    target_name: target_name,
    before: before,
    before_salt: before_salt,
    before_digest: before_digest,
    after: after,
    after_salt: after_salt,
    after_digest: after_digest,
    address: address,
    address_salt: address_salt,
    address_digest: address_digest,
    reason: reason,
    request_id: request_id,
    previous_hash: previous_hash,
    hash: hash,
});

impl EventRow {
    pub(super) fn new(sealed: &SealedEvent) -> Self {
        let Event { seq, id, at, draft } = &sealed.event;
        let (principal, credential) = match &draft.actor {
            Actor::Principal { principal, credential } => (Some(principal), Some(*credential)),
            Actor::System => (None, None),
        };
        let actor = PrincipalColumns::new(principal);
        let (before_salt, before_digest) = salted_columns(sealed.digests.before);
        let (after_salt, after_digest) = salted_columns(sealed.digests.after);
        let (address_salt, address_digest) = salted_columns(sealed.digests.address);
        Self {
            seq: seq.0,
            id: id.to_string(),
            at: at.as_millis(),
            actor_kind: actor.kind,
            actor_id: actor.id,
            actor_name: actor.name,
            credential_id: credential.map(id_text),
            action: draft.action.as_str().to_owned(),
            target_kind: draft.target.kind.as_str().to_owned(),
            target_id: draft.target.id.clone(),
            target_name: draft.target.name.clone(),
            before: draft.before.as_ref().map(Value::to_string),
            before_salt,
            before_digest,
            after: draft.after.as_ref().map(Value::to_string),
            after_salt,
            after_digest,
            address: draft.address.map(|address| address.to_string()),
            address_salt,
            address_digest,
            reason: draft.reason.as_ref().map(|reason| reason.as_str().to_owned()),
            request_id: draft.request_id.as_ref().map(|id| id.as_str().to_owned()),
            previous_hash: sealed.previous.as_bytes().to_vec(),
            hash: sealed.hash.as_bytes().to_vec(),
        }
    }

    pub(super) fn read(&self) -> Result<SealedEvent, StoreError> {
        let draft = EventDraft {
            actor: self.read_actor()?,
            action: parse(&self.action, "events.action")?,
            target: Target {
                kind: parse(&self.target_kind, "events.target_kind")?,
                id: self.target_id.clone(),
                name: self.target_name.clone(),
            },
            before: read_json(self.before.as_deref(), "events.before")?,
            after: read_json(self.after.as_deref(), "events.after")?,
            reason: parse_optional(self.reason.as_deref(), "events.reason")?,
            address: parse_optional(self.address.as_deref(), "events.address")?,
            request_id: parse_optional(self.request_id.as_deref(), "events.request_id")?,
        };
        let event = Event {
            seq: Seq(self.seq),
            id: parse(&self.id, "events.id")?,
            at: Timestamp::from_millis(self.at),
            draft,
        };
        let digests = EventDigests {
            before: read_salted(&self.before_salt, &self.before_digest, "events.before_digest")?,
            after: read_salted(&self.after_salt, &self.after_digest, "events.after_digest")?,
            address: read_salted(
                &self.address_salt,
                &self.address_digest,
                "events.address_digest",
            )?,
        };
        let previous = ChainHash::from_bytes(bytes(&self.previous_hash, "events.previous_hash")?);
        let hash = ChainHash::from_bytes(bytes(&self.hash, "events.hash")?);
        Ok(SealedEvent { event, digests, previous, hash })
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { key: MarkKey::Number(self.seq), id: self.id.clone() }
    }

    fn read_actor(&self) -> Result<Actor, StoreError> {
        let actor = PrincipalColumns {
            kind: self.actor_kind.clone(),
            id: self.actor_id.clone(),
            name: self.actor_name.clone(),
        };
        match (actor.read("events.actor")?, self.credential_id.as_deref()) {
            (None, None) => Ok(Actor::System),
            (Some(principal), Some(credential)) => {
                let credential = parse(credential, "events.credential_id")?;
                Ok(Actor::Principal { principal, credential })
            }
            _ => Err(StoreError::Corrupt("events.actor")),
        }
    }
}

fn salted_columns(salted: Option<Salted>) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
    let parts = salted.map(|salted| salted.to_parts());
    let salt = parts.and_then(|(salt, _)| salt);
    (salt.map(|salt| salt.to_vec()), parts.map(|(_, digest)| digest.to_vec()))
}

fn read_salted(
    salt: &Option<Vec<u8>>,
    digest: &Option<Vec<u8>>,
    place: &'static str,
) -> Result<Option<Salted>, StoreError> {
    let Some(digest) = digest else { return Ok(None) };
    let salt = salt.as_deref().map(|salt| bytes(salt, place)).transpose()?;
    Ok(Some(Salted::from_parts(salt, bytes(digest, place)?)))
}

fn read_json(text: Option<&str>, place: &'static str) -> Result<Option<Value>, StoreError> {
    text.map(|text| from_json(text, place)).transpose()
}
