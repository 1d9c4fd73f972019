//! Events: one administrative change each, with who, what, before and after.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde_json::Value;
use uuid::Uuid;

use crate::credential::words;
use crate::{EventId, Principal, Reason, Seq, Timestamp};

/// What is about to be written to the audit log, before it has a place in it.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "service builds it field by field")]
pub struct EventDraft {
    /// Who did it.
    pub actor: Actor,
    /// What was done.
    pub action: Action,
    /// To what.
    pub target: Target,
    /// The target before; `None` where there was none.
    pub before: Option<Value>,
    /// The target after; `None` where there is none.
    pub after: Option<Value>,
    /// Why, if they said so.
    pub reason: Option<Reason>,
    /// Where the request came from.
    pub address: Option<IpAddr>,
    /// The request that did it.
    pub request_id: Option<RequestId>,
}

/// An event with its place in the audit log.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "storage builds it field by field")]
pub struct Event {
    /// Its place.
    pub seq: Seq,
    /// Its name for programs.
    pub id: EventId,
    /// When it happened, by the clock of the server that wrote it. The order of events is that of
    /// `seq`, never that of clocks.
    pub at: Timestamp,
    /// What it says.
    pub draft: EventDraft,
}

/// Which events a list shows; what is `None` is not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a question names what it asks")]
pub struct EventFilter {
    /// Those that say this was done.
    pub action: Option<Action>,
    /// Those done by this principal.
    pub actor: Option<Uuid>,
    /// Those done with this credential.
    pub credential: Option<Uuid>,
    /// Those about this kind of thing.
    pub target_kind: Option<TargetKind>,
    /// Those about the thing with this id.
    pub target_id: Option<String>,
    /// Those of this request.
    pub request_id: Option<RequestId>,
    /// Those at or after this moment.
    pub since: Option<Timestamp>,
    /// Those before this moment.
    pub until: Option<Timestamp>,
}

/// What a list of events can be sorted by: their order in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventSort {
    /// By `seq`.
    #[default]
    Seq,
}

/// Who changed something.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "somebody did it, or Keystile itself")]
pub enum Actor {
    /// Somebody, by a credential.
    Principal {
        /// Who.
        principal: Principal,
        /// The id of the credential that they showed.
        credential: Uuid,
    },
    /// Keystile itself: on its first start, and where no credential asks.
    System,
}

/// What was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a plain reference")]
pub struct Target {
    /// Which kind of thing.
    pub kind: TargetKind,
    /// Its name for programs.
    pub id: String,
    /// Its name for people at that time.
    pub name: String,
}

impl Target {
    /// The installation as a whole.
    #[must_use]
    pub fn system() -> Self {
        let name = "keystile".to_owned();
        Self { kind: TargetKind::System, id: name.clone(), name }
    }
}

words!(
    /// The kinds of thing that events are about.
    #[non_exhaustive]
    TargetKind {
        /// An access token.
        AccessToken = "access_token",
        /// An API key.
        ApiKey = "api_key",
        /// A format of secrets.
        Format = "format",
        /// A provider.
        Provider = "provider",
        /// A role.
        Role = "role",
        /// A session.
        Session = "session",
        /// A key that access tokens are signed with.
        SigningKey = "signing_key",
        /// The installation as a whole.
        System = "system",
        /// A personal access token.
        Token = "token",
        /// A user.
        User = "user",
    }
);

