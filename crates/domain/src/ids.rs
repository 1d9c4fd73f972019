//! The names that things have for programs: one type each, so that none is taken for another.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::Timestamp;

/// The text is no identifier of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no identifier of this kind")]
#[expect(clippy::exhaustive_structs, reason = "it says one thing, by its name")]
pub struct IdError;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// A UUID of version 7 (RFC 9562, section 5.7): ids made later sort later.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// An id made at `at`; `random` must come from a random generator.
            #[must_use]
            pub fn new(at: Timestamp, random: [u8; 10]) -> Self {
                let millis = u64::try_from(at.as_millis()).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }

            /// The id as a plain UUID.
            #[must_use]
            pub fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            /// Reads the hyphenated form alone, so that each thing has one name.
            fn from_str(text: &str) -> Result<Self, IdError> {
                match Uuid::try_parse(text) {
                    Ok(id) if text.len() == uuid::fmt::Hyphenated::LENGTH => Ok(Self(id)),
                    _ => Err(IdError),
                }
            }
        }
    };
}

uuid_id!(
    /// Names an API key.
    ApiKeyId
);
uuid_id!(
    /// Names an event.
    EventId
);
uuid_id!(
    /// Names a provider.
    ProviderId
);
uuid_id!(
    /// Names a session.
    SessionId
);
uuid_id!(
    /// Names a personal access token.
    TokenId
);
uuid_id!(
    /// Names a user.
    UserId
);

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(clippy::exhaustive_structs, reason = "a number with a name")]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number_id!(
    /// Names a role: 1 to 4 are built in, later ones are given by the database.
    RoleId
);
number_id!(
    /// The place of an event in the audit log, counted from 1 without gaps.
    Seq
);
number_id!(
    /// How often a thing has been changed; what an entity tag shows.
    Version
);

impl FromStr for RoleId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.parse() {
            // One id has one text: neither `+1` nor `01` is one.
            Ok(id) if text.starts_with(|c| matches!(c, '1'..='9')) => Ok(Self(id)),
            _ => Err(IdError),
        }
    }
}

impl TryFrom<i64> for RoleId {
    type Error = IdError;

    fn try_from(id: i64) -> Result<Self, IdError> {
        if id > 0 { Ok(Self(id)) } else { Err(IdError) }
    }
}

impl RoleId {
    /// What a role has until the database gives it an id.
    pub const UNGIVEN: Self = Self(0);
}

impl Seq {
    /// The place after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl Version {
    /// What a new thing has.
    pub const FIRST: Self = Self(1);

    /// The version after one more change.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_made_later_sort_later() {
        let early = ApiKeyId::new(Timestamp::from_millis(1_000), [255; 10]);
        let late = ApiKeyId::new(Timestamp::from_millis(1_001), [0; 10]);
        assert!(early < late && early.to_string() < late.to_string());
        assert_eq!(early.as_uuid().get_version_num(), 7);
    }

    #[test]
    fn an_id_has_one_spelling() {
        let id = ApiKeyId::new(Timestamp::from_millis(1_000), [7; 10]);
        assert_eq!(id.to_string().parse(), Ok(id));
        for text in [format!("{{{id}}}"), id.as_uuid().simple().to_string(), String::new()] {
            assert_eq!(text.parse::<ApiKeyId>(), Err(IdError), "{text}");
        }
    }

    #[test]
    fn a_role_id_is_a_positive_integer() {
        assert_eq!("12".parse(), Ok(RoleId(12)));
        for text in ["0", "-1", "+1", "01", "1.0", "one", "", "9223372036854775808"] {
            assert_eq!(text.parse::<RoleId>(), Err(IdError), "{text}");
        }
        assert_eq!([12, 0, -1].map(|id| RoleId::try_from(id).ok()), [Some(RoleId(12)), None, None]);
    }
}
