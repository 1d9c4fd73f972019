//! Making a new pepper.

use std::time::Duration;

use keystile_auth::Clock;
use keystile_domain::{Action, Target, Timestamp};
use keystile_storage::{Store, StoredPepper};
use serde_json::json;
use zeroize::Zeroizing;

use super::label;
use crate::change::Scope;
use crate::keys::Keys;
use crate::{MasterKey, ServiceError, random};

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it was done, or it was not")]
pub enum Rotated {
    /// There is a new pepper.
    Done,
    /// Nothing was done, nor will be before this moment: the present pepper is so new that access
    /// tokens still hang on the one before it.
    Not(Timestamp),
}

/// Makes a new pepper for everything that is stored from now on, whether or not nodes run. What
/// stands under the old one works as before, and moves as it is shown. No two are made within an
/// hour.
///
/// # Errors
///
/// [`ServiceError::Store`] if the store cannot keep it.
pub async fn rotate(
    store: &Store,
    master: &MasterKey,
    clock: &dyn Clock,
) -> Result<Rotated, ServiceError> {
    let mut scope = Scope::begin(store, Keys::read(store, master).await?, clock).await?;
    let (now, stored) = (scope.now, scope.tx.list_peppers().await?);
    // The first rotation stores two, and the older of them was there all the time.
    if let [_, .., present] = &stored[..]
        && now < present.created_at.after(APART)
    {
        scope.tx.rollback().await?;
        return Ok(Rotated::Not(present.created_at.after(APART)));
    }
    if stored.is_empty() {
        let first = Zeroizing::clone(&scope.keys.peppers.first);
        let number = scope.tx.pepper();
        keep(&mut scope, number, &first).await?;
    }
    let number = scope.tx.pepper() + 1;
    keep(&mut scope, number, &Zeroizing::new(random::bytes()?)).await?;
    let state = Some(json!({"pepper": number}));
    scope.record(Action::PepperRotated, Target::system(), (None, state), None)?;
    scope.commit().await?;
    Ok(Rotated::Done)
}

async fn keep(scope: &mut Scope, number: i32, pepper: &[u8; 32]) -> Result<(), ServiceError> {
    let sealed = scope.keys.seal(&label(number), pepper)?;
    let pepper = StoredPepper { number, sealed, created_at: scope.now };
    Ok(scope.tx.insert_pepper(&pepper).await?)
}

/// An access token knows its secret by what it stands under now and stood under before: longer than
/// one lives, nothing may move twice.
const APART: Duration = Duration::from_secs(60 * 60);
