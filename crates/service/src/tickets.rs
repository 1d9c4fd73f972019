//! Tickets: URLs that let one request in as whoever made them, for clients that cannot set a
//! header.
//!
//! A ticket has no rights of its own. It keeps by what its maker was known, in `contents`, and
//! stands for that credential as it is when the ticket is used: what was revoked, switched off or
//! narrowed meanwhile is so for the ticket too. But here it only reads: whoever sees the URL could
//! choose the body of a change.

mod contents;

use std::sync::Arc;

use keystile_auth::Rejection;
use keystile_domain::{
    Credential, CredentialText, Digest, Endpoint, Expiry, Fingerprint, Formats, Malformed, Secret,
    SecretFormat, TicketLifetime, TicketPath, TicketTarget, Timestamp,
};
use keystile_storage::{StoreError, StoredTicket};

use self::contents::Contents;
use crate::identify::outage;
use crate::token_proof::ProvenToken;
use crate::{Caller, Keystile, ServiceError, Unidentified, random};

/// A ticket that somebody asks for.
#[derive(Clone, Debug)]
pub struct TicketDraft {
    /// What it is for.
    pub target: TicketTarget,
    /// How long it can be used at most.
    pub lifetime: TicketLifetime,
}

/// A ticket, ready to be handed over.
#[derive(Debug)]
pub struct IssuedTicket {
    /// The ticket itself; nothing in a dry run.
    pub secret: Option<Secret>,
    /// The path that it is for.
    pub path: TicketPath,
    /// When it ends.
    pub ends_at: Timestamp,
}

impl Keystile {
    /// Makes a ticket that lets one request in as the caller, and never outlives the credential
    /// that the caller showed. No event tells of it: it gives nobody more than they have.
    ///
    /// # Errors
    ///
    /// [`ServiceError::TicketOnlyReads`] if the caller came with a ticket.
    pub async fn issue_ticket(
        &self,
        caller: &Caller,
        draft: TicketDraft,
        dry_run: bool,
    ) -> Result<IssuedTicket, ServiceError> {
        let mut conn = self.store.read().await?;
        let proof = caller.proof(&mut conn, &self.keys).await?;
        let proof = proof.ok_or(ServiceError::TicketOnlyReads)?;
        drop(conn);
        let latest = self.clock.now().after(draft.lifetime.duration());
        let ends_at = caller.credential().end().at().map_or(latest, |end| end.min(latest));
        let path = draft.target.path.clone();
        if dry_run {
            return Ok(IssuedTicket { secret: None, path, ends_at });
        }
        let secret = SecretFormat::of_tickets().generate(&mut random::generator())?;
        let digest = self.keys.digest(&secret.fingerprint());
        let contents = Contents { target: draft.target, proof };
        let sealed = self.keys.seal(&label(&digest, ends_at), &contents.to_bytes()?)?;
        let mut books = self.store.books().await?;
        books.insert_ticket(&digest, &StoredTicket { sealed, ends_at }).await?;
        books.commit().await?;
        Ok(IssuedTicket { secret: Some(secret), path, ends_at })
    }

    /// Finds the credential that a ticket stands for, in whatever state, and takes the ticket away.
    ///
    /// It stays for as long as it is shown with other requests than the one that it is for:
    /// browsers ask with `OPTIONS` first. What nobody issued ends without a write, and what looks
    /// like no ticket without a look-up.
    pub(crate) async fn redeem(
        &self,
        text: &CredentialText,
        asked: Option<&Endpoint>,
    ) -> Result<(Arc<Credential>, ProvenToken), Unidentified> {
        let CredentialText::Secret(secret) = text else {
            return Err(Rejection::Malformed(Malformed::Shape));
        };
        let formats = Formats::new(vec![SecretFormat::of_tickets()]);
        formats.recognise(secret).map_err(Rejection::Malformed)?;
        let found = self.find_ticket(&secret.fingerprint()).await.map_err(outage)?;
        let Some((digest, contents, ends_at)) = found else { return Err(Rejection::NotFound) };
        let is_for_this = asked.is_some_and(|asked| contents.target.is(asked));
        let is_over = Expiry::At(ends_at).is_over(self.clock.now());
        if !is_for_this || is_over || !self.take_ticket(&digest).await.map_err(outage)? {
            return Err(Rejection::NotFound);
        }
        Ok((self.resolve(&contents.proof).await?, contents.proof))
    }

    async fn find_ticket(
        &self,
        fingerprint: &Fingerprint,
    ) -> Result<Option<(Digest, Contents, Timestamp)>, StoreError> {
        let mut conn = self.store.read().await?;
        for digest in self.keys.digests(&mut conn, fingerprint).await? {
            if let Some(StoredTicket { sealed, ends_at }) = conn.find_ticket(&digest).await? {
                let contents = self.keys.open(&label(&digest, ends_at), &sealed);
                let contents = contents.and_then(|bytes| Contents::from_bytes(&bytes));
                let contents = contents.ok_or(StoreError::Corrupt("tickets.sealed"))?;
                return Ok(Some((digest, contents, ends_at)));
            }
        }
        Ok(None)
    }

    async fn take_ticket(&self, digest: &Digest) -> Result<bool, StoreError> {
        let mut books = self.store.books().await?;
        let is_taken = books.take_ticket(digest).await?;
        books.commit().await?;
        Ok(is_taken)
    }
}

/// Binds the contents to their row: neither another ticket nor another end opens them.
fn label(digest: &Digest, ends_at: Timestamp) -> String {
    format!("ticket {} {}", digest.tag(), ends_at.as_millis())
}
