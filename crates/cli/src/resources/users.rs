//! Users and service accounts.

use clap::Args;
use futures_util::StreamExt;
use keystile_api::patch::Patch;
use keystile_api::users::{NewUser, User, UserPatch};
use keystile_client::users::{UserFilter, UserRemoval};
use keystile_client::{Change, Client, Error, Paging};
use secrecy::ExposeSecret;
use uuid::Uuid;

use super::api_keys::Removal as Reason;
use super::members::{Limits, Metadata};
use super::roles::{role_ids, role_patch};
use super::{Switch, SwitchedFilter, either, ids, state, text};
use crate::failure::Failure;
use crate::output::{Column, Shown, moment};
use crate::prompt;
use crate::resource::{Examples, Made, Nothing, Resource, Things};
use crate::session::Session;

/// All users.
pub struct Users(Client);

#[derive(Args)]
pub struct Filter {
    /// User names, with * and ? as wildcards
    #[arg(long, value_name = "PATTERN", visible_alias = "username")]
    name: Option<String>,
    #[command(flatten)]
    switched: SwitchedFilter,
    /// Only service accounts
    #[arg(long, conflicts_with = "people")]
    service_accounts: bool,
    /// Only people
    #[arg(long)]
    people: bool,
    /// Only those who hold this role, by id or name
    #[arg(long)]
    role: Option<String>,
    /// Only the one whom another system calls this
    #[arg(long, value_name = "TEXT")]
    external_id: Option<String>,
}

#[derive(Args)]
pub struct New {
    /// The name to sign in with
    username: String,
    #[command(flatten)]
    members: Members,
    /// It is a program, which never signs in and uses tokens alone
    #[arg(long, conflicts_with = "password")]
    service_account: bool,
}

#[derive(Args)]
pub struct Set {
    /// The new name to sign in with
    #[arg(long, visible_alias = "name")]
    username: Option<String>,
    #[command(flatten)]
    members: Members,
    #[command(flatten)]
    switch: Switch,
}

/// What `new` and `set` have in common.
#[derive(Args)]
pub struct Members {
    /// Their name for people; '' removes it
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
    /// Where they read mail; '' removes it
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// All roles that they hold, by id or name, as in 1,3 or auditor; '' is none
    #[arg(long, value_name = "ROLES", value_delimiter = ',')]
    role: Option<Vec<String>>,
    /// Ask for a password, or read the first line of standard input
    #[arg(long)]
    password: bool,
    /// What another system calls them; '' removes it
    #[arg(long, value_name = "TEXT")]
    external_id: Option<String>,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    metadata: Metadata,
}

#[derive(Args)]
#[group(id = "UserRemoval")]
pub struct Removal {
    #[command(flatten)]
    reason: Reason,
    /// End their tokens too; otherwise somebody who has any is not removed
    #[arg(long)]
    revoke_tokens: bool,
}

impl Shown for User {
    const COLUMNS: &'static [Column<Self>] = &[
        Column { head: "ID", cell: |user, _| user.id.to_string().into(), from: 0 },
        Column { head: "NAME", cell: |user, _| user.username.as_str().into(), from: 0 },
        Column { head: "KIND", cell: |user, _| kind(user).into(), from: 80 },
        Column { head: "ROLES", cell: |user, _| ids(&user.role_ids), from: 0 },
        Column { head: "STATE", cell: |user, _| state(user.enabled, false), from: 0 },
        Column {
            head: "MADE",
            cell: |user, look| moment(Some(&user.created_at), "", look).into(),
            from: 100,
        },
    ];

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn name(&self) -> &str {
        &self.username
    }
}

impl Resource for Users {
    type Thing = User;
    type Id = Uuid;
    type Scope = Nothing;
    type Filter = Filter;
    type New = New;
    type Body = NewUser;
    type Set = Set;
    type Patch = UserPatch;
    type Removal = Removal;

