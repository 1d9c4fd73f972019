//! Roles: what can be asked and changed.

use std::collections::BTreeSet;

use keystile_domain::{
    Action, Description, EndpointRule, Listing, Name, PageRequest, PermissionSet, Power, Rights,
    Role, RoleFilter, RoleId, RoleSort, Target, TargetKind, Version,
};
use keystile_storage::{Except, StoreError};
use serde_json::{Value, json};

use crate::change::{Changed, Options, Scope, expect_version};
use crate::{Caller, Conflict, Keystile, ServiceError};

/// A role that somebody asks for.
#[derive(Clone, Debug)]
pub struct RoleDraft {
    /// Its name.
    pub name: Name,
    /// What it is for.
    pub description: Option<Description>,
    /// What it shall allow.
    pub permissions: PermissionSet,
    /// Which endpoints it shall open.
    pub endpoints: Vec<EndpointRule>,
    /// The roles that its holders may hand out.
    pub may_grant: BTreeSet<RoleId>,
}

/// What shall be different about a role; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct RoleChange {
    /// Its name.
    pub name: Option<Name>,
    /// What it is for.
    pub description: Option<Option<Description>>,
    /// What it allows.
    pub permissions: Option<PermissionSet>,
    /// Which endpoints it opens.
    pub endpoints: Option<Vec<EndpointRule>>,
    /// The roles that its holders may hand out.
    pub may_grant: Option<BTreeSet<RoleId>>,
}

impl Keystile {
    /// The roles that match.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Lacking`] without `keystile.roles.read`.
    pub async fn list_roles(
        &self,
        caller: &Caller,
        filter: &RoleFilter,
        page: &PageRequest<RoleSort>,
    ) -> Result<Listing<Role>, ServiceError> {
        caller.require(Power::RolesRead)?;
        Ok(self.store.read().await?.list_roles(filter, page).await?)
    }

    /// One role.
    ///
    /// # Errors
    ///
    /// [`ServiceError::NotFound`] if there is none of this id; [`ServiceError::Lacking`] without
    /// `keystile.roles.read`.
    pub async fn find_role(&self, caller: &Caller, id: RoleId) -> Result<Role, ServiceError> {
        caller.require(Power::RolesRead)?;
        self.store.read().await?.find_role(id).await?.ok_or(ServiceError::NotFound)
    }

    /// Makes a role.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Ceiling`] if it is more than the caller holds;
    /// [`ServiceError::Conflict`] if the name is taken; [`ServiceError::Broken`] for an unknown
    /// role in `may_grant`; [`ServiceError::Lacking`] without `keystile.roles.write`.
    pub async fn create_role(
        &self,
        caller: &Caller,
        draft: RoleDraft,
        options: Options<Role>,
    ) -> Result<Changed<Role>, ServiceError> {
        self.change(caller, Power::RolesWrite, options, |scope| {
            Box::pin(async move {
                let mut role = Role {
                    id: RoleId::UNGIVEN,
                    name: draft.name,
                    description: draft.description,
                    permissions: draft.permissions,
                    endpoints: draft.endpoints,
                    may_grant: draft.may_grant,
                    built_in: false,
                    version: Version::FIRST,
                    created_at: scope.now,
                    updated_at: scope.now,
                };
                scope.rights.reach(&role.permissions)?;
                reach_grants(scope, &role.may_grant).await?;
                role.id = scope.tx.insert_role(&role).await.map_err(name_taken)?;
                record(scope, Action::RoleCreated, None, Some(&role))?;
                Ok(role)
            })
        })
        .await
    }

