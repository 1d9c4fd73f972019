//! Telling the server which credentials are used: it cannot know of checks out of memory, and a key
//! that it takes for unused might be deleted.
//!
//! Each credential is told once a minute, in batches, beside the checks: the numbers of the server
//! count minutes, the last use is right. Nothing waits for it, and what finds no room is told a
//! minute later.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use keystile_api::verify::{Permissions, VerifyBatch, VerifyRequest};
use keystile_auth::{Clock, SystemClock};
use keystile_domain::{Context, CredentialText};
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::server::{Server, ServerError};
use crate::store::fingerprint;

/// Uses to be told.
#[derive(Debug)]
pub(crate) struct Uses {
    /// When each credential was told last, by its fingerprint.
    told: Mutex<HashMap<[u8; 32], Duration>>,
    batch: mpsc::Sender<VerifyRequest>,
}

impl Uses {
    /// Where uses are noted, and from where they are to be told.
    pub(crate) fn new() -> (Self, mpsc::Receiver<VerifyRequest>) {
        let (batch, uses) = mpsc::channel(BATCH);
        (Self { told: Mutex::default(), batch }, uses)
    }

    /// Notes that a credential was let in.
    pub(crate) fn note(&self, text: &CredentialText, context: &Context<'_>) {
        let CredentialText::Secret(secret) = text else { return };
        // Whoever finds it locked leaves it to the next one.
        let Ok(mut told) = self.told.try_lock() else { return };
        let (key, now) = (*secret.fingerprint().as_bytes(), SystemClock.elapsed());
        if told.get(&key).is_some_and(|last| now.saturating_sub(*last) < OFTEN) {
            return;
        }
        if told.len() >= MOST {
            told.retain(|_, last| now.saturating_sub(*last) < OFTEN);
        }
        if told.len() < MOST && self.batch.try_send(question(text, context)).is_ok() {
            told.insert(key, now);
        }
    }
}

/// Tells the server, for as long as anybody notes uses. While it does not answer, the first of them
/// are kept until it does.
pub(crate) async fn tell(server: Server, mut uses: mpsc::Receiver<VerifyRequest>) {
    let mut batch = VerifyBatch { checks: Vec::new() };
    loop {
        let is_new = batch.checks.is_empty();
        if is_new && uses.recv_many(&mut batch.checks, BATCH).await == 0 {
            return;
        }
        if !is_new || batch.checks.len() < BATCH {
            sleep(GATHER).await;
        }
        while batch.checks.len() < BATCH
            && let Ok(more) = uses.try_recv()
        {
            batch.checks.push(more);
        }
        match server.count_all(&batch).await {
            Err(error @ ServerError::Unreachable(_)) if !uses.is_closed() => {
                tracing::debug!(%error, "the server is told of uses later");
                continue;
            }
            Err(error) => tracing::debug!(%error, "the server was not told of uses"),
            Ok(_) => {}
        }
        batch.checks.clear();
    }
}

/// What the server is asked to have it count a use.
pub(crate) fn question(text: &CredentialText, context: &Context<'_>) -> VerifyRequest {
    let named = fingerprint(text);
    let permission = context.permission.map(ToString::to_string).filter(|text| !text.is_empty());
    VerifyRequest {
        credential: named.credential,
        fingerprint: named.fingerprint,
        permissions: permission.map(Permissions::Expression),
        source: context.source.map(|source| source.carrier.to_string()),
        transport: context.transport.map(|transport| transport.to_string()),
        ip: context.address.map(|address| address.to_string()),
        ..VerifyRequest::default()
    }
}

/// How often one credential is told.
const OFTEN: Duration = Duration::from_secs(60);
/// How long uses are gathered.
const GATHER: Duration = Duration::from_secs(2);
/// How many are told at once, and how many wait.
const BATCH: usize = 1_000;
/// How many credentials are told in a minute.
const MOST: usize = 100_000;

#[cfg(test)]
mod tests {
    use keystile_domain::Secret;

    use super::*;

    fn text(text: &str) -> CredentialText {
        CredentialText::Secret(Secret::parse(text).unwrap())
    }

    #[test]
    fn a_credential_is_told_once_in_a_while_and_not_by_its_secret() {
        let (uses, mut told) = Uses::new();
        for key in ["one", "one", "other", "one"] {
            uses.note(&text(key), &Context::default());
        }
        let told: Vec<_> = std::iter::from_fn(|| told.try_recv().ok()).collect();
        assert_eq!(told.len(), 2);
        assert!(told.iter().all(|it| it.credential.is_none() && it.fingerprint.is_some()));
    }

    #[test]
    fn what_finds_no_room_is_told_later() {
        let (uses, mut told) = Uses::new();
        for key in 0..=BATCH {
            uses.note(&text(&format!("key-{key}")), &Context::default());
        }
        let last = text(&format!("key-{BATCH}"));
        assert!(told.try_recv().is_ok());
        uses.note(&last, &Context::default());
        assert_eq!(std::iter::from_fn(|| told.try_recv().ok()).count(), BATCH);
    }
}
