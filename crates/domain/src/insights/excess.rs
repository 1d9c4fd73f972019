//! What a key holds beyond what it needed: apart from what it needed, because every question about
//! roles and the smallest grant is asked here.

use std::collections::{BTreeMap, BTreeSet};

use super::Exercise;
use crate::endpoint::ANY_METHOD;
use crate::{EndpointRule, Permission, PermissionSet, Rights, Role, RoleId};

/// What a key holds and did not need, and what would have been enough.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Excess {
    /// The permissions, as its roles have them, of which it never needed any part.
    pub unexercised_permissions: PermissionSet,
    /// The endpoint rules, as its roles have them, of which it never needed any part.
    pub unexercised_endpoints: Vec<EndpointRule>,
    /// The smallest grant that would have been enough: permissions.
    pub sufficient_permissions: PermissionSet,
    /// The smallest grant that would have been enough: endpoint rules.
    pub sufficient_endpoints: Vec<EndpointRule>,
    /// The roles without which the others would still have been enough.
    pub spare_roles: BTreeSet<RoleId>,
    /// Whether it may have needed what nobody told: then the rest is no more than a hint.
    pub may_need_more: bool,
}

impl Excess {
    /// Compares what a key holds with what it needed; nothing if it needed all of it.
    ///
    /// What it needed and no longer holds is left out of account.
    #[must_use]
    pub fn of<'a>(
        roles: &[Role],
        exercised: impl IntoIterator<Item = Exercise<'a>>,
    ) -> Option<Self> {
        let held = Rights::of(roles);
        let needed = Needed::of(&held, exercised);
        let unexercised_endpoints = held.endpoints.iter().filter(|rule| !needed.touches(rule));
        let sufficient_permissions = needed.permissions.simplest();
        let is_all = held.permissions.iter().all(|it| sufficient_permissions.covers(it))
            && held.endpoints.iter().all(|rule| needed.is_all_of(rule));
        let spare_roles = needed.spare_roles(roles);
        if is_all && spare_roles.is_empty() {
            return None;
        }
        Some(Self {
            unexercised_permissions: held
                .permissions
                .iter()
                .filter(|held| !needed.permissions.iter().any(|needed| held.covers(needed)))
                .cloned()
                .collect(),
            unexercised_endpoints: unexercised_endpoints.cloned().collect(),
            sufficient_endpoints: needed.endpoint_rules(),
            spare_roles,
            may_need_more: needed.untold,
            sufficient_permissions,
        })
    }
}

/// What a key needed of what it holds.
struct Needed {
    permissions: PermissionSet,
    /// The methods that it needed, by the path of the rule.
    endpoints: BTreeMap<String, BTreeSet<String>>,
    untold: bool,
}

impl Needed {
    fn of<'a>(held: &Rights, exercised: impl IntoIterator<Item = Exercise<'a>>) -> Self {
        let mut permissions = Vec::new();
        let mut needed = Self {
            permissions: PermissionSet::default(),
            endpoints: BTreeMap::new(),
            untold: false,
        };
        for exercise in exercised {
            match exercise {
                Exercise::Endpoint { method, path } => {
                    if held.endpoints.iter().any(|rule| rule.path() == path && rule.names(method)) {
                        let methods = needed.endpoints.entry(path.to_owned()).or_default();
                        methods.insert(method.to_owned());
                    }
                }
                Exercise::Permission(text) => {
                    let permission = text.parse::<Permission>().ok();
                    permissions.extend(permission.filter(|it| held.permissions.covers(it)));
                }
                Exercise::Untold => needed.untold = true,
            }
        }
        needed.permissions = permissions.into_iter().collect();
        needed
    }

    fn touches(&self, rule: &EndpointRule) -> bool {
        let methods = self.endpoints.get(rule.path());
        methods.is_some_and(|methods| methods.iter().any(|method| rule.names(method)))
    }

    fn is_all_of(&self, rule: &EndpointRule) -> bool {
        let methods = self.endpoints.get(rule.path());
        methods.is_some_and(|methods| rule.methods().iter().all(|it| methods.contains(it)))
    }

    fn endpoint_rules(&self) -> Vec<EndpointRule> {
        let rules = self.endpoints.iter().filter_map(|(path, methods)| {
            let any = methods.contains(ANY_METHOD);
            let methods: Vec<_> = match any {
                true => vec![ANY_METHOD.to_owned()],
                false => methods.iter().cloned().collect(),
            };
            EndpointRule::new(&methods, path).ok()
        });
        rules.collect()
    }

    fn is_met_by(&self, roles: &[&Role]) -> bool {
        let permissions = || roles.iter().flat_map(|role| role.permissions.iter());
        let rules = || roles.iter().flat_map(|role| &role.endpoints);
        let opens = |path: &str, method: &str| {
            rules().any(|rule| rule.path() == path && rule.names(method))
        };
        self.permissions.iter().all(|needed| permissions().any(|held| held.covers(needed)))
            && self
                .endpoints
                .iter()
                .all(|(path, methods)| methods.iter().all(|method| opens(path, method)))
    }

    /// Takes roles away one by one, the widest first, as long as the others are enough. That finds
    /// no set of roles which is the smallest of all, but one of which none can be spared.
    fn spare_roles(&self, roles: &[Role]) -> BTreeSet<RoleId> {
        let width = |role: &Role| {
            let covers =
                |other: &&Role| other.permissions.iter().all(|it| role.permissions.covers(it));
            roles.iter().filter(covers).count()
        };
        let mut kept: Vec<&Role> = roles.iter().collect();
        kept.sort_by_key(|role| (std::cmp::Reverse(width(role)), role.id));
        let mut spare = BTreeSet::new();
        for role in kept.clone() {
            let others: Vec<&Role> = kept.iter().copied().filter(|it| it.id != role.id).collect();
            if self.is_met_by(&others) {
                spare.insert(role.id);
                kept = others;
            }
        }
        spare
    }
}

#[cfg(test)]
mod tests;