    /// Changes a role, for everybody who holds it, at once.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Ceiling`] if the role before or after is beyond the caller;
    /// [`ServiceError::Conflict`] if it is built in or the name is taken;
    /// [`ServiceError::Outdated`] if it does not have the `expected` version;
    /// [`ServiceError::NotFound`]; [`ServiceError::Lacking`] without `keystile.roles.write`.
    pub async fn update_role(
        &self,
        caller: &Caller,
        id: RoleId,
        expected: Option<Version>,
        change: RoleChange,
        options: Options<Role>,
    ) -> Result<Changed<Role>, ServiceError> {
        self.change(caller, Power::RolesWrite, options, move |scope| {
            Box::pin(async move {
                let before = role_in_reach(scope, id, expected).await?;
                let mut after = before.clone();
                after.name = change.name.unwrap_or(after.name);
                after.description = change.description.unwrap_or(after.description);
                after.permissions = change.permissions.unwrap_or(after.permissions);
                after.endpoints = change.endpoints.unwrap_or(after.endpoints);
                after.may_grant = change.may_grant.unwrap_or(after.may_grant);
                if after == before {
                    return Ok(before);
                }
                scope.rights.reach(&after.permissions)?;
                reach_grants(scope, &(&after.may_grant - &before.may_grant)).await?;
                let allows = |role: &Role| (role.permissions.clone(), role.endpoints.clone());
                if allows(&after) != allows(&before)
                    && scope.tx.count_role_use(id).await? != Default::default()
                {
                    // To widen a role that somebody holds is to hand it to them; who that is may
                    // be oneself by another name.
                    scope.rights.reach_grant(id)?;
                }
                after.version = before.version.next();
                after.updated_at = scope.now;
                scope.tx.update_role(&after).await.map_err(name_taken)?;
                // A role of one's own making may be what the last administrator lives by.
                scope.spare_last_administrator(&Rights::of([&before]), &Except::default()).await?;
                record(scope, Action::RoleUpdated, Some(&before), Some(&after))?;
                Ok(after)
            })
        })
        .await
    }

    /// Deletes a role that nothing names any more.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Conflict`] if it is built in or in use; otherwise as for changing one.
    pub async fn remove_role(
        &self,
        caller: &Caller,
        id: RoleId,
        expected: Option<Version>,
        options: Options<Role>,
    ) -> Result<Changed<Role>, ServiceError> {
        self.change(caller, Power::RolesWrite, options, move |scope| {
            Box::pin(async move {
                let role = role_in_reach(scope, id, expected).await?;
                let uses = scope.tx.count_role_use(id).await?;
                if uses != Default::default() {
                    return Err(Conflict::RoleInUse(uses).into());
                }
                scope.tx.remove_role(role.id).await?;
                record(scope, Action::RoleDeleted, Some(&role), None)?;
                Ok(role)
            })
        })
        .await
    }
}

/// A role that is about to be changed, and that the caller may touch.
async fn role_in_reach(
    scope: &mut Scope,
    id: RoleId,
    expected: Option<Version>,
) -> Result<Role, ServiceError> {
    let role = scope.tx.find_role(id).await?.ok_or(ServiceError::NotFound)?;
    expect_version(expected, role.version)?;
    if role.built_in {
        return Err(Conflict::BuiltIn.into());
    }
    scope.rights.reach(&role.permissions)?;
    Ok(role)
}

/// Whoever lets others hand out a role must be able to do so.
async fn reach_grants(scope: &mut Scope, ids: &BTreeSet<RoleId>) -> Result<(), ServiceError> {
    let roles = scope.tx.list_roles_by_id(ids).await?;
    if let Some(unknown) = ids.iter().find(|id| !roles.iter().any(|role| role.id == **id)) {
        let detail = format_args!("there is no role {unknown}");
        return Err(ServiceError::broken("/may_grant", detail));
    }
    Ok(ids.iter().try_for_each(|id| scope.rights.reach_grant(*id))?)
}

fn name_taken(error: StoreError) -> ServiceError {
    match error {
        StoreError::Conflict(keystile_storage::Conflict::RoleName) => Conflict::NameTaken.into(),
        other => other.into(),
    }
}

pub(crate) fn record(
    scope: &mut Scope,
    action: Action,
    before: Option<&Role>,
    after: Option<&Role>,
) -> Result<(), ServiceError> {
    let Some(role) = after.or(before) else { return Ok(()) };
    let target =
        Target { kind: TargetKind::Role, id: role.id.to_string(), name: role.name.to_string() };
    scope.record(action, target, (before.map(snapshot), after.map(snapshot)), None)
}

/// What the audit log says of a role.
fn snapshot(role: &Role) -> Value {
    let endpoint = |rule: &EndpointRule| json!({"methods": rule.methods(), "path": rule.path()});
    json!({
        "name": role.name.as_str(),
        "description": role.description.as_ref().map(|text| text.as_str()),
        "permissions": role.permissions.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "endpoints": role.endpoints.iter().map(endpoint).collect::<Vec<_>>(),
        "may_grant": role.may_grant.iter().map(|id| id.0).collect::<Vec<_>>(),
    })
}
