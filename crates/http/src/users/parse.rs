//! From the members of a request to what the use cases take.

use keystile_api::users::{NewUser, UserPatch};
use keystile_domain::{Email, ExternalId, IdError, Metadata, Name, RoleId, Username};
use keystile_service::ServiceError;
use keystile_service::passwords::{Password, PasswordError};
use keystile_service::users::{UserChange, UserDraft};

use crate::fields::Fields;
use crate::limits::{rate_limits, replaced_rate_limits};

/// A user that is asked for.
pub(super) fn draft(new: NewUser) -> Result<UserDraft, ServiceError> {
    let mut fields = Fields::default();
    let username = fields.read("/username", Username::try_from(new.username));
    let display_name = fields.optional("/display_name", new.display_name, Name::try_from);
    let email = fields.optional("/email", new.email, Email::try_from);
    let password = fields.optional("/password", new.password, password);
    let roles = fields.list("/role_ids", new.role_ids, RoleId::try_from);
    let external_id = fields.optional("/external_id", new.external_id, ExternalId::try_from);
    let metadata = fields.read("/metadata", Metadata::try_from(new.metadata));
    let rate_limits = rate_limits(&mut fields, new.rate_limits);
    let parts = username.zip(metadata).zip(rate_limits);
    fields.finish(parts.map(|((username, metadata), rate_limits)| UserDraft {
        username,
        display_name,
        email,
        password,
        is_service_account: new.is_service_account,
        enabled: new.enabled.unwrap_or(true),
        roles: roles.into_iter().collect(),
        rate_limits,
        external_id,
        metadata,
    }))
}

/// What is to be different about a user.
pub(super) fn change(patch: UserPatch) -> Result<UserChange, ServiceError> {
    let mut fields = Fields::default();
    let username = fields.replaceable("/username", patch.username, Username::try_from);
    let display_name = fields.clearable("/display_name", patch.display_name, Name::try_from);
    let email = fields.clearable("/email", patch.email, Email::try_from);
    let password = fields.clearable("/password", patch.password, password);
    if !patch.is_service_account.is_absent() {
        fields.refuse("/is_service_account", "cannot be changed");
    }
    let enabled = fields.replaceable("/enabled", patch.enabled, Ok::<_, IdError>);
    let roles = fields.replaced_list("/role_ids", patch.role_ids, RoleId::try_from);
    let rate_limits = replaced_rate_limits(&mut fields, patch.rate_limits);
    let external_id = fields.clearable("/external_id", patch.external_id, ExternalId::try_from);
    let metadata = fields.clearable("/metadata", patch.metadata, Ok::<_, IdError>);
    fields.finish(Some(UserChange {
        username,
        display_name,
        email,
        password,
        enabled,
        roles: roles.map(|roles| roles.into_iter().collect()),
        rate_limits,
        external_id,
        metadata,
    }))
}

fn password(text: String) -> Result<Password, PasswordError> {
    text.parse()
}
