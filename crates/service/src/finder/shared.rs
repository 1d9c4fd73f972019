//! What many credentials have in common: providers, roles and the rights that those give. One copy
//! of each keeps what a remembered key takes small.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use keystile_domain::{Credential, Found, Provider, ProviderId, Rights, Role, RoleId};

/// The copies, as the last credential that has them was read.
#[derive(Debug, Default)]
pub(super) struct Shared {
    providers: Mutex<HashMap<ProviderId, Arc<Provider>>>,
    roles: Mutex<HashMap<Vec<RoleId>, Held>>,
}

/// The roles of a credential and what they allow.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    roles: Arc<[Role]>,
    rights: Arc<Rights>,
}

impl Shared {
    /// Puts what others have as well in the place of what was just read, where it is the same.
    pub(super) fn share(&self, found: &mut Found) {
        if let Found::Credential(credential) = found
            && let Some(credential) = Arc::get_mut(credential)
        {
            self.share_in(credential);
        }
    }

    fn share_in(&self, credential: &mut Credential) {
        let provider = Arc::clone(&credential.provider);
        credential.provider = one(&self.providers, provider.id, provider);
        // What is narrowed is rarely narrowed to the same.
        if credential.scopes.is_none() {
            let roles = credential.roles.iter().map(|role| role.id).collect();
            let held = Held {
                roles: Arc::clone(&credential.roles),
                rights: Arc::clone(&credential.rights),
            };
            let held = one(&self.roles, roles, held);
            (credential.roles, credential.rights) = (held.roles, held.rights);
        }
    }
}

/// The copy that is kept under a name, if it is the same as this; else this, which is kept now.
fn one<K: Eq + Hash, V: Clone + PartialEq>(kept: &Mutex<HashMap<K, V>>, name: K, new: V) -> V {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    match kept.get(&name) {
        Some(same) if *same == new => same.clone(),
        _ => {
            if kept.len() >= MOST {
                kept.clear();
            }
            kept.insert(name, new.clone());
            new
        }
    }
}

/// How many of each are kept: more combinations of roles than that have little in common.
const MOST: usize = 4_096;
