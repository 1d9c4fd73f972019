//! Who may do everything: a question about keys, users and providers together, asked so that the
//! last of them stays.

use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::{ApiKeyId, ProviderId, ProviderKind, Timestamp, UserId};

use crate::conn::on_conn;
use crate::schema::{api_key_roles, api_keys, providers, user_roles, users};
use crate::{Conn, StoreError};

/// What a count of administrators leaves out, as if it were gone already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Except<'a> {
    /// These keys.
    pub api_keys: &'a [ApiKeyId],
    /// These users.
    pub users: &'a [UserId],
    /// This provider, and with it everybody who comes by it.
    pub provider: Option<ProviderId>,
}

impl Conn {
    /// Counts the live keys that alone may do everything, and the people who can sign in with a
    /// password and then may.
    ///
    /// A key is live if it is switched on and has not ended, and its provider is switched on. A
    /// person can sign in if they are switched on and have a password, and some provider of
    /// passwords is switched on. Whoever has only tokens, or signs in elsewhere, is not counted:
    /// they are locked out as soon as the token ends or the other place is out of reach.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn count_administrators(
        &mut self,
        now: Timestamp,
        except: &Except<'_>,
    ) -> Result<i64, StoreError> {
        let roles = self.unlimited_roles().await?;
        let open = providers::enabled
            .and(providers::id.ne_all(except.provider.iter().map(ToString::to_string)));
        let holders = api_key_roles::table
            .filter(api_key_roles::role_id.eq_any(&roles))
            .select(api_key_roles::key_id);
        let keys = api_keys::table
            .inner_join(providers::table.on(providers::id.eq(api_keys::provider_id)))
            .filter(api_keys::enabled.and(open.clone()))
            .filter(api_keys::expires_at.gt(now.as_millis()))
            .filter(api_keys::id.eq_any(holders))
            .filter(api_keys::id.ne_all(except.api_keys.iter().map(ToString::to_string)))
            .count();
        let holders = user_roles::table
            .filter(user_roles::role_id.eq_any(&roles))
            .select(user_roles::user_id);
        let sign_in = providers::table
            .filter(providers::kind.eq(ProviderKind::Password.as_str()))
            .filter(open);
        let people = users::table
            .filter(users::enabled.and(not(users::is_service_account)))
            .filter(users::password_hash.is_not_null())
            .filter(users::id.eq_any(holders))
            .filter(users::id.ne_all(except.users.iter().map(ToString::to_string)))
            .filter(exists(sign_in))
            .count();
        let (keys, people): (i64, i64) =
            on_conn!(self, |link| (keys.get_result(link).await?, people.get_result(link).await?));
        Ok(keys + people)
    }
}
