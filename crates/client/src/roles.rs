//! Roles: named access profiles.

use futures_util::Stream;
use keystile_api::lists::Page;
use keystile_api::roles::{NewRole, Role, RolePatch};
use serde::Serialize;

use crate::{Answer, Change, Client, Paging, Result, lists, operations};

/// The roles of a server.
#[derive(Clone, Debug)]
pub struct Roles(pub(crate) Client);

/// Which roles are listed. The default: all, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RoleFilter {
    /// Names with `*` and `?` as wildcards, whatever the case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Which part of the list; sorted by `created_at`, `id` or `name`.
    #[serde(flatten)]
    pub paging: Paging,
}

impl Roles {
    /// One part of the list.
    pub async fn list(&self, filter: &RoleFilter) -> Result<Page<Role>> {
        self.0.call(operations::list_roles, &[]).query(filter).read().await
    }

    /// The whole list.
    pub fn stream(&self, filter: RoleFilter) -> impl Stream<Item = Result<Role>> + Send + use<> {
        let this = self.clone();
        lists::all(filter.paging.clone(), move |paging| {
            let (this, filter) = (this.clone(), RoleFilter { paging, ..filter.clone() });
            async move { this.list(&filter).await }
        })
    }

    /// One role.
    pub async fn show(&self, id: i64) -> Result<Answer<Role>> {
        self.0.call(operations::show_role, &[&id]).answer().await
    }

    /// Makes a role.
    pub async fn create(&self, new: &NewRole, change: &Change) -> Result<Answer<Role>> {
        self.0.call(operations::create_role, &[]).json(new).create(change).answer().await
    }

    /// Changes a role: what the patch leaves out stays.
    pub async fn update(
        &self,
        id: i64,
        patch: &RolePatch,
        change: &Change,
    ) -> Result<Answer<Role>> {
        self.0.call(operations::update_role, &[&id]).json(patch).change(change).answer().await
    }

    /// Deletes a role, which nothing may use any more. The answer has it in a dry run only.
    pub async fn delete(&self, id: i64, change: &Change) -> Result<Answer<Option<Role>>> {
        self.0.call(operations::delete_role, &[&id]).change(change).deleted().await
    }
}
