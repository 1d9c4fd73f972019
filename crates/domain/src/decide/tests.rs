//! The rules against a second, plainer list of them, over conditions drawn at random.

use std::sync::Arc;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{
    AllowedIps, EndpointRule, HeaderName, KeySettings, Limits, Metadata, Network, Principal,
    PrincipalKind, Provider, ProviderId, ProviderKind, QueryName, Rights, SecretFormat, Version,
};

/// What is true of one credential and one request: a fact for each condition of each rule.
#[derive(Clone, Debug)]
struct Facts {
    is_jwt: bool,
    enabled: bool,
    /// Milliseconds from now until the credential ends.
    ends_in: Option<i64>,
    /// Milliseconds from now until the presented secret ends.
    secret_ends_in: Option<i64>,
    provider_enabled: bool,
    /// Whether its owner, where there is one, is switched on.
    owner_enabled: Option<bool>,
    carrier: Option<Carrier>,
    accepts_bearer: bool,
    accepts_query: bool,
    transport: Option<Transport>,
    accepts_insecure: bool,
    has_ranges: bool,
    /// Whether the address, where there is one, lies in the ranges.
    address: Option<bool>,
    /// Whether what is asked, if anything, is held.
    permission: Option<bool>,
    /// Whether what is asked, if anything, can be read, and if so, is open.
    endpoint: Option<Option<bool>>,
}

impl Facts {
    /// A credential that nothing is wrong with, and a request that asks nothing.
    const FINE: Self = Self {
        is_jwt: false,
        enabled: true,
        ends_in: None,
        secret_ends_in: None,
        provider_enabled: true,
        owner_enabled: None,
        carrier: None,
        accepts_bearer: true,
        accepts_query: true,
        transport: None,
        accepts_insecure: false,
        has_ranges: false,
        address: None,
        permission: None,
        endpoint: None,
    };

    /// The rules in order, and whether each refuses: the specification, as a plain list.
    fn refusals(&self) -> [(Rule, bool); 9] {
        let is_over = |ends_in: Option<i64>| ends_in.is_some_and(|millis| millis <= 0);
        let wrong_source = match self.carrier {
            None | Some(Carrier::Ticket) => false,
            Some(carrier) if self.is_jwt => carrier != Carrier::Bearer,
            Some(Carrier::Header) => false,
            Some(Carrier::Bearer) => !self.accepts_bearer,
            Some(Carrier::Query) => !self.accepts_query,
        };
        let is_insecure = self.transport == Some(Transport::Insecure);
        [
            (Rule::Enabled, !self.enabled),
            (Rule::NotExpired, is_over(self.ends_in) || is_over(self.secret_ends_in)),
            (Rule::ProviderEnabled, !self.provider_enabled),
            (Rule::OwnerEnabled, self.owner_enabled == Some(false)),
            (Rule::SourceAllowed, wrong_source),
            (Rule::TransportSecure, is_insecure && !self.accepts_insecure),
            (Rule::IpAllowed, self.has_ranges && self.address != Some(true)),
            (Rule::PermissionsHeld, self.permission == Some(false)),
            (Rule::EndpointAllowed, matches!(self.endpoint, Some(None | Some(false)))),
        ]
    }

    /// The rules that have nothing to ask.
    fn skipped(&self) -> Vec<Rule> {
        let rules = [
            (Rule::OwnerEnabled, self.owner_enabled.is_none()),
            (Rule::SourceAllowed, self.carrier.is_none()),
            (Rule::TransportSecure, self.transport.is_none()),
            (Rule::IpAllowed, !self.has_ranges),
            (Rule::PermissionsHeld, self.permission.is_none()),
            (Rule::EndpointAllowed, self.endpoint.is_none()),
        ];
        rules.into_iter().filter_map(|(rule, skips)| skips.then_some(rule)).collect()
    }

    fn credential(&self) -> Arc<Credential> {
        let ranges: Vec<Network> =
            if self.has_ranges { vec!["10.0.0.0/8".parse().unwrap()] } else { Vec::new() };
        Arc::new(Credential {
            id: Uuid::nil(),
            kind: if self.is_jwt { CredentialKind::AccessToken } else { CredentialKind::ApiKey },
            name: "CI".parse().unwrap(),
            key_prefix: "ks_012345".to_owned(),
            enabled: self.enabled,
            expiry: self.ends_in.map(at).into(),
            secret_expiry: self.secret_ends_in.map(at).into(),
            allowed_ips: AllowedIps::try_from(ranges).unwrap(),
            limits: Limits::none(Uuid::nil()),
            external_id: None,
            metadata: Metadata::default(),
            principal: Principal {
                kind: PrincipalKind::ApiKey,
                id: Uuid::nil(),
                name: "CI".parse().unwrap(),
            },
            owner_enabled: self.owner_enabled,
            signed_in: false,
            provider: Arc::new(self.provider()),
            roles: Arc::default(),
            scopes: None,
            rights: Arc::new(Rights {
                permissions: std::iter::once("a.read".parse().unwrap()).collect(),
                endpoints: vec![EndpointRule::new(&["GET".to_owned()], "/a").unwrap()],
                ..Rights::default()
            }),
        })
    }

