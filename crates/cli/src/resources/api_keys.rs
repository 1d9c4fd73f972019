//! API keys.

use clap::Args;
use futures_util::StreamExt;
use jiff::Timestamp;
use keystile_api::api_keys::{ApiKey, ApiKeyPatch, NewApiKey, RotateApiKey};
use keystile_api::patch::Patch;
use keystile_api::rotation::{ExtendRotation, Rotation};
use keystile_client::api_keys::ApiKeyFilter;
use keystile_client::{Change, Client, Error, Paging};
use uuid::Uuid;

use super::members::{Limits, Metadata, QuotaFlags};
use super::roles::{role_ids, role_patch};
use super::{Switch, SwitchedFilter, either, ids, state, text, texts, without_empty};
use crate::expiry::{Expiry, has_ended};
use crate::failure::Failure;
use crate::moments::{ago, ahead};
use crate::output::{Column, Shown, moment};
use crate::resource::{Examples, Made, Nothing, Resource, Things};
use crate::rotate::{Rotating, StepExamples};
use crate::session::Session;

/// All API keys.
pub struct ApiKeys(Client);

#[derive(Args)]
pub struct Filter {
    /// Names, with * and ? as wildcards
    #[arg(long, value_name = "PATTERN")]
    name: Option<String>,
    #[command(flatten)]
    switched: SwitchedFilter,
    /// Only those that have ended
    #[arg(long, conflicts_with = "unexpired")]
    expired: bool,
    /// Only those that have not ended
    #[arg(long)]
    unexpired: bool,
    /// Only those that end before this time, or within so long, as in 30d
    #[arg(long, value_name = "TIME", value_parser = ahead)]
    expires_before: Option<Timestamp>,
    /// Only those that have an end
    #[arg(long, conflicts_with = "without_expiry")]
    with_expiry: bool,
    /// Only those that have none
    #[arg(long)]
    without_expiry: bool,
    /// Only those that were made before this time, or so long ago, as in 30d
    #[arg(long, value_name = "TIME", value_parser = ago)]
    created_before: Option<Timestamp>,
    /// Only those that were ever used
    #[arg(long, conflicts_with = "unused")]
    used: bool,
    /// Only those that were never used
    #[arg(long)]
    unused: bool,
    /// Only those that were not used since this time, or for so long, as in 30d
    #[arg(long, value_name = "TIME", value_parser = ago)]
    unused_since: Option<Timestamp>,
    /// Only those that hold this role, by id or name
    #[arg(long)]
    role: Option<String>,
    /// Only those of this provider, by identifier or id
    #[arg(long)]
    provider: Option<String>,
    /// Only the one that another system calls this
    #[arg(long, value_name = "TEXT")]
    external_id: Option<String>,
    /// Only those that were imported by their hash, and not shown since
    #[arg(long)]
    unseen_import: bool,
}

#[derive(Args)]
pub struct New {
    /// Its name
    name: String,
    #[command(flatten)]
    members: Members,
    /// Whose rules it follows: the identifier or id of a provider
    #[arg(long)]
    provider: Option<String>,
}

#[derive(Args)]
pub struct Set {
    /// Its new name
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    members: Members,
    #[command(flatten)]
    switch: Switch,
}

/// What `new` and `set` have in common.
#[derive(Args)]
pub struct Members {
    /// What it is for; '' removes it
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// All roles that it holds, by id or name, as in 1,3 or verifier; '' is none
    #[arg(long, value_name = "ROLES", value_delimiter = ',')]
    role: Option<Vec<String>>,
    #[command(flatten)]
    expiry: Expiry,
    /// Where alone it may be used from, as in 10.0.0.0/8,192.0.2.1; '' is everywhere
    #[arg(long, value_name = "RANGES", value_delimiter = ',')]
    allowed_ip: Option<Vec<String>>,
    /// What another system calls it; '' removes it
    #[arg(long, value_name = "TEXT")]
    external_id: Option<String>,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    quota: QuotaFlags,
    #[command(flatten)]
    metadata: Metadata,
}

