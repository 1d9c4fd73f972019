//! From the members of a request to what the use cases take.

use keystile_api::patch::Patch;
use keystile_api::tokens::{NewToken, TokenPatch};
use keystile_domain::{
    Description, Expiry, Name, Permission, PermissionError, PermissionSet, Timestamp,
    TimestampError,
};
use keystile_service::ServiceError;
use keystile_service::tokens::{AskedEnd, TokenChange, TokenDraft};

use crate::api_keys::provider_name;
use crate::fields::Fields;

/// A token that is asked for.
pub(super) fn draft(new: NewToken) -> Result<TokenDraft, ServiceError> {
    let mut fields = Fields::default();
    let name = fields.optional("/name", new.name, Name::try_from);
    let description = fields.optional("/description", new.description, Description::try_from);
    let provider = fields.optional("/provider", new.provider, provider_name);
    let days = fields.optional("/expires_in_days", new.expires_in_days, days);
    let minutes = fields.optional("/expires_in_minutes", new.expires_in_minutes, minutes);
    let moment = fields.clearable("/expires_at", new.expires_at, expiry);
    let moment = moment.map(|end| AskedEnd::At(end.unwrap_or(Expiry::Never)));
    let end = one_end(
        &mut fields,
        [("/expires_in_days", days), ("/expires_in_minutes", minutes), ("/expires_at", moment)],
    );
    let scopes = new.scopes.map(|texts| scopes(&mut fields, texts));
    fields.finish(Some(TokenDraft { name, description, provider, end, scopes }))
}

/// What is to be different about a token.
pub(super) fn change(patch: TokenPatch) -> Result<TokenChange, ServiceError> {
    let mut fields = Fields::default();
    let name = fields.replaceable("/name", patch.name, Name::try_from);
    let description = fields.clearable("/description", patch.description, Description::try_from);
    let end = fields.clearable("/expires_at", patch.expires_at, expiry);
    let scopes = match patch.scopes {
        Patch::Absent => None,
        Patch::Null => Some(None),
        Patch::Value(texts) => Some(Some(scopes(&mut fields, texts))),
    };
    fields.finish(Some(TokenChange {
        name,
        description,
        expiry: end.map(|end| end.unwrap_or(Expiry::Never)),
        scopes,
    }))
}

/// The one way in which a request says when the token shall end; every one, if there are several,
/// breaks the rule.
fn one_end(fields: &mut Fields, ends: [(&str, Option<AskedEnd>); 3]) -> Option<AskedEnd> {
    let given = ends.into_iter().filter_map(|(pointer, end)| Some((pointer, end?)));
    let given: Vec<_> = given.collect();
    if given.len() > 1 {
        for (pointer, _) in &given {
            fields.refuse(pointer, "is one of several ends; give one");
        }
    }
    given.first().map(|(_, end)| *end)
}

fn scopes(fields: &mut Fields, texts: Vec<String>) -> PermissionSet {
    fields.list("/scopes", texts, permission).into_iter().collect()
}

fn permission(text: String) -> Result<Permission, PermissionError> {
    text.parse()
}

fn expiry(text: String) -> Result<Expiry, TimestampError> {
    text.parse::<Timestamp>().map(Expiry::At)
}

fn days(days: i64) -> Result<AskedEnd, &'static str> {
    let days = u32::try_from(days).ok().filter(|days| (1..=MAX_DAYS).contains(days));
    days.map(AskedEnd::InDays).ok_or("must be from 1 to 365")
}

fn minutes(minutes: i64) -> Result<AskedEnd, &'static str> {
    let minutes = u32::try_from(minutes).ok().filter(|minutes| *minutes > 0);
    minutes.map(AskedEnd::InMinutes).ok_or("must be from 1 to 4294967295")
}

const MAX_DAYS: u32 = 365;