    const ONE: &'static str = "user";
    const MANY: &'static str = "users";
    const EXAMPLES: Examples = Examples {
        get: &["users get ann -o json"],
        list: &["users list --people --role auditor", "users list --service-accounts --disabled"],
        new: &[
            "users new deploy-bot --service-account --role 'billing reader'",
            "users new ann --email ann@example.com --password < password",
        ],
        remove: &["users remove deploy-bot --revoke-tokens --reason 'the project is over'"],
        set: &["users set ann --role auditor --what-if", "users set ann --disable"],
    };

    async fn open(client: &Client, _: Nothing) -> Result<Self, Failure> {
        Ok(Self(client.clone()))
    }

    async fn list(&self, filter: &Filter, sort: Option<&str>) -> Result<Things<User>, Failure> {
        let role = role_ids(&self.0, filter.role.as_slice()).await?;
        let filter = UserFilter {
            username: filter.name.clone(),
            enabled: filter.switched.wanted(),
            is_service_account: either(filter.service_accounts, filter.people),
            role_id: role.first().copied(),
            external_id: filter.external_id.clone(),
            paging: Paging { sort: sort.map(str::to_owned), ..Paging::default() },
        };
        Ok(self.0.users().stream(filter).boxed())
    }

    fn named(&self, pattern: &str) -> Things<User> {
        let filter = UserFilter { username: Some(pattern.to_owned()), ..UserFilter::default() };
        self.0.users().stream(filter).boxed()
    }

    async fn show(&self, id: Uuid) -> Result<User, Error> {
        Ok(self.0.users().show(id).await?.value)
    }

    async fn body(&self, new: New, _: &Session) -> Result<NewUser, Failure> {
        let New { username, members, service_account } = new;
        Ok(NewUser {
            username,
            display_name: members.display_name,
            email: members.email,
            role_ids: role_ids(&self.0, &members.role.unwrap_or_default()).await?,
            password: members.password.then(password).transpose()?,
            is_service_account: service_account,
            rate_limits: members.limits.values(),
            external_id: members.external_id,
            metadata: members.metadata.values(),
            ..NewUser::default()
        })
    }

    async fn create(&self, new: &NewUser, change: &Change) -> Result<Made<User>, Error> {
        let thing = self.0.users().create(new, change).await?.value;
        Ok(Made { thing, secret: None })
    }

    async fn patch(&self, set: Set, _: &Session) -> Result<UserPatch, Failure> {
        let Set { username, members, switch } = set;
        let password = members.password.then(password).transpose()?;
        Ok(UserPatch {
            username: username.map_or(Patch::Absent, Patch::Value),
            display_name: text(members.display_name),
            email: text(members.email),
            password: password.map_or(Patch::Absent, Patch::Value),
            role_ids: role_patch(&self.0, members.role).await?,
            enabled: switch.patch(),
            rate_limits: members.limits.patch(),
            external_id: text(members.external_id),
            metadata: members.metadata.patch(),
            ..UserPatch::default()
        })
    }

    async fn update(&self, user: &User, patch: &UserPatch, change: &Change) -> Result<User, Error> {
        Ok(self.0.users().update(user.id, patch, change).await?.value)
    }

    async fn remove(&self, user: &User, removal: &Removal, change: &Change) -> Result<(), Error> {
        let how = UserRemoval { revoke_tokens: removal.revoke_tokens, ..UserRemoval::default() };
        self.0.users().delete(user.id, how, &removal.reason.explain(change)).await.map(drop)
    }
}

/// The id of the user of this id or name.
pub async fn user_id(client: &Client, named: &str) -> Result<Uuid, Failure> {
    match named.parse() {
        Ok(id) => Ok(id),
        Err(_) => Ok(crate::targets::find_one(&Users(client.clone()), named).await?.id),
    }
}

fn kind(user: &User) -> &'static str {
    if user.is_service_account { "service account" } else { "person" }
}

fn password() -> Result<String, Failure> {
    Ok(prompt::secret("Their password")?.expose_secret().to_owned())
}
