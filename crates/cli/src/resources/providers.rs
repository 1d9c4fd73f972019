//! Providers. Which settings there are depends on the kind, so a flag takes any by its name in the
//! API.

use clap::Args;
use futures_util::{StreamExt, TryStreamExt};
use keystile_api::providers::{NewProvider, Provider, ProviderPatch};
use keystile_client::providers::ProviderFilter;
use keystile_client::{Change, Client, Error, Paging};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Switch, SwitchedFilter, pair, state};
use crate::failure::Failure;
use crate::output::{Column, Shown};
use crate::prompt;
use crate::resource::{Examples, Made, Nothing, Resource, Things};
use crate::session::Session;

/// All providers.
pub struct Providers(Client);

#[derive(Args)]
pub struct Filter {
    /// Names, with * and ? as wildcards
    #[arg(long, value_name = "PATTERN")]
    name: Option<String>,
    /// Only those of this kind: `api_key`, `personal_access_token`, `oidc` or `password`
    #[arg(long)]
    kind: Option<String>,
    #[command(flatten)]
    switched: SwitchedFilter,
}

#[derive(Args)]
pub struct New {
    /// Its name
    name: String,
    /// `api_key`, `personal_access_token`, `oidc` or `password`
    #[arg(long)]
    kind: String,
    #[command(flatten)]
    members: Members,
}

#[derive(Args)]
pub struct Set {
    /// Its new name; its identifier stays
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
    /// A setting, as in `prefix=acme_` or `max_expiry_minutes=null`; repeat it for more
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    setting: Vec<(String, Value)>,
    /// Ask for the client secret, or read the first line of standard input
    #[arg(long)]
    client_secret: bool,
    /// Its place on the sign-in page: low numbers first
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    priority: Option<i32>,
    /// Let it take the place of the default provider of its kind
    #[arg(long)]
    default: bool,
}

impl Shown for Provider {
    const COLUMNS: &'static [Column<Self>] = &[
        Column { head: "ID", cell: |provider, _| provider.id.to_string().into(), from: 0 },
        Column { head: "NAME", cell: |provider, _| provider.name.as_str().into(), from: 0 },
        Column {
            head: "IDENTIFIER",
            cell: |provider, _| provider.identifier.as_str().into(),
            from: 90,
        },
        Column { head: "KIND", cell: |provider, _| provider.kind.as_str().into(), from: 70 },
        Column { head: "STATE", cell: |provider, _| state(provider.enabled, false), from: 0 },
        Column {
            head: "DEFAULT",
            cell: |provider, _| if provider.default { "yes" } else { "" }.into(),
            from: 100,
        },
        Column {
            head: "PRIORITY",
            cell: |provider, _| provider.priority.to_string().into(),
            from: 110,
        },
    ];

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl Resource for Providers {
    type Thing = Provider;
    type Id = Uuid;
    type Scope = Nothing;
    type Filter = Filter;
    type New = New;
    type Body = NewProvider;
    type Set = Set;
    type Patch = ProviderPatch;
    type Removal = Nothing;

    const ONE: &'static str = "provider";
    const MANY: &'static str = "providers";
    const EXAMPLES: Examples = Examples {
        get: &["providers get api-keys -o json"],
        list: &["providers list --kind oidc"],
        new: &["providers new 'Partner keys' --kind api_key --setting prefix=acme_"],
        remove: &["providers remove 'Partner keys'"],
        set: &["providers set 'Partner keys' --setting default_expiry_minutes=null --what-if"],
    };

    async fn open(client: &Client, _: Nothing) -> Result<Self, Failure> {
        Ok(Self(client.clone()))
    }

    async fn list(&self, filter: &Filter, sort: Option<&str>) -> Result<Things<Provider>, Failure> {
        let filter = ProviderFilter {
            name: filter.name.clone(),
            kind: filter.kind.clone(),
            enabled: filter.switched.wanted(),
            paging: Paging { sort: sort.map(str::to_owned), ..Paging::default() },
        };
        Ok(self.0.providers().stream(filter).boxed())
    }

    /// By the name, or by the identifier, which is the name in requests.
    fn named(&self, pattern: &str) -> Things<Provider> {
        let (identifier, name) = (pattern.to_owned(), Some(pattern.to_owned()));
        let providers = self.0.providers();
        let by_identifier = providers
            .stream(ProviderFilter::default())
            .try_filter(move |provider| std::future::ready(provider.identifier == identifier));
        let by_name = providers.stream(ProviderFilter { name, ..ProviderFilter::default() });
        let mut seen = Vec::new();
        by_identifier
            .chain(by_name)
            .try_filter(move |provider| {
                let new = !seen.contains(&provider.id);
                seen.push(provider.id);
                std::future::ready(new)
            })
            .boxed()
    }

    async fn show(&self, id: Uuid) -> Result<Provider, Error> {
        Ok(self.0.providers().show(id).await?.value)
    }

    async fn body(&self, new: New, _: &Session) -> Result<NewProvider, Failure> {
        let New { name, kind, members } = new;
        body(json!({"name": name, "kind": kind}), members)
    }

    async fn create(&self, new: &NewProvider, change: &Change) -> Result<Made<Provider>, Error> {
        let thing = self.0.providers().create(new, change).await?.value;
        Ok(Made { thing, secret: None })
    }

    async fn patch(&self, set: Set, _: &Session) -> Result<ProviderPatch, Failure> {
        let Set { name, members, switch } = set;
        let mut patch: ProviderPatch = body(json!({}), members)?;
        patch.name = super::text(name);
        patch.enabled = switch.patch();
        Ok(patch)
    }

    async fn update(
        &self,
        provider: &Provider,
        patch: &ProviderPatch,
        change: &Change,
    ) -> Result<Provider, Error> {
        Ok(self.0.providers().update(provider.id, patch, change).await?.value)
    }

    async fn remove(&self, provider: &Provider, _: &Nothing, change: &Change) -> Result<(), Error> {
        self.0.providers().delete(provider.id, change).await.map(drop)
    }
}

/// A body of the API with these members, each of which must be one of its own.
fn body<T: DeserializeOwned>(first: Value, members: Members) -> Result<T, Failure> {
    let mut body = match first {
        Value::Object(body) => body,
        _ => Map::new(),
    };
    body.extend(members.setting);
    if let Some(priority) = members.priority {
        body.insert("priority".into(), priority.into());
    }
    if members.default {
        body.insert("default".into(), true.into());
    }
    if members.client_secret {
        let secret = prompt::secret("The client secret")?;
        body.insert("client_secret".into(), secret.expose_secret().into());
    }
    let mut unknown = Vec::new();
    let read =
        serde_ignored::deserialize(Value::Object(body), |path| unknown.push(path.to_string()));
    if !unknown.is_empty() {
        return Err(Failure::Usage(format!(
            "--setting: there is no setting {}",
            unknown.join(", ")
        )));
    }
    read.map_err(|error| Failure::Usage(format!("--setting: {error}")))
}

/// Reads a setting, which is no secret.
fn setting(text: &str) -> Result<(String, Value), String> {
    let (name, value) = pair(text)?;
    if name == "client_secret" {
        return Err(
            "a secret does not belong on a command line: --client-secret asks for it".into()
        );
    }
    Ok((name, value))
}
