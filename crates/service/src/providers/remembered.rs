//! What a node remembers of the providers, so that a request is judged without asking for them: how
//! secrets look, and where in a request they may stand.
//!
//! The node that changes a provider remembers the change before it answers; the others are told by the
//! feed.

use std::sync::Arc;

use arc_swap::ArcSwap;
use keystile_auth::{Chain, Place};
use keystile_domain::{Authority, Formats, Provider, ProviderSettings, SecretFormat};
use keystile_storage::{Conn, StoreError};
use tokio::sync::Mutex;

use crate::{Keystile, ServiceError, first_start};

/// What a node remembers of the providers.
pub(crate) struct Remembered {
    chain: ArcSwap<Chain>,
    /// Held while they are read, so that what was read first never takes the place of what was read
    /// later.
    reading: Mutex<()>,
}

impl Default for Remembered {
    fn default() -> Self {
        Self { chain: ArcSwap::from_pointee(Chain::default()), reading: Mutex::new(()) }
    }
}

impl Keystile {
    /// Where the credential of a request may stand, by the providers as they are now.
    #[must_use]
    pub fn chain(&self) -> Arc<Chain> {
        self.providers.chain.load_full()
    }

    /// Reads the providers anew.
    pub(crate) async fn learn_providers(&self) -> Result<(), ServiceError> {
        let _reading = self.providers.reading.lock().await;
        let mut conn = self.store.read().await?;
        self.verifier.replace_formats(formats(&mut conn).await?);
        let providers = conn.list_providers().await?;
        self.providers.chain.store(Arc::new(chain(&providers)));
        let configured = |authority: &Authority| {
            providers.iter().any(|provider| authority_of(provider) == Some(authority))
        };
        self.issuers.retain(configured);
        Ok(())
    }

    /// Reads anew how secrets may look.
    pub(crate) async fn learn_formats(&self) -> Result<(), StoreError> {
        let _reading = self.providers.reading.lock().await;
        let formats = formats(&mut self.store.read().await?).await?;
        self.verifier.replace_formats(formats);
        Ok(())
    }

    /// Learns that keys of any format are waited for, once one was imported.
    pub(crate) async fn learn_free_formats(&self) -> Result<(), ServiceError> {
        if self.verifier.formats().has_any() {
            return Ok(());
        }
        let free = self.store.read().await?.find_meta(first_start::FREE_FORMATS).await?;
        if free.is_some() { self.learn_providers().await } else { Ok(()) }
    }
}

/// How the secrets of live keys may look, and tickets, so that none of them is seen in a log.
pub(crate) async fn formats(conn: &mut Conn) -> Result<Formats, StoreError> {
    let mut known = conn.list_formats().await?;
    known.push(SecretFormat::of_tickets());
    let formats = Formats::new(known);
    let free = conn.find_meta(first_start::FREE_FORMATS).await?.is_some();
    Ok(if free { formats.and_any() } else { formats })
}

/// Headers, then the bearer token, then query parameters, then tickets. A provider that is switched
/// off is looked for all the same: its keys are refused, not overlooked.
pub(crate) fn chain(providers: &[Provider]) -> Chain {
    let keys = || {
        providers.iter().filter_map(|provider| match &provider.settings {
            ProviderSettings::Keys(keys) => Some(keys),
            _ => None,
        })
    };
    let headers = keys().map(|keys| Place::from(keys.header_name.clone()));
    let parameters = keys()
        .filter(|keys| keys.allow_query_string)
        .map(|keys| Place::from(keys.query_parameter_name.clone()));
    Chain::new(headers.chain([Place::BEARER]).chain(parameters).chain([Place::TICKET]))
}

fn authority_of(provider: &Provider) -> Option<&Authority> {
    match &provider.settings {
        ProviderSettings::Oidc(settings) => Some(&settings.authority),
        _ => None,
    }
}
