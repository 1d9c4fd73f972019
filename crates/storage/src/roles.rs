//! Roles. What they allow stands as JSON in their own row, so that a check reads it with the
//! credential in one go.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::{
    EndpointRule, Listing, Mark, MarkKey, PageRequest, Permission, PermissionSet, Provider,
    ProviderSettings, Role, RoleFilter, RoleId, RoleSort, RoleUse, Start, Timestamp, Version,
};
use serde::{Deserialize, Serialize};

use crate::columns::{from_json, parse, parse_optional, to_json};
use crate::conn::on_conn;
use crate::listing::{cut, named, number, number_id, part, text};
use crate::schema::{api_key_roles, roles, user_roles};
use crate::{Conn, StoreError, Tx};

impl Conn {
    /// Finds a role.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn find_role(&mut self, id: RoleId) -> Result<Option<Role>, StoreError> {
        let query = roles::table.find(id.0);
        let row = on_conn!(self, |link| query
            .select(RoleRow::as_select())
            .get_result(link)
            .await
            .optional()?);
        row.as_ref().map(RoleRow::read).transpose()
    }

    /// Lists the roles that are there out of `ids`, sorted by id.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn list_roles_by_id(
        &mut self,
        ids: &BTreeSet<RoleId>,
    ) -> Result<Vec<Role>, StoreError> {
        let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
        let query = roles::table.filter(roles::id.eq_any(ids)).order(roles::id);
        let rows = on_conn!(self, |link| query.select(RoleRow::as_select()).load(link).await?);
        rows.iter().map(RoleRow::read).collect()
    }

    /// Lists roles.
    ///
    /// # Errors
    ///
    /// [`StoreError::ForeignMark`] if the page begins behind a mark of a list in another order.
    pub async fn list_roles(
        &mut self,
        filter: &RoleFilter,
        page: &PageRequest<RoleSort>,
    ) -> Result<Listing<Role>, StoreError> {
        let (mut rows, total) = on_conn!(self, |link| {
            let matching = || match &filter.name {
                Some(pattern) => named!(roles::table.into_boxed(), roles::name_folded, pattern),
                None => roles::table.into_boxed(),
            };
            let total = match &page.start {
                Start::Page(_) => Some(matching().count().get_result(link).await?),
                Start::After(_) => None,
            };
            let query = matching().select(RoleRow::as_select());
            let query = match page.sort {
                RoleSort::CreatedAt => {
                    part!(query, page, roles::created_at, number, roles::id, number_id)
                }
                RoleSort::Name => {
                    part!(query, page, roles::name_folded, text, roles::id, number_id)
                }
                _ => part!(query, page, roles::id, number, roles::id, number_id),
            };
            (query.load(link).await?, total)
        });
        let next = cut(&mut rows, page.limit, |row: &RoleRow| row.mark(page.sort));
        let items = rows.iter().map(RoleRow::read).collect::<Result<_, _>>()?;
        Ok(Listing { items, total, next })
    }

    /// Counts what names a role.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn count_role_use(&mut self, id: RoleId) -> Result<RoleUse, StoreError> {
        let keys = api_key_roles::table.filter(api_key_roles::role_id.eq(id.0)).count();
        let users = user_roles::table.filter(user_roles::role_id.eq(id.0)).count();
        let grants = roles::table.filter(roles::id.ne(id.0)).select(roles::may_grant);
        let (api_keys, users, grants): (i64, i64, Vec<String>) = on_conn!(self, |link| (
            keys.get_result(link).await?,
            users.get_result(link).await?,
            grants.load(link).await?,
        ));
        let mut naming = 0;
        for ids in &grants {
            naming += i64::from(from_json::<BTreeSet<i64>>(ids, MAY_GRANT)?.contains(&id.0));
        }
        let providers = self.list_providers().await?;
        let providers = providers.iter().map(|provider| i64::from(gives(provider, id))).sum();
        Ok(RoleUse { api_keys, users, roles: naming, providers })
    }

    /// The roles that alone allow everything.
    pub(crate) async fn unlimited_roles(&mut self) -> Result<Vec<i64>, StoreError> {
        let query = roles::table.select((roles::id, roles::permissions));
        let rows: Vec<(i64, String)> = on_conn!(self, |link| query.load(link).await?);
        let mut unlimited = Vec::new();
        for (id, permissions) in &rows {
            if read_permissions(permissions, PERMISSIONS)?.covers(&Permission::everything()) {
                unlimited.push(*id);
            }
        }
        Ok(unlimited)
    }
}

impl Tx {
    /// Stores a new role and returns its id: its own, as the built-in ones have, or, where
    /// that is [`RoleId::UNGIVEN`], one that no role ever had.
    ///
    /// # Errors
    ///
    /// [`Conflict::RoleName`](crate::Conflict::RoleName) if another role has the name.
    pub async fn insert_role(&mut self, role: &Role) -> Result<RoleId, StoreError> {
        let row = RoleRow::new(role)?;
        let named = diesel::insert_into(roles::table);
        let id = if role.id == RoleId::UNGIVEN {
            let insert = named.values(row.facts).returning(roles::id);
            on_conn!(self, |link| insert.get_result(link).await?)
        } else {
            let insert = named.values(row).returning(roles::id);
            on_conn!(self, |link| insert.get_result(link).await?)
        };
        Ok(RoleId(id))
    }

