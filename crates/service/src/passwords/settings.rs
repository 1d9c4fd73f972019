//! Which rules hold for passwords: those of the provider that people sign in by.

use keystile_domain::{PasswordSettings, Provider, ProviderSettings};
use keystile_storage::{Conn, StoreError};

use super::{HashError, Password, PasswordRules};
use crate::{Keystile, ServiceError};

impl Keystile {
    /// The hash of a new password, if the rules find it strong enough. `names` is what others know
    /// about its user.
    ///
    /// It is slow, so no change waits for it: hash first, then change.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Broken`] with `pointer` says in which way it is too weak;
    /// [`ServiceError::Hash`] if it could not be hashed.
    pub(crate) async fn hash_new_password(
        &self,
        password: &Password,
        names: &[&str],
        pointer: &str,
    ) -> Result<String, ServiceError> {
        let provider = find_provider(&mut self.store.read().await?).await?;
        let settings = provider.map(|(_, settings)| settings).unwrap_or_default();
        let rules = PasswordRules::new(settings.min_length).unwrap_or_default();
        let context = [names, &[self.issuer.as_str()]].concat();
        match self.hasher.hash_new(password, rules, &context, settings.cost).await {
            Err(HashError::Weak(weak)) => Err(ServiceError::broken(pointer, weak)),
            hashed => Ok(hashed?),
        }
    }
}

/// The provider that a name with a password is judged by: of those that are switched on, the first
/// in order of priority; if none is, the first of all.
pub(crate) async fn find_provider(
    conn: &mut Conn,
) -> Result<Option<(Provider, PasswordSettings)>, StoreError> {
    let providers = conn.list_providers().await?;
    let of_passwords = providers.into_iter().filter_map(|provider| match &provider.settings {
        ProviderSettings::Password(settings) => Some((provider.clone(), settings.clone())),
        _ => None,
    });
    Ok(of_passwords.min_by_key(|(provider, _)| !provider.enabled))
}
