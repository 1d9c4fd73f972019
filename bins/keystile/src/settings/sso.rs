//! Where the company signs in: five settings that are set together or not at all.

use keystile_domain::{Authority, ExternalId};
use keystile_service::providers::Sso;
use secrecy::SecretString;

use super::effective::Effective;
use super::problem::Rule;

/// Reads the settings; nothing where none of them is set.
pub fn read(effective: &mut Effective) -> Option<Sso> {
    let authority = effective.parse("sso_authority", authority);
    let audience = effective.parse("sso_audience", line);
    let api_scope = effective.parse("sso_api_scope", scope);
    let client_id = effective.parse("sso_client_id", line);
    let client_secret = effective.parse("sso_client_secret", client_secret);
    if KEYS.iter().any(|key| effective.value(key).is_some()) {
        require(effective, "sso_authority", REQUIRED);
        require(effective, "sso_audience", REQUIRED);
    }
    if effective.value("sso_client_secret").is_some() {
        require(effective, "sso_client_id", CLIENT_REQUIRED);
    }
    Some(Sso { authority: authority?, audience: audience?, api_scope, client_id, client_secret })
}

fn require(effective: &mut Effective, key: &'static str, rule: Rule) {
    if effective.value(key).is_none() {
        effective.refuse(key, rule);
    }
}

fn authority(text: &str) -> Result<Authority, Rule> {
    text.parse().or(Err(Rule(
        "must be an https:// URL (http:// only for this machine) without user, query and fragment",
    )))
}

fn line(text: &str) -> Result<ExternalId, Rule> {
    text.parse().or(Err(Rule("must be one line of 1 to 200 characters")))
}

fn scope(text: &str) -> Result<ExternalId, Rule> {
    let scope = text.parse().ok().filter(|_| !text.contains(char::is_whitespace));
    scope.ok_or(Rule("must be one scope of 1 to 200 characters, without white space"))
}

fn client_secret(text: &str) -> Result<SecretString, Rule> {
    let fits = (1..=1000).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(text.into()) } else { Err(Rule("must have 1 to 1000 visible ASCII characters")) }
}

const KEYS: [&str; 5] =
    ["sso_authority", "sso_audience", "sso_api_scope", "sso_client_id", "sso_client_secret"];

const REQUIRED: Rule = Rule("is required where another KEYSTILE_SSO_… is set");
const CLIENT_REQUIRED: Rule = Rule("is required where KEYSTILE_SSO_CLIENT_SECRET is set");
