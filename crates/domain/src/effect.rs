//! What a change does to what verifiers remember: the part of an event that they need.

use crate::{Action, Seq};

/// A thing that facts about a credential depend on: the credential itself, a role, its owner, a
/// session. It is told by the name of the thing alone, hashed, because all that is ever asked is
/// whether two are the same; two things that share a hash cost a look-up, never a wrong answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subject(u64);

/// What the event at one place in the feed does to what verifiers remember.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a place and what happened there")]
pub struct Effect {
    /// The place of the event.
    pub seq: Seq,
    /// What it touches.
    pub touches: Touches,
}

/// What an event touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a follower must know what to do about each")]
pub enum Touches {
    /// Nobody knows what, or all of it.
    Everything,
    /// What is remembered of one thing.
    One(Subject),
    /// What is remembered of one thing, which has a new secret: what was unknown may be it.
    Secrets(Subject),
}

impl Subject {
    /// The thing of this name: an id as the audit log writes it.
    #[must_use]
    pub fn named(name: &str) -> Self {
        // FNV-1a, which is short and spreads ids well enough.
        let step =
            |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325, step);
        // Its low bits depend on few others; what follows them are the seats of a table.
        Self(hash ^ (hash >> 32))
    }

    /// The hash: the same everywhere and for ever.
    #[must_use]
    pub const fn hash(self) -> u64 {
        self.0
    }
}

impl Touches {
    /// What an event touches, by the words of its row: a word that this version does not know
    /// touches everything.
    #[must_use]
    pub fn of(action: &str, target: &str) -> Self {
        let Ok(action) = action.parse() else { return Self::Everything };
        match action {
            Action::ApiKeyCreated
            | Action::ApiKeyImported
            | Action::ApiKeyRotated
            | Action::TokenCreated
            | Action::TokenRotated => Self::Secrets(Subject::named(target)),
            // Which provider a foreign token belongs to may hang on any of them; a retired key
            // ends tokens of everybody; and under new peppers every secret is looked up once more,
            // which is how it comes under the present one.
            Action::FormatForgotten
            | Action::PepperRotated
            | Action::PeppersForgotten
            | Action::ProviderCreated
            | Action::ProviderDeleted
            | Action::ProviderDisabled
            | Action::ProviderEnabled
            | Action::ProviderUpdated
            | Action::SigningKeyRetired
            | Action::SystemInitialised
            | Action::SystemRestored => Self::Everything,
            Action::AccessTokenRevoked
            | Action::ApiKeyDeleted
            | Action::ApiKeyDisabled
            | Action::ApiKeyEnabled
            | Action::ApiKeyRotationExtended
            | Action::ApiKeyRotationFinished
            | Action::ApiKeyUpdated
            | Action::MasterKeyRotated
            | Action::PasswordChanged
            | Action::RoleCreated
            | Action::RoleDeleted
            | Action::RoleUpdated
            | Action::SessionEnded
            | Action::SessionReplayed
            | Action::SessionStarted
            | Action::SigningKeyCreated
            | Action::TokenDeleted
            | Action::TokenRotationExtended
            | Action::TokenRotationFinished
            | Action::TokenUpdated
            | Action::UserCreated
            | Action::UserDeleted
            | Action::UserDisabled
            | Action::UserEnabled
            | Action::UserUpdated => Self::One(Subject::named(target)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_one_thing_touches_that_thing() {
        let touches = Touches::of("api_key.disabled", "0190c6f1-0000-7000-8000-000000000001");
        let key = Subject::named("0190c6f1-0000-7000-8000-000000000001");
        assert_eq!(touches, Touches::One(key));
        assert_ne!(key, Subject::named("0190c6f1-0000-7000-8000-000000000002"));
    }

    #[test]
    fn a_new_secret_may_be_one_that_was_unknown() {
        for action in ["api_key.created", "api_key.imported", "api_key.rotated", "token.created"] {
            assert!(matches!(Touches::of(action, "7"), Touches::Secrets(_)), "{action}");
        }
    }

    #[test]
    fn rule_8_what_nobody_can_interpret_touches_everything() {
        assert_eq!(Touches::of("moon.eclipsed", "7"), Touches::Everything);
        assert_eq!(Touches::of("", ""), Touches::Everything);
    }
}
