//! What every change asks of the roles that it touches, whatever holds them.

use std::collections::BTreeSet;

use keystile_domain::{Expiry, Rights, Role, RoleId};
use keystile_storage::Except;

use crate::change::Scope;
use crate::{Conflict, ServiceError};

impl Scope {
    /// The roles with these ids, each of which must exist.
    pub(crate) async fn roles_named(
        &mut self,
        ids: &BTreeSet<RoleId>,
    ) -> Result<Vec<Role>, ServiceError> {
        let roles = self.tx.list_roles_by_id(ids).await?;
        match ids.iter().find(|id| !roles.iter().any(|role| role.id == **id)) {
            None => Ok(roles),
            Some(unknown) => {
                Err(ServiceError::broken("/role_ids", format_args!("there is no role {unknown}")))
            }
        }
    }

    /// Refuses to make what never ends with a credential that does.
    pub(crate) fn must_not_end(&self) -> Result<(), ServiceError> {
        if self.caller_end == Expiry::Never { Ok(()) } else { Err(ServiceError::Outlives) }
    }

    /// Refuses to end the last one who may do everything: whoever is in `ended` had these rights.
    pub(crate) async fn spare_last_administrator(
        &mut self,
        rights_before: &Rights,
        ended: &Except<'_>,
    ) -> Result<(), ServiceError> {
        if rights_before.are_unlimited()
            && self.tx.count_administrators(self.now, ended).await? == 0
        {
            return Err(Conflict::LastAdministrator.into());
        }
        Ok(())
    }
}