    fn provider(&self) -> Provider {
        Provider {
            id: ProviderId::from(Uuid::nil()),
            identifier: "api-keys".parse().unwrap(),
            name: "API keys".parse().unwrap(),
            kind: ProviderKind::ApiKey,
            priority: 0,
            enabled: self.provider_enabled,
            is_default: true,
            allow_insecure_http: self.accepts_insecure,
            settings: ProviderSettings::Keys(KeySettings {
                format: SecretFormat {
                    prefix: Default::default(),
                    encoding: Default::default(),
                    key_length: Default::default(),
                },
                default_expiry_minutes: None,
                max_expiry_minutes: None,
                header_name: HeaderName::default(),
                accept_bearer: self.accepts_bearer,
                allow_query_string: self.accepts_query,
                query_parameter_name: QueryName::default(),
                admin_may_create: false,
            }),
            version: Version::FIRST,
            created_at: at(0),
            updated_at: at(0),
        }
    }

    /// Asks `question` about the credential in the context of the request.
    fn ask<T>(&self, question: impl FnOnce(&Arc<Credential>, &Context<'_>) -> T) -> T {
        let permission: Option<PermissionQuery> = self
            .permission
            .map(|held| if held { "a.read or b" } else { "a.read and b" }.parse().unwrap());
        let endpoint = self.endpoint.map(|readable| {
            readable.map(|open| Endpoint::new("GET", if open { "/a" } else { "/b" }).unwrap())
        });
        let address = |inside| if inside { "10.1.2.3" } else { "192.0.2.1" }.parse().unwrap();
        let context = Context {
            source: self.carrier.map(Source::from),
            transport: self.transport,
            address: self.address.map(address),
            permission: permission.as_ref(),
            endpoint: endpoint.as_ref().map(Option::as_ref),
        };
        question(&self.credential(), &context)
    }

    /// The rule that refuses, by `decide`.
    fn refusal(&self) -> Option<Rule> {
        self.ask(|credential, context| match decide(credential, context, at(0)) {
            Decision::Allow(_) => None,
            Decision::Deny(denial) => Some(denial.rule()),
        })
    }

    fn story(&self) -> Vec<(Rule, Outcome)> {
        self.ask(|credential, context| explain(credential, context, at(0)).collect())
    }
}

/// A moment, in milliseconds from now.
fn at(offset: i64) -> Timestamp {
    Timestamp::from_millis(1_000_000 + offset)
}

#[test]
fn a_credential_that_nothing_is_wrong_with_is_allowed_when_nothing_is_asked() {
    assert_eq!(Facts::FINE.refusal(), None);
}

#[test]
fn an_expired_key_is_refused_from_its_very_moment_on() {
    for (ends_in, refusal) in [(1, None), (0, Some(Rule::NotExpired)), (-1, Some(Rule::NotExpired))]
    {
        assert_eq!(Facts { ends_in: Some(ends_in), ..Facts::FINE }.refusal(), refusal, "{ends_in}");
    }
}

#[test]
fn an_old_secret_ends_before_its_key_does() {
    let old = |secret_ends_in| Facts { ends_in: Some(10), secret_ends_in, ..Facts::FINE };
    assert_eq!(old(Some(0)).refusal(), Some(Rule::NotExpired));
    assert_eq!(old(Some(1)).refusal(), None);
    assert_eq!(old(None).refusal(), None);
}

#[test]
fn an_old_secret_does_not_outlive_its_key() {
    let facts = Facts { ends_in: Some(0), secret_ends_in: Some(10), ..Facts::FINE };
    assert_eq!(facts.refusal(), Some(Rule::NotExpired));
}

#[test]
fn a_key_with_ranges_is_refused_from_outside_and_from_nowhere() {
    let from = |address| Facts { has_ranges: true, address, ..Facts::FINE };
    assert_eq!(from(Some(true)).refusal(), None);
    assert_eq!(from(Some(false)).refusal(), Some(Rule::IpAllowed));
    assert_eq!(from(None).refusal(), Some(Rule::IpAllowed));
}

#[test]
fn an_endpoint_that_cannot_be_read_opens_for_nobody() {
    let facts = Facts { endpoint: Some(None), ..Facts::FINE };
    let mut credential = (*facts.credential()).clone();
    Arc::make_mut(&mut credential.rights).endpoints = vec![EndpointRule::everything()];
    let context = Context { endpoint: Some(None), ..Context::default() };
    match decide(&Arc::new(credential), &context, at(0)) {
        Decision::Deny(denial) => assert_eq!(denial.rule(), Rule::EndpointAllowed),
        allowed @ Decision::Allow(_) => panic!("{allowed:?}"),
    }
}

#[test]
fn a_provider_of_passwords_takes_no_key_from_anywhere() {
    let facts = Facts::FINE;
    let mut credential = (*facts.credential()).clone();
    credential.provider = Arc::new(Provider {
        settings: ProviderSettings::Password(Default::default()),
        ..facts.provider()
    });
    for carrier in Carrier::ALL {
        let context = Context { source: Some((*carrier).into()), ..Context::default() };
        let mut story = explain(&credential, &context, at(0));
        assert!(story.any(|told| told == (Rule::SourceAllowed, Outcome::Fail)), "{carrier}");
    }
}

#[test]
fn a_grant_covers_what_its_credential_holds_and_nothing_else() {
    let credential = Facts::FINE.credential();
    match decide(&credential, &Context::default(), at(0)) {
        Decision::Allow(grant) => {
            assert!(Arc::ptr_eq(grant.credential(), &credential));
            assert!(grant.covers(&"a.read".parse().unwrap()));
            assert!(!grant.covers(&"a.write".parse().unwrap()));
        }
        Decision::Deny(denial) => panic!("{denial:?}"),
    }
}

#[test]
fn a_denial_names_its_credential() {
    let credential = Facts { enabled: false, ..Facts::FINE }.credential();
    match decide(&credential, &Context::default(), at(0)) {
        Decision::Deny(denial) => assert!(Arc::ptr_eq(denial.credential(), &credential)),
        allowed @ Decision::Allow(_) => panic!("{allowed:?}"),
    }
}

proptest! {
    #[test]
    fn the_first_rule_that_refuses_settles_it(facts in facts()) {
        let first = facts.refusals().into_iter().find(|(_, refuses)| *refuses);
        prop_assert_eq!(facts.refusal(), first.map(|(rule, _)| rule));
    }

    #[test]
    fn an_explanation_tells_the_story_of_the_decision(facts in facts()) {
        let failed = facts.story().into_iter().find(|(_, outcome)| *outcome == Outcome::Fail);
        prop_assert_eq!(failed.map(|(rule, _)| rule), facts.refusal());
    }

    #[test]
    fn an_explanation_tells_every_rule_once_and_in_order(facts in facts()) {
        let skipped = facts.skipped();
        let expected = facts.refusals().map(|(rule, refuses)| match refuses {
            true => (rule, Outcome::Fail),
            false if skipped.contains(&rule) => (rule, Outcome::Skip),
            false => (rule, Outcome::Pass),
        });
        prop_assert_eq!(facts.story(), expected);
    }
}

fn facts() -> impl Strategy<Value = Facts> {
    // Mostly fine, or the first rules would settle nearly everything.
    let mostly = || prop::bool::weighted(0.9);
    let end = || prop_oneof![4 => Just(None), 1 => (-1..=2_i64).prop_map(Some)];
    let asked = || prop::option::of(mostly());
    let credential = (prop::bool::weighted(0.2), mostly(), end(), end(), mostly(), asked());
    let source = (prop::option::of(prop::sample::select(Carrier::ALL)), mostly(), mostly());
    let transport = (prop::option::of(prop::sample::select(Transport::ALL)), mostly());
    let address = (any::<bool>(), asked());
    let question =
        (asked(), prop::option::of(prop_oneof![1 => Just(None), 9 => mostly().prop_map(Some)]));
    (credential, source, transport, address, question).prop_map(
        |(credential, source, transport, address, question)| Facts {
            is_jwt: credential.0,
            enabled: credential.1,
            ends_in: credential.2,
            secret_ends_in: credential.3,
            provider_enabled: credential.4,
            owner_enabled: credential.5,
            carrier: source.0,
            accepts_bearer: source.1,
            accepts_query: source.2,
            transport: transport.0,
            accepts_insecure: transport.1,
            has_ranges: address.0,
            address: address.1,
            permission: question.0,
            endpoint: question.1,
        },
    )
}
