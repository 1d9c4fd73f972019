//! What must hold of a provider as a whole, whatever was changed of it.

use std::fmt;
use std::ops::RangeInclusive;

use keystile_domain::{KeySettings, OidcSettings, PasswordSettings, Provider, ProviderSettings};

use crate::change::Scope;
use crate::{Broken, ServiceError};

/// Everything but what depends on the database.
pub(super) fn check(after: &Provider) -> Result<(), ServiceError> {
    let mut rules = Rules(Vec::new());
    match &after.settings {
        ProviderSettings::Keys(settings) => rules.of_keys(settings),
        ProviderSettings::Oidc(settings) => rules.of_oidc(settings),
        ProviderSettings::Password(settings) => rules.of_passwords(settings),
        _ => {}
    }
    if rules.0.is_empty() { Ok(()) } else { Err(ServiceError::Broken(rules.0)) }
}

/// Every role that the provider gives is there.
pub(super) async fn roles_exist(scope: &mut Scope, after: &Provider) -> Result<(), ServiceError> {
    let ProviderSettings::Oidc(settings) = &after.settings else { return Ok(()) };
    let roles = scope.tx.list_roles_by_id(&settings.given_roles().collect()).await?;
    let mut rules = Rules(Vec::new());
    let unknown = |id| roles.iter().all(|role| role.id != id);
    for (value, ids) in &settings.role_mapping {
        for id in ids.iter().filter(|id| unknown(**id)) {
            let value = value.replace('~', "~0").replace('/', "~1");
            rules.break_at(format!("/role_mapping/{value}"), format_args!("there is no role {id}"));
        }
    }
    for (at, rule) in settings.trust_rules.iter().enumerate() {
        for id in rule.roles.iter().filter(|id| unknown(**id)) {
            let pointer = format!("/trust_rules/{at}/role_ids");
            rules.break_at(pointer, format_args!("there is no role {id}"));
        }
    }
    if rules.0.is_empty() { Ok(()) } else { Err(ServiceError::Broken(rules.0)) }
}

struct Rules(Vec<Broken>);

impl Rules {
    fn of_keys(&mut self, settings: &KeySettings) {
        let (default, max) = (settings.default_expiry_minutes, settings.max_expiry_minutes);
        for (pointer, minutes) in
            [("/default_expiry_minutes", default), ("/max_expiry_minutes", max)]
        {
            if let Some(minutes) = minutes {
                self.within(pointer, minutes, 1..=LONGEST_LIFE);
            }
        }
        if default.zip(max).is_some_and(|(default, max)| default > max) {
            self.break_at("/default_expiry_minutes", "must be at most max_expiry_minutes");
        }
        if settings.query_parameter_name.is_taken() {
            self.break_at("/query_parameter_name", "must not be a parameter of this API");
        }
    }

    fn of_oidc(&mut self, settings: &OidcSettings) {
        if settings.algorithms.is_empty() {
            self.break_at("/algorithms", "must name at least one");
        }
        if settings.client_secret.is_some() && settings.client_id.is_none() {
            self.break_at("/client_secret", "needs a client_id");
        }
        if !settings.trust_rules.is_empty() && settings.create_users {
            self.break_at(
                "/create_users",
                "cannot be true with trust_rules: machines are no users",
            );
        }
        for (at, rule) in settings.trust_rules.iter().enumerate() {
            if rule.claims.is_empty() {
                let pointer = format!("/trust_rules/{at}/claims");
                self.break_at(pointer, "must name at least one claim");
            }
            if rule.roles.is_empty() {
                let pointer = format!("/trust_rules/{at}/role_ids");
                self.break_at(pointer, "must name at least one role");
            }
            self.within(format!("/trust_rules/{at}/max_minutes"), rule.max_minutes, 1..=15);
        }
    }

    fn of_passwords(&mut self, settings: &PasswordSettings) {
        let lockout = &settings.lockout;
        self.within("/min_length", settings.min_length.into(), 8..=64);
        self.within("/lockout_name_failures", lockout.name_failures, 1..=100);
        self.within("/lockout_address_failures", lockout.address_failures, 1..=100_000);
        self.within("/access_minutes", settings.access_minutes, 1..=15);
        self.within("/session_minutes", settings.session_minutes, 1..=LONGEST_SESSION);
        if !(settings.access_minutes..=settings.session_minutes).contains(&settings.refresh_minutes)
        {
            let rule = "must be at least access_minutes and at most session_minutes";
            self.break_at("/refresh_minutes", rule);
        }
    }

    fn within(&mut self, pointer: impl Into<String>, number: u32, range: RangeInclusive<u32>) {
        if !range.contains(&number) {
            let (least, most) = (range.start(), range.end());
            self.break_at(pointer, format_args!("must be from {least} to {most}"));
        }
    }

    fn break_at(&mut self, pointer: impl Into<String>, rule: impl fmt::Display) {
        self.0.push(Broken { pointer: pointer.into(), detail: rule.to_string() });
    }
}

/// A hundred years.
const LONGEST_LIFE: u32 = 100 * 366 * 24 * 60;
/// A year.
const LONGEST_SESSION: u32 = 366 * 24 * 60;
