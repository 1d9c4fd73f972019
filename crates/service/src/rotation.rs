//! What becomes of the old secret of a rotated key or token: the steps that both have in common.
//! Who may take them is for each to say.

use keystile_domain::{Action, Expiry, OldSecret, Target, Timestamp};
use keystile_storage::{Conn, SecretOwner, StoreError};
use serde_json::Value;

use crate::change::Scope;
use crate::usage::OldSecretUse;
use crate::{Conflict, ServiceError};

/// How the rotation of a key or token stands.
#[derive(Clone, Debug)]
pub struct SecretRotation {
    /// The secret that it had before; it ends with the key or token at the latest.
    pub old: OldSecret,
    /// Who showed that one since, the latest first; of many the latest.
    pub uses: Vec<OldSecretUse>,
}

impl SecretRotation {
    /// How it stands for a key or token that ends at `expiry`; nothing if it was never rotated.
    pub(crate) async fn find(
        conn: &mut Conn,
        owner: SecretOwner,
        expiry: Expiry,
    ) -> Result<Option<Self>, StoreError> {
        let Some(old) = conn.find_old_secret(owner).await? else { return Ok(None) };
        let uses = conn.list_old_secret_uses(owner, old.since, MOST_CLIENTS).await?;
        Ok(Some(Self { old: old.within(expiry), uses }))
    }

    /// Adds uses that are not written yet: whoever ends an old secret because nobody shows it must
    /// not be told so too early.
    pub(crate) fn with(mut self, unwritten: Vec<OldSecretUse>) -> Self {
        for used in unwritten.into_iter().filter(|used| used.last_at >= self.old.since) {
            let client = |it: &OldSecretUse| (it.address, it.user_agent.clone());
            match self.uses.iter_mut().find(|known| client(known) == client(&used)) {
                Some(known) => {
                    known.checks = known.checks.saturating_add(used.checks);
                    known.last_at = known.last_at.max(used.last_at);
                }
                None => self.uses.push(used),
            }
        }
        self.uses.sort_by_key(|used| std::cmp::Reverse(used.last_at));
        self.uses.truncate(MOST_CLIENTS.into());
        self
    }
}

impl Scope {
    /// Lets the old secret of a key or token, one that still works, end at another moment. `state`
    /// is what the audit log says of the key or token, which itself stays as it is.
    pub(crate) async fn move_old_end(
        &mut self,
        (owner, expiry): (SecretOwner, Expiry),
        ends_at: Timestamp,
        (action, target, state): (Action, Target, Value),
    ) -> Result<SecretRotation, ServiceError> {
        let old = self.tx.find_old_secret(owner).await?;
        let old = old.filter(|old| old.ends_at > self.now).ok_or(Conflict::NoRotation)?;
        self.tx.update_old_secret_end(owner, ends_at).await?;
        let before = with_old_end(state.clone(), old.ends_at);
        let after = with_old_end(state, ends_at);
        self.record(action, target, (Some(before), Some(after)), None)?;
        let rotation = SecretRotation::find(&mut self.tx, owner, expiry).await?;
        Ok(rotation.ok_or(StoreError::NotFound)?)
    }
}

/// What the audit log says of a key or token whose old secret still counts.
pub(crate) fn with_old_end(mut state: Value, old_end: Timestamp) -> Value {
    if let Value::Object(members) = &mut state {
        members.insert("old_secret_expires_at".to_owned(), Value::from(old_end.to_string()));
    }
    state
}

/// How many clients are shown.
const MOST_CLIENTS: u8 = 100;
