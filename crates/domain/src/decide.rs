//! The heart of the product: every rule about a credential, in one place.
//!
//! [`decide`] and [`explain`] walk the same [`Rule::ALL`] with the same judge, so an explanation
//! can never tell another story than the decision did.

use std::net::IpAddr;
use std::sync::Arc;

use crate::credential::words;
use crate::{
    Carrier, Credential, CredentialKind, Endpoint, Permission, PermissionQuery, ProviderSettings,
    Timestamp,
};

/// What is asked about a credential. A rule whose input is `None` is not asked.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "a question names what it asks")]
pub struct Context<'a> {
    /// Where in the request it stood.
    pub source: Option<Source<'a>>,
    /// How the request travelled.
    pub transport: Option<Transport>,
    /// Where the request came from. The one input whose absence can refuse: a credential with
    /// ranges is refused without an address.
    pub address: Option<IpAddr>,
    /// Which permissions it takes.
    pub permission: Option<&'a PermissionQuery>,
    /// Which endpoint it takes; `Some(None)` is one that cannot be read, and opens for nobody.
    pub endpoint: Option<Option<&'a Endpoint>>,
}

/// Where in a request a credential stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a plain pair")]
pub struct Source<'a> {
    /// The kind of place.
    pub carrier: Carrier,
    /// The header, in lower case, or the query parameter. `None`: the name is not known, and any
    /// will do.
    pub name: Option<&'a str>,
}

impl From<Carrier> for Source<'_> {
    fn from(carrier: Carrier) -> Self {
        Self { carrier, name: None }
    }
}

words!(
    /// How a request travelled.
    #[non_exhaustive]
    Transport {
        /// Nobody on the way could read it.
        Secure = "secure",
        /// Plain HTTP.
        Insecure = "insecure",
    }
);

words!(
    /// The rules, in the order in which they are asked.
    #[expect(clippy::exhaustive_enums, reason = "whoever tells of a rule must know every one")]
    Rule {
        /// The credential is switched on.
        Enabled = "enabled",
        /// Neither the credential nor the presented secret has ended.
        NotExpired = "not_expired",
        /// The credential's provider is switched on.
        ProviderEnabled = "provider_enabled",
        /// Whoever the credential acts as is switched on.
        OwnerEnabled = "owner_enabled",
        /// The provider accepts credentials at this place of a request.
        SourceAllowed = "source_allowed",
        /// The request was secure, or the provider accepts plain HTTP.
        TransportSecure = "transport_secure",
        /// The request came from an address that the credential may be used from.
        IpAllowed = "ip_allowed",
        /// The credential holds the permissions that are asked.
        PermissionsHeld = "permissions_held",
        /// A role of the credential opens the endpoint that is asked.
        EndpointAllowed = "endpoint_allowed",
    }
);

/// How one rule went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no fourth way")]
pub enum Outcome {
    /// It says no.
    Fail,
    /// It has nothing against the request.
    Pass,
    /// It had nothing to ask: its input was not given, or the credential names no ranges.
    Skip,
}

/// What the rules together say.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a decision has two ends")]
pub enum Decision {
    /// Every rule passed or was not asked.
    Allow(Grant),
    /// A rule said no.
    Deny(Denial),
}

/// Proof that a credential passed every rule that was asked.
///
/// Only [`decide`] makes one:
///
/// ```
/// # use keystile_domain::{Context, Credential, Decision, Grant, Timestamp, decide};
/// # use std::sync::Arc;
/// fn earn(credential: Arc<Credential>, now: Timestamp) -> Option<Grant> {
///     match decide(&credential, &Context::default(), now) {
///         Decision::Allow(grant) => Some(grant),
///         Decision::Deny(_) => None,
///     }
/// }
/// ```
///
/// ```compile_fail,E0451
/// # use keystile_domain::{Credential, Grant};
/// # use std::sync::Arc;
/// fn forge(credential: Arc<Credential>) -> Option<Grant> {
///     Some(Grant { credential })
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Grant {
    credential: Arc<Credential>,
}

/// A rule's no.
#[derive(Clone, Debug)]
pub struct Denial {
    rule: Rule,
    credential: Arc<Credential>,
}