words!(
    /// What an event says was done.
    #[non_exhaustive]
    Action {
        /// An access token was ended before its time.
        AccessTokenRevoked = "access_token.revoked",
        /// A key was made.
        ApiKeyCreated = "api_key.created",
        /// A key was deleted for ever.
        ApiKeyDeleted = "api_key.deleted",
        /// A key was switched off.
        ApiKeyDisabled = "api_key.disabled",
        /// A key was switched on.
        ApiKeyEnabled = "api_key.enabled",
        /// A key of another store was taken over.
        ApiKeyImported = "api_key.imported",
        /// A key got a new secret.
        ApiKeyRotated = "api_key.rotated",
        /// The old secret of a rotated key works longer.
        ApiKeyRotationExtended = "api_key.rotation_extended",
        /// The old secret of a rotated key was ended.
        ApiKeyRotationFinished = "api_key.rotation_finished",
        /// A key was changed in another way.
        ApiKeyUpdated = "api_key.updated",
        /// A format is remembered no longer: no provider uses it, and no secret that lives has it.
        FormatForgotten = "format.forgotten",
        /// The database came under another master key.
        MasterKeyRotated = "master_key.rotated",
        /// The password of a user was set or replaced.
        PasswordChanged = "password.changed",
        /// Secrets are stored under a new pepper.
        PepperRotated = "pepper.rotated",
        /// Every pepper but the present one was forgotten.
        PeppersForgotten = "peppers.forgotten",
        /// A provider was made.
        ProviderCreated = "provider.created",
        /// A provider was deleted.
        ProviderDeleted = "provider.deleted",
        /// A provider was switched off.
        ProviderDisabled = "provider.disabled",
        /// A provider was switched on.
        ProviderEnabled = "provider.enabled",
        /// A provider was changed in another way.
        ProviderUpdated = "provider.updated",
        /// A role was made.
        RoleCreated = "role.created",
        /// A role was deleted.
        RoleDeleted = "role.deleted",
        /// A role was changed.
        RoleUpdated = "role.updated",
        /// A session was ended before its time.
        SessionEnded = "session.ended",
        /// A refresh token was used a second time: somebody else has it, so the session was ended.
        SessionReplayed = "session.replayed",
        /// Somebody signed in, or a machine traded the token of another issuer.
        SessionStarted = "session.started",
        /// A signing key was made.
        SigningKeyCreated = "signing_key.created",
        /// A signing key was withdrawn.
        SigningKeyRetired = "signing_key.retired",
        /// Keystile started for the first time.
        SystemInitialised = "system.initialised",
        /// Everything was restored from a backup.
        SystemRestored = "system.restored",
        /// A personal access token was made.
        TokenCreated = "token.created",
        /// A personal access token was deleted for ever.
        TokenDeleted = "token.deleted",
        /// A personal access token got a new secret.
        TokenRotated = "token.rotated",
        /// The old secret of a rotated token works longer.
        TokenRotationExtended = "token.rotation_extended",
        /// The old secret of a rotated token was ended.
        TokenRotationFinished = "token.rotation_finished",
        /// A personal access token was changed.
        TokenUpdated = "token.updated",
        /// A user was made.
        UserCreated = "user.created",
        /// A user was deleted for ever.
        UserDeleted = "user.deleted",
        /// A user was switched off.
        UserDisabled = "user.disabled",
        /// A user was switched on.
        UserEnabled = "user.enabled",
        /// A user was changed in another way.
        UserUpdated = "user.updated",
    }
);

/// The name of one request, given by the client or made by the server: 1 to 128 characters out of
/// letters, digits and `-._~:+/=`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(String);

/// The text is no request id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must have 1 to 128 characters out of letters, digits and -._~:+/=")]
#[expect(clippy::exhaustive_structs, reason = "it says one thing, by its name")]
pub struct RequestIdError;

impl RequestId {
    /// The id itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<EventId> for RequestId {
    fn from(id: EventId) -> Self {
        Self(id.to_string())
    }
}

impl FromStr for RequestId {
    type Err = RequestIdError;

    fn from_str(text: &str) -> Result<Self, RequestIdError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~:+/=".contains(&b);
        if (1..=128).contains(&text.len()) && text.bytes().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(RequestIdError)
        }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_reads_back_from_its_word() {
        for action in Action::ALL {
            assert_eq!(action.as_str().parse(), Ok(*action));
        }
    }

    #[test]
    fn a_request_id_cannot_break_a_log_line() {
        assert!("0190c6f1-aaaa:7".parse::<RequestId>().is_ok());
        for text in ["", "a b", "a\nb", "ü", &"x".repeat(129)] {
            assert_eq!(text.parse::<RequestId>(), Err(RequestIdError), "{text:?}");
        }
    }
}
