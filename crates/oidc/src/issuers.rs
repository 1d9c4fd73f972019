//! All issuers that are configured.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keystile_domain::Authority;

use crate::{KeySource, Web};

/// The key sources of all configured authorities: what they remember outlives every change of
/// settings that leaves the authority configured.
///
/// Keys are found by the authority that was configured, and each authority has only its own.
#[derive(Debug)]
pub struct Issuers {
    web: Web,
    cool_down: Duration,
    sources: Mutex<BTreeMap<Authority, KeySource>>,
}

impl Issuers {
    /// No issuers yet, with a cool-down of 30 seconds for each.
    #[must_use]
    pub fn new(web: Web) -> Self {
        Self { web, cool_down: Duration::from_secs(30), sources: Mutex::default() }
    }

    /// The same with another cool-down for sources that are not made yet.
    #[must_use]
    pub fn with_cool_down(self, cool_down: Duration) -> Self {
        Self { cool_down, ..self }
    }

    /// The source of an authority, made if there is none. Nothing is fetched before it is asked.
    #[must_use]
    pub fn source(&self, authority: &Authority) -> KeySource {
        let mut sources = self.sources();
        if let Some(source) = sources.get(authority) {
            return source.clone();
        }
        let source = KeySource::new(authority.clone(), self.web.clone(), self.cool_down);
        sources.insert(authority.clone(), source.clone());
        source
    }

    /// Forgets the sources of authorities that are no longer configured.
    pub fn retain(&self, is_configured: impl Fn(&Authority) -> bool) {
        self.sources().retain(|authority, _| is_configured(authority));
    }

    fn sources(&self) -> MutexGuard<'_, BTreeMap<Authority, KeySource>> {
        // A map is whole between any two calls of its own, so a panic elsewhere does not matter.
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
