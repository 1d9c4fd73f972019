//! How the domain's types stand in columns, and how they are read back: what a row holds is parsed
//! like anything else that comes from outside.

use std::collections::BTreeSet;
use std::str::FromStr;

use keystile_domain::{Expiry, Principal, RoleId, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::StoreError;

/// Reads a text that was written with `Display`; `place` is the column.
pub(crate) fn parse<T: FromStr>(text: &str, place: &'static str) -> Result<T, StoreError> {
    text.parse().ok().ok_or(StoreError::Corrupt(place))
}

/// Like [`parse`], for a column that may be empty.
pub(crate) fn parse_optional<T: FromStr>(
    text: Option<&str>,
    place: &'static str,
) -> Result<Option<T>, StoreError> {
    text.map(|text| parse(text, place)).transpose()
}

/// Reads a column of JSON.
pub(crate) fn from_json<T: DeserializeOwned>(
    text: &str,
    place: &'static str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).ok().ok_or(StoreError::Corrupt(place))
}

/// Writes a column of JSON. Only maps whose keys are no texts could fail, and no column has one.
pub(crate) fn to_json<T: Serialize>(value: &T, place: &'static str) -> Result<String, StoreError> {
    serde_json::to_string(value).ok().ok_or(StoreError::Corrupt(place))
}

/// Reads bytes of a fixed length.
pub(crate) fn bytes<const N: usize>(
    bytes: &[u8],
    place: &'static str,
) -> Result<[u8; N], StoreError> {
    bytes.try_into().ok().ok_or(StoreError::Corrupt(place))
}

/// Writes an end so that one comparison with the present serves every key, and an index every
/// order.
pub(crate) fn from_expiry(expiry: Expiry) -> i64 {
    expiry.at().map_or(NEVER, Timestamp::as_millis)
}

/// Reads an end.
pub(crate) fn to_expiry(millis: i64) -> Expiry {
    if millis == NEVER { Expiry::Never } else { Expiry::At(Timestamp::from_millis(millis)) }
}

/// Makes a text from outside fit for a parameter: PostgreSQL refuses the character NUL there. No
/// stored text has control characters, so any other of them finds as little.
pub(crate) fn parameter(text: &str) -> String {
    text.replace('\0', "\u{1}")
}

/// Reads roles out of rows of (holder, role), for the holder that they are of.
pub(crate) fn roles_of(holder: &str, rows: &[(String, i64)]) -> BTreeSet<RoleId> {
    rows.iter().filter(|(of, _)| of == holder).map(|(_, role)| RoleId(*role)).collect()
}

/// A principal in three columns, which are empty together.
#[derive(Clone, Debug, Default)]
pub(crate) struct PrincipalColumns {
    pub(crate) kind: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
}

impl PrincipalColumns {
    pub(crate) fn new(principal: Option<&Principal>) -> Self {
        Self {
            kind: principal.map(|principal| principal.kind.as_str().to_owned()),
            id: principal.map(|principal| id_text(principal.id)),
            name: principal.map(|principal| principal.name.as_str().to_owned()),
        }
    }

    pub(crate) fn read(&self, place: &'static str) -> Result<Option<Principal>, StoreError> {
        match (&self.kind, &self.id, &self.name) {
            (None, None, None) => Ok(None),
            (Some(kind), Some(id), Some(name)) => Ok(Some(Principal {
                kind: parse(kind, place)?,
                id: parse(id, place)?,
                name: parse(name, place)?,
            })),
            _ => Err(StoreError::Corrupt(place)),
        }
    }
}

/// The one spelling in which ids are stored.
pub(crate) fn id_text(id: Uuid) -> String {
    id.as_hyphenated().to_string()
}

/// The end of what has none.
pub(crate) const NEVER: i64 = i64::MAX;
