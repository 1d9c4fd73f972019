//! The difference between "absent" and `null`, which JSON Merge Patch (RFC 7396) is made of.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A member of a merge patch.
///
/// Fields of this type need `#[serde(default, skip_serializing_if = "Patch::is_absent")]`.
///
/// ```
/// use keystile_api::api_keys::ApiKeyPatch;
/// use keystile_api::patch::Patch;
///
/// let patch: ApiKeyPatch = serde_json::from_str(r#"{"expires_at": null}"#)?;
/// assert_eq!(patch.expires_at, Patch::Null);
/// assert_eq!(patch.name, Patch::Absent);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// Left out: stays as it is.
    #[default]
    Absent,
    /// `null`: cleared.
    Null,
    /// Replaced.
    Value(T),
}

impl<T> Patch<T> {
    /// Whether the member was left out.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Null, Self::Value))
    }
}

impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent | Self::Null => serializer.serialize_none(),
            Self::Value(value) => serializer.serialize_some(value),
        }
    }
}
