//! Users: people and service accounts.

use futures_util::Stream;
use keystile_api::lists::Page;
use keystile_api::users::{NewUser, User, UserPatch};
use serde::Serialize;
use uuid::Uuid;

use crate::{Answer, Change, Client, Paging, Result, lists, operations};

/// The users of a server.
#[derive(Clone, Debug)]
pub struct Users(pub(crate) Client);

/// Which users are listed. The default: all, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UserFilter {
    /// User names with `*` and `?` as wildcards, whatever the case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Only users that are switched on, or off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Only service accounts, or only people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_service_account: Option<bool>,
    /// Only users that hold this role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_id: Option<i64>,
    /// Only users that another system calls this, exactly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Which part of the list; sorted by `created_at` or `username`.
    #[serde(flatten)]
    pub paging: Paging,
}

/// What goes with a user that is deleted. The default: nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserRemoval {
    /// Deletes tokens that still work too. Otherwise they stand in the way: the refusal lists them.
    pub revoke_tokens: bool,
    /// Forgets what OpenID providers call the user. Otherwise the same subject is not made a user
    /// again.
    pub forget_identities: bool,
}

impl Users {
    /// One part of the list.
    pub async fn list(&self, filter: &UserFilter) -> Result<Page<User>> {
        self.0.call(operations::list_users, &[]).query(filter).read().await
    }

    /// The whole list.
    pub fn stream(&self, filter: UserFilter) -> impl Stream<Item = Result<User>> + Send + use<> {
        let this = self.clone();
        lists::all(filter.paging.clone(), move |paging| {
            let (this, filter) = (this.clone(), UserFilter { paging, ..filter.clone() });
            async move { this.list(&filter).await }
        })
    }

    /// One user.
    pub async fn show(&self, id: Uuid) -> Result<Answer<User>> {
        self.0.call(operations::show_user, &[&id]).answer().await
    }

    /// Makes a user.
    pub async fn create(&self, new: &NewUser, change: &Change) -> Result<Answer<User>> {
        self.0.call(operations::create_user, &[]).json(new).create(change).answer().await
    }

    /// Changes a user: what the patch leaves out stays.
    pub async fn update(
        &self,
        id: Uuid,
        patch: &UserPatch,
        change: &Change,
    ) -> Result<Answer<User>> {
        self.0.call(operations::update_user, &[&id]).json(patch).change(change).answer().await
    }

    /// Deletes a user. The answer has them in a dry run only.
    pub async fn delete(
        &self,
        id: Uuid,
        removal: UserRemoval,
        change: &Change,
    ) -> Result<Answer<Option<User>>> {
        let call = self.0.call(operations::delete_user, &[&id]);
        let tokens = removal.revoke_tokens.then_some(("tokens", "revoke"));
        let identities = removal.forget_identities.then_some(("identities", "forget"));
        let parameters: Vec<_> = tokens.into_iter().chain(identities).collect();
        call.query(&parameters).change(change).deleted().await
    }
}
