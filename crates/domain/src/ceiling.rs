//! What a principal may do, and the ceiling on what it may hand to others.
//!
//! The ceiling has two halves. Power over Keystile (permissions that begin with `keystile.`) can
//! only be given or touched by somebody who has it. The customer's own permissions and endpoints
//! are no such power: to hand out a role that has them, one needs `keystile.roles.assign`, or to
//! have the role in `may_grant` of a role of one's own.

use std::collections::BTreeSet;

use crate::{EndpointRule, Permission, PermissionSet, Power, Role, RoleId};

/// What a set of roles allows together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a plain sum of roles")]
pub struct Rights {
    /// Every permission of every role.
    pub permissions: PermissionSet,
    /// Every endpoint rule of every role.
    pub endpoints: Vec<EndpointRule>,
    /// Every role that one of the roles may grant.
    pub may_grant: BTreeSet<RoleId>,
}

/// What the ceiling is in the way of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CeilingBreach {
    /// A power over Keystile that the caller does not hold.
    #[error("takes the permission {0}, which the caller does not hold")]
    Power(Permission),
    /// A role that the caller may not hand out.
    #[error(
        "role {0} may be handed out only with keystile.roles.assign, or by a role that may grant it"
    )]
    Role(RoleId),
}

impl Rights {
    /// What the roles allow together.
    #[must_use]
    pub fn of<'a>(roles: impl IntoIterator<Item = &'a Role>) -> Self {
        let mut rights = Self::default();
        let mut permissions = Vec::new();
        for role in roles {
            permissions.extend(role.permissions.iter().cloned());
            rights.endpoints.extend(role.endpoints.iter().cloned());
            rights.may_grant.extend(&role.may_grant);
        }
        rights.permissions = permissions.into_iter().collect();
        rights
    }

    /// What is left of these rights within `scopes`.
    ///
    /// Scopes name permissions, so unless they are everything, no endpoint and no right to hand
    /// out a role is left: neither could be told apart from what the scopes leave out.
    #[must_use]
    pub fn narrowed(self, scopes: &PermissionSet) -> Self {
        if scopes.covers(&Permission::everything()) {
            return self;
        }
        Self { permissions: self.permissions.meet(scopes), ..Self::default() }
    }

    /// What is left of these rights within scopes, where there are any.
    #[must_use]
    pub fn within(self, scopes: Option<&PermissionSet>) -> Self {
        match scopes {
            Some(scopes) => self.narrowed(scopes),
            None => self,
        }
    }

    /// What Keystile itself may do, on its first start.
    #[must_use]
    pub fn everything() -> Self {
        Self { permissions: [Permission::everything()].into_iter().collect(), ..Self::default() }
    }

    /// Whether a power over Keystile is among them.
    #[must_use]
    pub fn hold(&self, power: Power) -> bool {
        self.permissions.covers(&power.permission())
    }

    /// Whether whoever has these rights may do everything to Keystile and to every service.
    #[must_use]
    pub fn are_unlimited(&self) -> bool {
        self.permissions.covers(&Permission::everything())
    }

    /// The ceiling for touching something that has `permissions`.
    ///
    /// # Errors
    ///
    /// [`CeilingBreach::Power`] names the first power over Keystile that these rights lack.
    pub fn reach(&self, permissions: &PermissionSet) -> Result<(), CeilingBreach> {
        match permissions.keystile_power().find(|power| !self.permissions.covers(power)) {
            None => Ok(()),
            Some(power) => Err(CeilingBreach::Power(power)),
        }
    }

    /// The ceiling for giving somebody `role`.
    ///
    /// # Errors
    ///
    /// [`CeilingBreach`] names the power that these rights lack, or the role that they may not
    /// hand out.
    pub fn reach_role(&self, role: &Role) -> Result<(), CeilingBreach> {
        self.reach(&role.permissions)?;
        let is_only_power = !role.permissions.is_empty()
            && role.permissions.iter().all(Permission::is_own)
            && role.endpoints.is_empty();
        if !is_only_power {
            self.reach_grant(role.id)?;
        }
        role.may_grant.iter().try_for_each(|id| self.reach_grant(*id))
    }

    /// The ceiling for giving somebody the right to hand out the role `id`.
    ///
    /// # Errors
    ///
    /// [`CeilingBreach::Role`] if these rights do not include that right.
    pub fn reach_grant(&self, id: RoleId) -> Result<(), CeilingBreach> {
        if self.hold(Power::RolesAssign) || self.may_grant.contains(&id) {
            Ok(())
        } else {
            Err(CeilingBreach::Role(id))
        }
    }
}

#[cfg(test)]
mod tests;
