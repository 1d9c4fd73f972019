//! Providers: what can be asked and changed.
//!
//! There are few of them, so lists are sorted here. What a change may do to the settings of each
//! kind is in `change`, what must hold of them in `rules`, what a node
//! remembers of them in `remembered`, what the operator's own settings say of the provider `sso` in
//! `sso`.

mod change;
mod identifier;
mod listing;
mod remembered;
mod rules;
mod snapshot;
mod sso;

use keystile_domain::{
    Action, Listing, Name, PageRequest, Power, Provider, ProviderId, ProviderKind,
    ProviderSettings, Rights, Target, TargetKind, Version,
};
use keystile_storage::{Except, StoreError};

use crate::change::{Changed, Options, Scope, expect_version};
use crate::{Caller, Conflict, Keystile, ServiceError, random};

pub(crate) use change::key_defaults;
pub use change::{KeysChange, OidcChange, PasswordChange, ProviderChange, SettingsChange};
pub use listing::{ProviderFilter, ProviderSort};
pub(crate) use remembered::{Remembered, chain, formats};
pub use sso::Sso;

impl Keystile {
    /// The providers that match.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Lacking`] without `keystile.providers.read`.
    pub async fn list_providers(
        &self,
        caller: &Caller,
        filter: &ProviderFilter,
        page: &PageRequest<ProviderSort>,
    ) -> Result<Listing<Provider>, ServiceError> {
        caller.require(Power::ProvidersRead)?;
        let providers = self.store.read().await?.list_providers().await?;
        listing::page(providers, filter, page)
    }

    /// One provider.
    ///
    /// # Errors
    ///
    /// [`ServiceError::NotFound`] if there is none of this id; [`ServiceError::Lacking`] without
    /// `keystile.providers.read`.
    pub async fn find_provider(
        &self,
        caller: &Caller,
        id: ProviderId,
    ) -> Result<Provider, ServiceError> {
        caller.require(Power::ProvidersRead)?;
        self.store.read().await?.find_provider(id).await?.ok_or(ServiceError::NotFound)
    }

    /// The kind of a provider that is to be changed: it never changes, and says which settings
    /// there are.
    ///
    /// # Errors
    ///
    /// [`ServiceError::NotFound`] if there is none of this id; [`ServiceError::Lacking`] without
    /// `keystile.providers.write`.
    pub async fn find_provider_kind(
        &self,
        caller: &Caller,
        id: ProviderId,
    ) -> Result<ProviderKind, ServiceError> {
        caller.require(Power::ProvidersWrite)?;
        let provider = self.store.read().await?.find_provider(id).await?;
        provider.map(|provider| provider.kind).ok_or(ServiceError::NotFound)
    }

    /// Makes a provider of the defaults of its kind and what `change` says otherwise.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Ceiling`] if it gives roles that the caller may not hand out;
    /// [`ServiceError::Broken`] for settings that break a rule; [`ServiceError::Lacking`] without
    /// `keystile.providers.write`.
    pub async fn create_provider(
        &self,
        caller: &Caller,
        name: Name,
        kind: ProviderKind,
        change: ProviderChange,
        options: Options<Provider>,
    ) -> Result<Changed<Provider>, ServiceError> {
        let changed = self
            .change(caller, Power::ProvidersWrite, options, move |scope| {
                Box::pin(async move {
                    let id = random::id(ProviderId::new, scope.now)?;
                    let identifier = identifier::free(scope, &name).await?;
                    let blank = Provider {
                        id,
                        identifier,
                        name,
                        kind,
                        priority: 0,
                        enabled: true,
                        is_default: false,
                        allow_insecure_http: false,
                        settings: change::defaults(kind, &change)?,
                        version: Version::FIRST,
                        created_at: scope.now,
                        updated_at: scope.now,
                    };
                    let provider = change.apply(blank, &scope.keys)?;
                    scope.settle(None, &provider).await?;
                    scope.tx.insert_provider(&provider).await?;
                    scope.record_provider(Action::ProviderCreated, None, Some(&provider))?;
                    Ok(provider)
                })
            })
            .await?;
        self.follow(caller, &changed).await;
        Ok(changed)
    }

    /// Changes a provider. Existing keys stay as they are; everything else is in force at once.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Ceiling`] if it gives roles, before or after, that the caller may not hand
    /// out, or vouches for somebody who may do more than the caller; [`ServiceError::Conflict`] if
    /// nobody would be left who may do everything, or the server's own settings manage it;
    /// [`ServiceError::Outdated`] if it does not have the `expected` version;
    /// [`ServiceError::Broken`]; [`ServiceError::NotFound`]; [`ServiceError::Lacking`] without
    /// `keystile.providers.write`.
    pub async fn update_provider(
        &self,
        caller: &Caller,
        id: ProviderId,
        expected: Option<Version>,
        change: ProviderChange,
        options: Options<Provider>,
    ) -> Result<Changed<Provider>, ServiceError> {
        let managed = self.sso;
        let changed = self
            .change(caller, Power::ProvidersWrite, options, move |scope| {
                Box::pin(async move {
                    let before = scope.provider_in_reach(id, expected, managed).await?;
                    let mut after = change.apply(before.clone(), &scope.keys)?;
                    if after == before {
                        return Ok(before);
                    }
                    if before.is_default && !after.is_default {
                        return Err(ServiceError::broken("/default", NO_DEFAULT_LEFT));
                    }
                    after.version = before.version.next();
                    after.updated_at = scope.now;
                    scope.settle(Some(&before), &after).await?;
                    scope.tx.update_provider(&after).await?;
                    scope.record_provider(action(&before, &after), Some(&before), Some(&after))?;
                    Ok(after)
                })
            })
            .await?;
        self.follow(caller, &changed).await;
        Ok(changed)
    }

