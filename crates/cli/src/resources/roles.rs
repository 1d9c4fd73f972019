//! Roles, and the flag by which everything else names them.

use clap::Args;
use futures_util::{StreamExt, TryStreamExt};
use keystile_api::patch::Patch;
use keystile_api::roles::{EndpointRule, NewRole, Role, RolePatch};
use keystile_client::roles::RoleFilter;
use keystile_client::{Change, Client, Error, Paging};

use super::{ids, text, texts, without_empty};
use crate::failure::Failure;
use crate::output::{Column, Shown, moment};
use crate::resource::{Examples, Made, Nothing, Resource, Things};
use crate::session::Session;
use crate::targets::is_pattern;

/// All roles.
pub struct Roles(Client);

#[derive(Args)]
pub struct Filter {
    /// Names, with * and ? as wildcards
    #[arg(long, value_name = "PATTERN")]
    name: Option<String>,
}

#[derive(Args)]
pub struct New {
    /// Its name
    name: String,
    #[command(flatten)]
    members: Members,
}

#[derive(Args)]
pub struct Set {
    /// Its new name
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    members: Members,
}

/// What `new` and `set` have in common.
#[derive(Args)]
pub struct Members {
    /// What it is for; '' removes it
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// All that it allows, divided by commas, as in invoices.read,invoices.write
    #[arg(long, value_name = "PERMISSIONS", value_delimiter = ',')]
    permission: Option<Vec<String>>,
    /// Each endpoint that it opens at a gateway, as in 'GET,POST /billing/v1/**'
    #[arg(long, value_name = "RULE", value_parser = endpoint)]
    endpoint: Option<Vec<EndpointRule>>,
    /// All roles that its holders may hand out, by id or name, divided by commas
    #[arg(long, value_name = "ROLES", value_delimiter = ',')]
    may_grant: Option<Vec<String>>,
}

impl Shown for Role {
    const COLUMNS: &'static [Column<Self>] = &[
        Column { head: "ID", cell: |role, _| role.id.to_string().into(), from: 0 },
        Column { head: "NAME", cell: |role, _| role.name.as_str().into(), from: 0 },
        Column { head: "PERMISSIONS", cell: |role, _| role.permissions.join(", ").into(), from: 0 },
        Column {
            head: "ENDPOINTS",
            cell: |role, _| role.endpoints.len().to_string().into(),
            from: 80,
        },
        Column { head: "MAY GRANT", cell: |role, _| ids(&role.may_grant), from: 90 },
        Column {
            head: "CHANGED",
            cell: |role, look| moment(Some(&role.updated_at), "", look).into(),
            from: 100,
        },
    ];

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl Resource for Roles {
    type Thing = Role;
    type Id = i64;
    type Scope = Nothing;
    type Filter = Filter;
    type New = New;
    type Body = NewRole;
    type Set = Set;
    type Patch = RolePatch;
    type Removal = Nothing;

    const ONE: &'static str = "role";
    const MANY: &'static str = "roles";
    const EXAMPLES: Examples = Examples {
        get: &["roles get 'billing reader' -o json"],
        list: &["roles list --name 'billing*'"],
        new: &[
            "roles new 'billing reader' --permission invoices.read --endpoint 'GET /billing/**'",
        ],
        remove: &["roles remove 'billing reader'"],
        set: &["roles set 'billing reader' --permission invoices.read,invoices.list --what-if"],
    };

    async fn open(client: &Client, _: Nothing) -> Result<Self, Failure> {
        Ok(Self(client.clone()))
    }

    async fn list(&self, filter: &Filter, sort: Option<&str>) -> Result<Things<Role>, Failure> {
        let paging = Paging { sort: sort.map(str::to_owned), ..Paging::default() };
        Ok(self.0.roles().stream(RoleFilter { name: filter.name.clone(), paging }).boxed())
    }

    fn named(&self, pattern: &str) -> Things<Role> {
        let filter = RoleFilter { name: Some(pattern.to_owned()), ..RoleFilter::default() };
        self.0.roles().stream(filter).boxed()
    }

    async fn show(&self, id: i64) -> Result<Role, Error> {
        Ok(self.0.roles().show(id).await?.value)
    }

    async fn body(&self, New { name, members }: New, _: &Session) -> Result<NewRole, Failure> {
        Ok(NewRole {
            name,
            description: members.description,
            permissions: without_empty(members.permission.unwrap_or_default()),
            endpoints: members.endpoint.unwrap_or_default(),
            may_grant: role_ids(&self.0, &members.may_grant.unwrap_or_default()).await?,
        })
    }

    async fn create(&self, new: &NewRole, change: &Change) -> Result<Made<Role>, Error> {
        let thing = self.0.roles().create(new, change).await?.value;
        Ok(Made { thing, secret: None })
    }

    async fn patch(&self, Set { name, members }: Set, _: &Session) -> Result<RolePatch, Failure> {
        Ok(RolePatch {
            name: name.map_or(Patch::Absent, Patch::Value),
            description: text(members.description),
            permissions: texts(members.permission),
            endpoints: members.endpoint.map_or(Patch::Absent, Patch::Value),
            may_grant: role_patch(&self.0, members.may_grant).await?,
        })
    }

    async fn update(&self, role: &Role, patch: &RolePatch, change: &Change) -> Result<Role, Error> {
        Ok(self.0.roles().update(role.id, patch, change).await?.value)
    }

    async fn remove(&self, role: &Role, _: &Nothing, change: &Change) -> Result<(), Error> {
        self.0.roles().delete(role.id, change).await.map(drop)
    }
}

/// The roles that a flag names by id or name. Names are looked up only if there are any, for which
/// one must be allowed to read roles.
pub async fn role_ids(client: &Client, named: &[String]) -> Result<Vec<i64>, Failure> {
    let mut ids = Vec::new();
    for role in named.iter().map(|role| role.trim()).filter(|role| !role.is_empty()) {
        ids.push(match role.parse() {
            Ok(id) => id,
            Err(_) => role_id(client, role).await?,
        });
    }
    Ok(ids)
}

/// The same for `set`, where none is a value too.
pub async fn role_patch(
    client: &Client,
    named: Option<Vec<String>>,
) -> Result<Patch<Vec<i64>>, Failure> {
    let Some(named) = named else { return Ok(Patch::Absent) };
    Ok(Patch::Value(role_ids(client, &named).await?))
}

async fn role_id(client: &Client, name: &str) -> Result<i64, Failure> {
    if is_pattern(name) {
        return Err(Failure::Usage(format!("{name}: a role is named whole, or by its id")));
    }
    let filter = RoleFilter { name: Some(name.to_owned()), ..RoleFilter::default() };
    let found: Vec<Role> = client.roles().stream(filter).try_collect().await?;
    match &found[..] {
        [role] => Ok(role.id),
        [] => Err(Failure::NotFound(format!("there is no role {name}"))),
        _ => Err(Failure::Usage(format!("{name} is more than one role: name each"))),
    }
}

/// Reads an endpoint rule: methods divided by commas, and a path.
fn endpoint(text: &str) -> Result<EndpointRule, String> {
    let (methods, path) =
        text.trim().split_once(' ').ok_or("it looks like 'GET /billing/v1/**'")?;
    let methods = methods.split(',').map(str::to_ascii_uppercase).collect();
    Ok(EndpointRule { methods, path: path.trim().to_owned() })
}
