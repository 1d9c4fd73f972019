//! Answers about credentials, as they are shown.

use keystile_api::verify::{
    AskedEndpoint, Deletion, Explanation, MissingGrant, RuleOutcome, Verdict as View,
};
use keystile_domain::{Credential, Outcome, Permission, Rule, Tombstone};
use keystile_service::verify::{Ending, Verdict};

use crate::limits::states;
use crate::me::{credential_view, permission_texts, principal_view, role_names};

/// `asked` is the endpoint that the question was about.
pub(super) fn verdict(verdict: &Verdict, asked: Option<AskedEndpoint>) -> View<'_> {
    let code = verdict.ending.code().into();
    let rules = verdict.rules.as_ref();
    let explanation = rules.map(|rules| explanation(rules, &verdict.missing, asked));
    let position = verdict.position.map(|position| position.0);
    let view = View { code, position, explanation, ..View::default() };
    match &verdict.ending {
        Ending::Valid(credential, standings) => {
            let rate_limits = Some(states(standings));
            View { valid: true, rate_limits, ..known(view, credential) }
        }
        Ending::Exceeded(exceeded, credential) => {
            View { rate_limits: Some(states(&exceeded.standings)), ..known(view, credential) }
        }
        Ending::Denied(_, credential) => known(view, credential),
        Ending::Deleted(tombstone) => View { deleted: Some(deletion(tombstone)), ..view },
        Ending::Expired | Ending::Malformed | Ending::NotFound | Ending::SecretRequired => view,
    }
}

fn known<'c>(view: View<'c>, credential: &'c Credential) -> View<'c> {
    View {
        credential: Some(credential_view(credential)),
        principal: Some(principal_view(&credential.principal)),
        roles: Some(role_names(credential.whole_roles())),
        permissions: Some(permission_texts(credential)),
        ..view
    }
}

pub(crate) fn deletion(tombstone: &Tombstone) -> Deletion {
    Deletion {
        id: tombstone.id,
        name: tombstone.name.to_string(),
        key_prefix: tombstone.key_prefix.clone(),
        deleted_at: tombstone.deleted_at.to_string(),
        deleted_by: tombstone.deleted_by.as_ref().map(|by| principal_view(by).into_owned()),
        reason: tombstone.reason.as_ref().map(ToString::to_string),
    }
}

fn explanation(
    rules: &[(&str, Outcome)],
    missing: &[Permission],
    asked: Option<AskedEndpoint>,
) -> Explanation {
    let endpoint =
        asked.filter(|_| rules.contains(&(Rule::EndpointAllowed.as_str(), Outcome::Fail)));
    let permissions: Vec<_> = missing.iter().map(ToString::to_string).collect();
    let missing = (!permissions.is_empty() || endpoint.is_some())
        .then_some(MissingGrant { permissions, endpoint });
    let rules = rules.iter().map(|(rule, outcome)| RuleOutcome {
        rule: (*rule).to_owned(),
        outcome: word(*outcome).to_owned(),
    });
    Explanation { rules: rules.collect(), missing }
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "pass",
        Outcome::Skip => "skip",
        Outcome::Fail => "fail",
    }
}