    /// Deletes a provider that nothing depends on any more.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Conflict`] if credentials are of it, or it is the default of its kind;
    /// otherwise as for changing one.
    pub async fn remove_provider(
        &self,
        caller: &Caller,
        id: ProviderId,
        expected: Option<Version>,
        options: Options<Provider>,
    ) -> Result<Changed<Provider>, ServiceError> {
        let managed = self.sso;
        let changed = self
            .change(caller, Power::ProvidersWrite, options, move |scope| {
                Box::pin(async move {
                    let provider = scope.provider_in_reach(id, expected, managed).await?;
                    let live = scope.tx.count_live_credentials(id, scope.now).await?;
                    if live > 0 {
                        return Err(Conflict::ProviderInUse(live).into());
                    }
                    if provider.is_default {
                        return Err(Conflict::ProviderIsDefault.into());
                    }
                    scope.spare_those_who_come_by(&provider).await?;
                    scope.tx.remove_provider(id, scope.now).await.map_err(still_listed)?;
                    scope.record_provider(Action::ProviderDeleted, Some(&provider), None)?;
                    Ok(provider)
                })
            })
            .await?;
        self.follow(caller, &changed).await;
        Ok(changed)
    }

    /// Lets this node know at once what a change has made of providers.
    async fn follow(&self, caller: &Caller, changed: &Changed<Provider>) {
        let Changed::Done(provider) = changed else { return };
        if let Err(error) = self.learn_providers().await {
            // The change is made all the same: the next one, or the next start, catches up.
            let (id, request) = (provider.id, &caller.origin().request_id);
            tracing::error!(%error, provider.id = %id, request.id = %request, "a changed provider is not followed");
        }
    }
}

impl Scope {
    /// A provider that is about to be changed, and that the caller may touch. `managed` is the one
    /// that the server's own settings describe.
    async fn provider_in_reach(
        &mut self,
        id: ProviderId,
        expected: Option<Version>,
        managed: Option<ProviderId>,
    ) -> Result<Provider, ServiceError> {
        let provider = self.tx.find_provider(id).await?.ok_or(ServiceError::NotFound)?;
        expect_version(expected, provider.version)?;
        if managed == Some(id) {
            return Err(Conflict::ProviderManaged.into());
        }
        self.reach_provider(&provider).await?;
        Ok(provider)
    }

    /// The ceiling: a provider hands out roles, and speaks for everybody whom its issuer knows.
    async fn reach_provider(&mut self, provider: &Provider) -> Result<(), ServiceError> {
        let ProviderSettings::Oidc(settings) = &provider.settings else { return Ok(()) };
        for role in self.tx.list_roles_by_id(&settings.given_roles().collect()).await? {
            self.rights.reach_role(&role)?;
        }
        let known = self.tx.list_roles_of_issuer(settings.authority.as_str()).await?;
        Ok(known.iter().try_for_each(|role| self.rights.reach_role(role))?)
    }

    /// Checks what a provider is to become, and makes room for it.
    async fn settle(
        &mut self,
        before: Option<&Provider>,
        after: &Provider,
    ) -> Result<(), ServiceError> {
        rules::check(after)?;
        rules::roles_exist(self, after).await?;
        self.reach_provider(after).await?;
        if before.is_some_and(|before| before.enabled) && !after.enabled {
            self.spare_those_who_come_by(after).await?;
        }
        if after.is_default && !before.is_some_and(|before| before.is_default) {
            self.depose_default(after.kind).await?;
        }
        if let ProviderSettings::Keys(settings) = &after.settings {
            self.tx.remember_format(&settings.format).await?;
        }
        Ok(())
    }

    /// Refuses to shut out the last administrator.
    async fn spare_those_who_come_by(&mut self, provider: &Provider) -> Result<(), ServiceError> {
        let without = Except { provider: Some(provider.id), ..Except::default() };
        self.spare_last_administrator(&Rights::everything(), &without).await
    }

    async fn depose_default(&mut self, kind: ProviderKind) -> Result<(), ServiceError> {
        let Some(before) = self.tx.find_default_provider(kind).await? else { return Ok(()) };
        self.tx.clear_default(kind, self.now).await?;
        let after = Provider { is_default: false, ..before.clone() };
        self.record_provider(Action::ProviderUpdated, Some(&before), Some(&after))
    }

    pub(crate) fn record_provider(
        &mut self,
        action: Action,
        before: Option<&Provider>,
        after: Option<&Provider>,
    ) -> Result<(), ServiceError> {
        let Some(provider) = after.or(before) else { return Ok(()) };
        let target = Target {
            kind: TargetKind::Provider,
            id: provider.id.to_string(),
            name: provider.name.to_string(),
        };
        let states = (before.map(snapshot::of), after.map(snapshot::of));
        self.record(action, target, states, None)
    }
}

fn action(before: &Provider, after: &Provider) -> Action {
    match (before.enabled, after.enabled) {
        (true, false) => Action::ProviderDisabled,
        (false, true) => Action::ProviderEnabled,
        _ => Action::ProviderUpdated,
    }
}

fn still_listed(error: StoreError) -> ServiceError {
    match error {
        StoreError::Conflict(keystile_storage::Conflict::Reference) => {
            Conflict::ProviderListed.into()
        }
        other => other.into(),
    }
}

const NO_DEFAULT_LEFT: &str = "make another provider of its kind the default instead";