/// Why something ends.
#[derive(Args)]
pub struct Removal {
    /// Why: kept in the audit log, and told to whoever asks why the key stopped
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Shown for ApiKey {
    const COLUMNS: &'static [Column<Self>] = &[
        Column { head: "ID", cell: |key, _| key.id.to_string().into(), from: 0 },
        Column { head: "NAME", cell: |key, _| key.name.as_str().into(), from: 0 },
        Column { head: "PREFIX", cell: |key, _| key.key_prefix.as_str().into(), from: 120 },
        Column { head: "ROLES", cell: |key, _| ids(&key.role_ids), from: 100 },
        Column {
            head: "STATE",
            cell: |key, look| state(key.enabled, has_ended(key.expires_at.as_deref(), look.now)),
            from: 0,
        },
        Column {
            head: "EXPIRES",
            cell: |key, look| moment(key.expires_at.as_deref(), "never", look).into(),
            from: 80,
        },
        Column {
            head: "LAST USED",
            cell: |key, look| moment(key.last_used_at.as_deref(), "never", look).into(),
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

impl Resource for ApiKeys {
    type Thing = ApiKey;
    type Id = Uuid;
    type Scope = Nothing;
    type Filter = Filter;
    type New = New;
    type Body = NewApiKey;
    type Set = Set;
    type Patch = ApiKeyPatch;
    type Removal = Removal;

    const ONE: &'static str = "API key";
    const MANY: &'static str = "API keys";
    const SECRET: &'static str = "key";
    const EXAMPLES: Examples = Examples {
        get: &["keys get 'CI pipeline' -o json"],
        list: &["keys list --name 'CI*' --enabled", "keys list --expired -o id"],
        new: &[
            "keys new 'CI pipeline' --role verifier --expires-in 90d -q > key",
            "keys new partner --rate-limit 100/1m --quota 10000/month --metadata team=billing",
        ],
        remove: &["keys remove 'temp-*' --what-if", "keys remove - --force < ids"],
        set: &[
            "keys set 'CI pipeline' --role 1,3 --no-expiry --what-if",
            "keys set - --disable < ids",
        ],
    };

    async fn open(client: &Client, _: Nothing) -> Result<Self, Failure> {
        Ok(Self(client.clone()))
    }

    async fn list(&self, filter: &Filter, sort: Option<&str>) -> Result<Things<ApiKey>, Failure> {
        let role = role_ids(&self.0, filter.role.as_slice()).await?;
        let filter = ApiKeyFilter {
            name: filter.name.clone(),
            enabled: filter.switched.wanted(),
            expired: either(filter.expired, filter.unexpired),
            expires_before: filter.expires_before.map(|at| at.to_string()),
            expires: either(filter.with_expiry, filter.without_expiry),
            created_before: filter.created_before.map(|at| at.to_string()),
            used: either(filter.used, filter.unused),
            unused_since: filter.unused_since.map(|at| at.to_string()),
            role_id: role.first().copied(),
            provider: filter.provider.clone(),
            external_id: filter.external_id.clone(),
            unseen_import: filter.unseen_import.then_some(true),
            paging: Paging { sort: sort.map(str::to_owned), ..Paging::default() },
        };
        Ok(self.0.api_keys().stream(filter).boxed())
    }

    fn named(&self, pattern: &str) -> Things<ApiKey> {
        let filter = ApiKeyFilter { name: Some(pattern.to_owned()), ..ApiKeyFilter::default() };
        self.0.api_keys().stream(filter).boxed()
    }

    async fn show(&self, id: Uuid) -> Result<ApiKey, Error> {
        Ok(self.0.api_keys().show(id).await?.value)
    }

    async fn body(&self, new: New, session: &Session) -> Result<NewApiKey, Failure> {
        let New { name, members, provider } = new;
        Ok(NewApiKey {
            name,
            description: members.description,
            role_ids: role_ids(&self.0, &members.role.unwrap_or_default()).await?,
            expires_at: members.expiry.patch(session.look.now)?,
            provider,
            allowed_ips: without_empty(members.allowed_ip.unwrap_or_default()),
            rate_limits: members.limits.values(),
            quota: members.quota.value(),
            external_id: members.external_id,
            metadata: members.metadata.values(),
            ..NewApiKey::default()
        })
    }

    async fn create(&self, new: &NewApiKey, change: &Change) -> Result<Made<ApiKey>, Error> {
        let made = self.0.api_keys().create(new, change).await?.value;
        Ok(Made { thing: made.shown, secret: made.secret })
    }

    async fn patch(&self, set: Set, session: &Session) -> Result<ApiKeyPatch, Failure> {
        let Set { name, members, switch } = set;
        Ok(ApiKeyPatch {
            name: name.map_or(Patch::Absent, Patch::Value),
            description: text(members.description),
            role_ids: role_patch(&self.0, members.role).await?,
            expires_at: members.expiry.patch(session.look.now)?,
            enabled: switch.patch(),
            allowed_ips: texts(members.allowed_ip),
            rate_limits: members.limits.patch(),
            quota: members.quota.patch(),
            external_id: text(members.external_id),
            metadata: members.metadata.patch(),
        })
    }

    async fn update(
        &self,
        key: &ApiKey,
        patch: &ApiKeyPatch,
        change: &Change,
    ) -> Result<ApiKey, Error> {
        Ok(self.0.api_keys().update(key.id, patch, change).await?.value)
    }

    async fn remove(&self, key: &ApiKey, removal: &Removal, change: &Change) -> Result<(), Error> {
        self.0.api_keys().delete(key.id, &removal.explain(change)).await.map(drop)
    }
}

impl Rotating for ApiKeys {
    const STEPS: StepExamples = StepExamples {
        rotate: &[
            "keys rotate 'CI pipeline' -q > key",
            "keys rotate 'CI pipeline' --overlap 1d --watch",
        ],
        extend: &["keys rotate extend 'CI pipeline' --overlap 12h"],
        finish: &["keys rotate finish 'CI pipeline' --what-if"],
        status: &["keys rotate status 'CI pipeline' --watch"],
    };

    async fn rotate(
        &self,
        key: &ApiKey,
        overlap_seconds: i64,
        change: &Change,
    ) -> Result<Made<ApiKey>, Error> {
        let rotate = RotateApiKey { overlap_seconds };
        let made = self.0.api_keys().rotate(key.id, &rotate, change).await?.value;
        Ok(Made { thing: made.shown, secret: made.secret })
    }

    async fn rotation(&self, key: &ApiKey) -> Result<Rotation, Error> {
        self.0.api_keys().rotation(key.id).await
    }

    async fn extend_rotation(
        &self,
        key: &ApiKey,
        extend: &ExtendRotation,
        change: &Change,
    ) -> Result<Rotation, Error> {
        Ok(self.0.api_keys().extend_rotation(key.id, extend, change).await?.value)
    }

    async fn finish_rotation(&self, key: &ApiKey, change: &Change) -> Result<Rotation, Error> {
        Ok(self.0.api_keys().finish_rotation(key.id, change).await?.value)
    }
}

impl Removal {
    /// The change with the reason for it.
    pub fn explain(&self, change: &Change) -> Change {
        let change = change.clone();
        match &self.reason {
            Some(reason) => change.reason(reason),
            None => change,
        }
    }
}
