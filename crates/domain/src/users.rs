//! Users: the people and programs that sign in or own tokens.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use unicode_normalization::UnicodeNormalization;

use crate::{
    ExternalId, Metadata, Name, NamePattern, RateLimits, RoleId, TextError, Timestamp, UserId,
    Version,
};

/// A person, or a service account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "storage and service build it field by field")]
pub struct User {
    /// Its name for programs.
    pub id: UserId,
    /// The name that they sign in with.
    pub username: Username,
    /// Their name for people.
    pub display_name: Option<Name>,
    /// Where they read mail; nothing is sent there, and nobody is recognised by it.
    pub email: Option<Email>,
    /// Whether they may do anything.
    pub enabled: bool,
    /// Whether this is a program, which can never sign in; never changes.
    pub is_service_account: bool,
    /// The roles that they hold.
    pub roles: BTreeSet<RoleId>,
    /// How often they may do anything in a time, with all that acts as them together.
    pub rate_limits: RateLimits,
    /// What another system calls them.
    pub external_id: Option<ExternalId>,
    /// What the customer keeps beside them.
    pub metadata: Metadata,
    /// How often it was changed.
    pub version: Version,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// A name to sign in with: one line of 1 to 100 characters, none of them invisible.
///
/// No two users have names that look the same: what counts is the [`key`](Self::key).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Username(Name);

/// An address for mail: up to 254 characters with exactly one `@`, and no white space.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(String);

/// The text is no address for mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an address for mail with one @, of at most 254 characters")]
#[expect(clippy::exhaustive_structs, reason = "it says one thing, by its name")]
pub struct EmailError;

/// Which users a list shows; what is `None` is not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a question names what it asks")]
pub struct UserFilter {
    /// Those whose user name matches.
    pub username: Option<NamePattern>,
    /// Those that are switched on, or off.
    pub enabled: Option<bool>,
    /// Service accounts alone, or people alone.
    pub is_service_account: Option<bool>,
    /// Those that hold the role.
    pub role: Option<RoleId>,
    /// Those with exactly this external id.
    pub external_id: Option<ExternalId>,
}

/// What a list of users can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserSort {
    /// By the time they were made.
    CreatedAt,
    /// By user name, without case.
    Username,
}

impl Username {
    /// The name, as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The name as a plain name.
    #[must_use]
    pub fn as_name(&self) -> &Name {
        &self.0
    }

    /// What tells names apart: compatibility forms and case fall together (`ｊｏｈｎ` is `John`).
    #[must_use]
    pub fn key(&self) -> String {
        Self::key_of(self.as_str())
    }

    /// The key of whatever somebody types as their name, white space around it left out.
    #[must_use]
    pub fn key_of(text: &str) -> String {
        let folded = text.trim().nfkc().collect::<String>().to_lowercase();
        // Lower case may be a compatibility form again.
        folded.nfkc().collect()
    }
}

impl TryFrom<String> for Username {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        if text.chars().count() > MAX_USERNAME {
            return Err(TextError::TooLong(MAX_USERNAME));
        }
        if text.contains(is_invisible) {
            return Err(TextError::Control);
        }
        Name::try_from(text).map(Self)
    }
}

impl FromStr for Username {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        Self::try_from(text.to_owned())
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Email {
    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<Self, EmailError> {
        let parts = text.split_once('@').filter(|(local, domain)| {
            !local.is_empty() && !domain.is_empty() && !domain.contains('@')
        });
        let unfit = |c: char| c.is_whitespace() || c.is_control() || is_invisible(c);
        if parts.is_none() || text.chars().count() > 254 || text.contains(unfit) {
            return Err(EmailError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Email {
    type Error = EmailError;

    fn try_from(text: String) -> Result<Self, EmailError> {
        text.parse()
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Characters that show nothing, or turn the direction of others: two names that differ in them
/// alone look the same.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{e0000}'..='\u{e0fff}')
}

const MAX_USERNAME: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_the_same_have_one_key() {
        let key = "john".parse::<Username>().unwrap().key();
        for text in ["John", "JOHN", "ｊｏｈｎ", "Ｊohn"] {
            assert_eq!(text.parse::<Username>().unwrap().key(), key, "{text}");
        }
        assert_eq!(Username::key_of(" JOHN "), key);
        let composed = "Andr\u{e9}".parse::<Username>().unwrap();
        let decomposed = "Andre\u{301}".parse::<Username>().unwrap();
        assert_eq!(composed.key(), decomposed.key());
    }

    #[test]
    fn a_user_name_is_one_visible_line() {
        for text in ["a", "ann@example.com", "Ann Doe", "Łukasz", &"x".repeat(100)] {
            assert_eq!(text.parse::<Username>().unwrap().as_str(), text);
        }
        for text in
            ["", " a", "a ", "a\nb", "jo\u{200b}hn", "\u{202e}nhoj", "a\u{feff}", &"x".repeat(101)]
        {
            assert!(text.parse::<Username>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_address_for_mail_has_one_at() {
        for text in ["ann@example.com", "a@b", "ann+x@sub.example.com"] {
            assert_eq!(text.parse::<Email>().unwrap().as_str(), text);
        }
        for text in ["", "@", "a@", "@b", "a@x@y", "a b@c", "a@b\n", "a", &"x".repeat(260)] {
            assert_eq!(text.parse::<Email>(), Err(EmailError), "{text:?}");
        }
    }
}
