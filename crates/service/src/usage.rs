//! How credentials are used: every check is counted, in memory first, and shown by hour or day.
//!
//! - `recorder` counts, on the way of every check
//! - `notes` tells it which rights the requests to Keystile itself needed
//! - `flush` writes what was counted, and forgets what is too old
//! - `written` saves it from writing the same all day
//! - `window` is the time that a question covers, in hours or days
//!
//! API keys and personal access tokens have a usage of their own, and a JWT that was traded for one
//! counts as that one. What stands on a session does not: it is over before anybody asks.

mod flush;
mod notes;
mod recorder;
mod user_agent;
mod window;
mod written;

use std::collections::BTreeMap;

use keystile_domain::{
    ApiKeyId, Context, Credential, Expiry, Power, PrincipalKind, Timestamp, TokenId,
};
use keystile_storage::{Conn, StoreError};
use uuid::Uuid;

pub use keystile_storage::{LastUse, OldSecretUse};
pub(crate) use notes::{NotedRights, Notes};
pub(crate) use recorder::Recorder;
pub use recorder::UsageBacklog;
pub use user_agent::UserAgent;
pub use window::{Step, UsageWindow, UsageWindowError};
use written::Written;

use crate::tokens::TokenOwner;
use crate::usage::recorder::Check;
use crate::verify::VALID;
use crate::{Caller, Keystile, ServiceError};

/// How a credential was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The credential.
    pub credential: Uuid,
    /// When it was let in last, and whom; `None`: never.
    pub last: Option<LastUse>,
    /// The hours or days with a check in them, in order.
    pub periods: Vec<UsagePeriod>,
}

/// The checks of one hour or day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsagePeriod {
    /// When it began.
    pub at: Timestamp,
    /// How many checks let the credential in.
    pub allowed: i64,
    /// How many did not, by the code of `/verify`.
    pub refused: BTreeMap<String, i64>,
}

impl Keystile {
    /// How a key was used. What was checked in the last seconds may be missing.
    ///
    /// # Errors
    ///
    /// [`ServiceError::NotFound`] if there is no such key; [`ServiceError::Lacking`] without
    /// `keystile.api_keys.read`.
    pub async fn find_api_key_usage(
        &self,
        caller: &Caller,
        id: ApiKeyId,
        window: &UsageWindow,
    ) -> Result<Usage, ServiceError> {
        caller.require(Power::ApiKeysRead)?;
        let mut conn = self.store.read().await?;
        conn.find_api_key(id).await?.ok_or(ServiceError::NotFound)?;
        Ok(usage(&mut conn, id.as_uuid(), window).await?)
    }

    /// How a token was used. What was checked in the last seconds may be missing.
    ///
    /// # Errors
    ///
    /// As for finding the token.
    pub async fn find_token_usage(
        &self,
        caller: &Caller,
        owner: TokenOwner,
        id: TokenId,
        window: &UsageWindow,
    ) -> Result<Usage, ServiceError> {
        self.find_token(caller, owner, id).await?;
        let mut conn = self.store.read().await?;
        Ok(usage(&mut conn, id.as_uuid(), window).await?)
    }

    /// The time that a question covers: `since` and `until` if they are given.
    ///
    /// # Errors
    ///
    /// [`UsageWindowError`] if it ends before it begins, or is longer than one answer covers.
    pub fn usage_window(
        &self,
        step: Step,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Result<UsageWindow, UsageWindowError> {
        UsageWindow::new(step, since, until, self.clock.now())
    }

    /// Counts a check of a credential whose checks are counted. `refusal` is the word for its no;
    /// without one it let the credential in.
    pub(crate) fn record(
        &self,
        credential: &Credential,
        context: &Context<'_>,
        now: Timestamp,
        refusal: Option<&'static str>,
        seen: Seen<'_>,
    ) {
        if !has_usage(credential) {
            return;
        }
        let (user_agent, is_own) = match seen {
            Seen::ByKeystile(user_agent) => (user_agent, true),
            Seen::Elsewhere(user_agent) => (user_agent, false),
        };
        let is_noted = is_noted(credential);
        self.usage.record(&Check {
            credential: credential.id,
            at: now,
            outcome: refusal.unwrap_or(VALID),
            is_use: refusal.is_none(),
            address: context.address,
            user_agent,
            by_old_secret: credential.secret_expiry != Expiry::Never,
            asked: (is_noted && !is_own).then_some((&credential.rights, context)),
        });
    }
}

/// Where a credential was shown, and what the client called itself there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Seen<'c> {
    /// In a request to Keystile itself, of which [`Notes`] tell later what it takes.
    ByKeystile(Option<&'c UserAgent>),
    /// In a request to somebody who asks Keystile about it.
    Elsewhere(Option<&'c UserAgent>),
}

/// Whether checks of the credential are counted. Whoever signed in, and a workload, come with a
/// session.
fn has_usage(credential: &Credential) -> bool {
    !credential.signed_in && credential.principal.kind != PrincipalKind::Workload
}

/// Whether it is noted which rights the credential needs: of API keys alone. What a token may is a
/// matter of its owner's roles.
fn is_noted(credential: &Credential) -> bool {
    credential.principal.kind == PrincipalKind::ApiKey
}

/// How one credential was used.
async fn usage(
    conn: &mut Conn,
    credential: Uuid,
    window: &UsageWindow,
) -> Result<Usage, StoreError> {
    let hours = conn.list_usage(credential, window.since(), window.until()).await?;
    let last = conn.find_last_uses(&[credential]).await?.pop();
    let mut periods: BTreeMap<Timestamp, UsagePeriod> = BTreeMap::new();
    for counted in hours {
        let at = window.step().start(counted.hour);
        let new = UsagePeriod { at, allowed: 0, refused: BTreeMap::new() };
        let period = periods.entry(at).or_insert(new);
        let sum = match counted.outcome.as_str() {
            VALID => &mut period.allowed,
            _ => period.refused.entry(counted.outcome).or_default(),
        };
        *sum = sum.saturating_add(counted.checks);
    }
    Ok(Usage { credential, last, periods: periods.into_values().collect() })
}

/// When each of some credentials was let in last; those that never were are left out.
pub(crate) async fn last_used_at(
    conn: &mut Conn,
    credentials: &[Uuid],
) -> Result<BTreeMap<Uuid, Timestamp>, StoreError> {
    let uses = conn.find_last_uses(credentials).await?;
    Ok(uses.into_iter().map(|last| (last.credential, last.at)).collect())
}