    /// Stores what a role has become.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] if there is no such role,
    /// [`Conflict::RoleName`](crate::Conflict::RoleName) if another has the name.
    pub async fn update_role(&mut self, role: &Role) -> Result<(), StoreError> {
        let put = diesel::update(roles::table.find(role.id.0)).set(RoleRow::new(role)?.facts);
        match on_conn!(self, |link| put.execute(link).await?) {
            0 => Err(StoreError::NotFound),
            _ => Ok(()),
        }
    }

    /// Removes a role for ever.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] if there is no such role,
    /// [`Conflict::Reference`](crate::Conflict::Reference) if somebody holds it.
    pub async fn remove_role(&mut self, id: RoleId) -> Result<(), StoreError> {
        let remove = diesel::delete(roles::table.find(id.0));
        match on_conn!(self, |link| remove.execute(link).await?) {
            0 => Err(StoreError::NotFound),
            _ => Ok(()),
        }
    }
}

/// A role as its table has it.
#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = roles)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub(crate) struct RoleRow {
    id: i64,
    #[diesel(embed)]
    facts: RoleFacts,
}

/// All of it but the id, which the database gives.
#[derive(AsChangeset, Insertable, Queryable, Selectable)]
#[diesel(table_name = roles, treat_none_as_null = true)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub(crate) struct RoleFacts {
    name: String,
    name_folded: String,
    description: Option<String>,
    permissions: String,
    endpoints: String,
    may_grant: String,
    built_in: bool,
    version: i64,
    created_at: i64,
    updated_at: i64,
}

impl RoleRow {
    fn new(role: &Role) -> Result<Self, StoreError> {
        let endpoints: Vec<EndpointColumn> =
            role.endpoints.iter().map(EndpointColumn::new).collect();
        let may_grant: Vec<i64> = role.may_grant.iter().map(|id| id.0).collect();
        let facts = RoleFacts {
            name: role.name.as_str().to_owned(),
            name_folded: role.name.folded(),
            description: role.description.as_ref().map(|text| text.as_str().to_owned()),
            permissions: write_permissions(&role.permissions, PERMISSIONS)?,
            endpoints: to_json(&endpoints, ENDPOINTS)?,
            may_grant: to_json(&may_grant, MAY_GRANT)?,
            built_in: role.built_in,
            version: role.version.0,
            created_at: role.created_at.as_millis(),
            updated_at: role.updated_at.as_millis(),
        };
        Ok(Self { id: role.id.0, facts })
    }

    pub(crate) fn read(&self) -> Result<Role, StoreError> {
        let facts = &self.facts;
        let endpoints: Vec<EndpointColumn> = from_json(&facts.endpoints, ENDPOINTS)?;
        let may_grant: BTreeSet<i64> = from_json(&facts.may_grant, MAY_GRANT)?;
        Ok(Role {
            id: RoleId(self.id),
            name: parse(&facts.name, "roles.name")?,
            description: parse_optional(facts.description.as_deref(), "roles.description")?,
            permissions: read_permissions(&facts.permissions, PERMISSIONS)?,
            endpoints: endpoints.iter().map(EndpointColumn::read).collect::<Result<_, _>>()?,
            may_grant: may_grant.into_iter().map(RoleId).collect(),
            built_in: facts.built_in,
            version: Version(facts.version),
            created_at: Timestamp::from_millis(facts.created_at),
            updated_at: Timestamp::from_millis(facts.updated_at),
        })
    }

    fn mark(&self, sort: RoleSort) -> Mark {
        let key = match sort {
            RoleSort::CreatedAt => MarkKey::Number(self.facts.created_at),
            RoleSort::Name => MarkKey::Text(self.facts.name_folded.clone()),
            _ => MarkKey::Number(self.id),
        };
        Mark { key, id: self.id.to_string() }
    }
}

#[derive(Deserialize, Serialize)]
struct EndpointColumn {
    methods: Vec<String>,
    path: String,
}

impl EndpointColumn {
    fn new(rule: &EndpointRule) -> Self {
        Self { methods: rule.methods(), path: rule.path().to_owned() }
    }

    fn read(&self) -> Result<EndpointRule, StoreError> {
        EndpointRule::new(&self.methods, &self.path).ok().ok_or(StoreError::Corrupt(ENDPOINTS))
    }
}

/// Whether somebody who comes by the provider can be given the role.
fn gives(provider: &Provider, role: RoleId) -> bool {
    match &provider.settings {
        ProviderSettings::Oidc(oidc) => oidc.given_roles().any(|given| given == role),
        _ => false,
    }
}

/// Writes a column of permissions.
pub(crate) fn write_permissions(
    permissions: &PermissionSet,
    place: &'static str,
) -> Result<String, StoreError> {
    to_json(&permissions.iter().map(Permission::as_str).collect::<Vec<_>>(), place)
}

/// Reads a column of permissions.
pub(crate) fn read_permissions(
    text: &str,
    place: &'static str,
) -> Result<PermissionSet, StoreError> {
    let permissions: Vec<String> = from_json(text, place)?;
    permissions.iter().map(|text| parse::<Permission>(text, place)).collect()
}

const ENDPOINTS: &str = "roles.endpoints";
const MAY_GRANT: &str = "roles.may_grant";
const PERMISSIONS: &str = "roles.permissions";