/// Judges a credential at the moment `now`; the first rule that fails settles it.
#[must_use]
pub fn decide(credential: &Arc<Credential>, context: &Context<'_>, now: Timestamp) -> Decision {
    let refused =
        Rule::ALL.iter().find(|rule| rule.judge(credential, context, now) == Outcome::Fail);
    match refused {
        None => Decision::Allow(Grant { credential: Arc::clone(credential) }),
        Some(rule) => Decision::Deny(Denial { rule: *rule, credential: Arc::clone(credential) }),
    }
}

/// Every rule with its outcome, in order: those behind the one that settled it too.
pub fn explain(
    credential: &Credential,
    context: &Context<'_>,
    now: Timestamp,
) -> impl Iterator<Item = (Rule, Outcome)> {
    Rule::ALL.iter().map(move |rule| (*rule, rule.judge(credential, context, now)))
}

impl Rule {
    fn judge(self, credential: &Credential, context: &Context<'_>, now: Timestamp) -> Outcome {
        let provider = &credential.provider;
        match self {
            Self::Enabled => pass(credential.enabled),
            Self::NotExpired => {
                pass(!credential.expiry.is_over(now) && !credential.secret_expiry.is_over(now))
            }
            Self::ProviderEnabled => pass(provider.enabled),
            Self::OwnerEnabled => ask(credential.owner_enabled, |enabled| enabled),
            Self::SourceAllowed => ask(context.source, |source| accepts(credential, source)),
            Self::TransportSecure => ask(context.transport, |transport| {
                transport == Transport::Secure || provider.allow_insecure_http
            }),
            Self::IpAllowed if credential.allowed_ips.is_empty() => Outcome::Skip,
            Self::IpAllowed => pass(credential.allowed_ips.allow(context.address)),
            Self::PermissionsHeld => {
                ask(context.permission, |query| query.is_met_by(&credential.rights.permissions))
            }
            Self::EndpointAllowed => ask(context.endpoint, |endpoint| {
                let rules = &credential.rights.endpoints;
                endpoint.is_some_and(|endpoint| rules.iter().any(|rule| rule.allows(endpoint)))
            }),
        }
    }
}

impl Grant {
    /// The credential that passed.
    #[must_use]
    pub fn credential(&self) -> &Arc<Credential> {
        &self.credential
    }

    /// Whether the credential also holds `permission`.
    #[must_use]
    pub fn covers(&self, permission: &Permission) -> bool {
        self.credential.rights.permissions.covers(permission)
    }
}

impl Denial {
    /// The rule that said no.
    #[must_use]
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// The credential that it said no to.
    #[must_use]
    pub fn credential(&self) -> &Arc<Credential> {
        &self.credential
    }
}

/// Providers may share a name; a credential at the place of another provider is refused. A JWT
/// rides as a bearer token, whatever the rules for the key that it was made from. Whoever shows a
/// ticket has shown the credential before, where it may stand.
fn accepts(credential: &Credential, source: Source<'_>) -> bool {
    let named = |own: &str| source.name.is_none_or(|name| name == own);
    match (&credential.provider.settings, source.carrier) {
        _ if credential.kind == CredentialKind::AccessToken => {
            matches!(source.carrier, Carrier::Bearer | Carrier::Ticket)
        }
        (ProviderSettings::Keys(_), Carrier::Ticket) => true,
        (ProviderSettings::Keys(keys), Carrier::Header) => named(keys.header_name.as_str()),
        (ProviderSettings::Keys(keys), Carrier::Bearer) => keys.accept_bearer,
        (ProviderSettings::Keys(keys), Carrier::Query) => {
            keys.allow_query_string && named(keys.query_parameter_name.as_str())
        }
        (ProviderSettings::Oidc(_) | ProviderSettings::Password(_), _) => false,
    }
}

fn ask<T>(input: Option<T>, rule: impl FnOnce(T) -> bool) -> Outcome {
    input.map_or(Outcome::Skip, |input| pass(rule(input)))
}

fn pass(passed: bool) -> Outcome {
    if passed { Outcome::Pass } else { Outcome::Fail }
}

#[cfg(test)]
mod tests;
