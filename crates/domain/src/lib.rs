//! The rules of Keystile: pure, without I/O and without a clock.
//!
//! Everything above this crate asks it; it asks nobody. Time, randomness and stored things are
//! handed in, so each rule can be tested with values alone.
//!
//! The rooms, in the order in which a check walks through them:
//!
//! - [`Secret`], [`SecretFormat`], [`Formats`]: the text that a holder has, and how it is told
//!   from junk without a look-up; [`Fingerprint`] and [`Digest`] are what is kept of it.
//! - [`ImportedHash`]: the hash that another store kept of a secret, and how it is found again.
//! - [`Permission`], [`PermissionQuery`], [`EndpointRule`]: one grammar and one matcher for what
//!   is granted and what is asked.
//! - [`Role`], [`Provider`], [`User`], [`ApiKey`], [`Token`]: the things that are managed.
//! - [`Credential`] and [`decide`]: every rule about a credential, in one function. It alone makes
//!   a [`Grant`].
//! - [`Limits`]: what the uses of a credential are counted against.
//! - [`Rights`]: what a principal may do, and the ceiling on what it may hand to others.
//! - [`Exercise`] and [`Excess`]: what a credential needed of what it holds.
//! - [`Event`] and [`ChainKey`]: what the audit log says, and how it is sealed.
//! - [`CredentialStore`]: the port that storage implements and verifiers ask.

#![warn(clippy::exhaustive_enums, clippy::exhaustive_structs)]

mod api_keys;
mod audit_events;
mod ceiling;
mod chain;
mod credential;
mod decide;
mod effect;
mod endpoint;
mod expiry;
mod ids;
mod imports;
mod insights;
mod jwt;
mod limits;
mod listing;
mod mac;
mod network;
mod permission;
mod providers;
mod roles;
mod rotation;
mod secret;
mod sessions;
mod store;
mod text;
mod tickets;
mod time;
mod tokens;
mod users;

pub use api_keys::{ApiKey, ApiKeyFilter, ApiKeySort};
pub use audit_events::{
    Action, Actor, Event, EventDraft, EventFilter, EventSort, RequestId, RequestIdError, Target,
    TargetKind,
};
pub use ceiling::{CeilingBreach, Rights};
pub use chain::{ChainError, ChainHash, ChainKey, EventDigests, Salted, SealedEvent};
pub use credential::{Carrier, Credential, CredentialKind, Principal, PrincipalKind, Tombstone};
pub use decide::{
    Context, Decision, Denial, Grant, Outcome, Rule, Source, Transport, decide, explain,
};
pub use effect::{Effect, Subject, Touches};
pub use endpoint::{Endpoint, EndpointError, EndpointRule, RequestPath};
pub use expiry::{Expiry, ExpiryError, Lifetime};
pub use ids::{
    ApiKeyId, EventId, IdError, ProviderId, RoleId, Seq, SessionId, TokenId, UserId, Version,
};
pub use imports::{
    HashAlgorithm, HashBytes, HashBytesError, HashEncoding, HashParts, HashPartsError, HashSalt,
    HashScheme, ImportPlace, ImportedHash, KeptHash, KeyPart, KeyPartError, KeyPrefix,
    KeyPrefixError, SaltPosition,
};
pub use insights::{Excess, Exercise};
pub use jwt::{CredentialText, Jwt, JwtError};
pub use limits::{
    Cost, CostError, LimitCount, LimitCountError, LimitName, LimitNameError, LimitWindow,
    LimitWindowError, Limits, Quota, QuotaLimit, QuotaLimitError, QuotaUse, RateLimit, RateLimits,
    RateLimitsError, Refill,
};
pub use listing::{
    Direction, Listing, Mark, MarkKey, NamePattern, NamePatternError, PageLimit, PageNumber,
    PageRequest, Start,
};
pub use network::{AllowedIps, Network, NetworkError};
pub use permission::{
    Permission, PermissionError, PermissionQuery, PermissionQueryError, PermissionSet, Power,
};
pub use providers::{
    Authority, AuthorityError, ClaimName, ClaimPattern, ClaimPatternError, HashCost, HashCostError,
    HeaderName, JwtAlgorithm, KeySettings, Lockout, OidcSettings, PasswordSettings, Provider,
    ProviderKind, ProviderSettings, QueryName, TrustRule,
};
pub use roles::{BuiltInRole, Role, RoleFilter, RoleSort, RoleUse};
pub use rotation::{OldSecret, RotationOverlap};
pub use secret::{
    Digest, DrawError, Encoding, Fingerprint, FingerprintError, Fit, FormatError, Formats,
    KeyLength, Malformed, Pepper, Prefix, Secret, SecretError, SecretFormat, SecretTag,
};
pub use sessions::{Session, SessionHolder};
pub use store::{Answer, CredentialStore, Found};
pub use text::{
    Description, ExternalId, Identifier, Metadata, MetadataError, Name, Reason, TextError,
};
pub use tickets::{
    TICKET_PARAMETER, TicketError, TicketLifetime, TicketMethod, TicketPath, TicketTarget,
};
pub use time::{Timestamp, TimestampError};
pub use tokens::{Token, TokenFilter, TokenSort};
pub use users::{Email, EmailError, User, UserFilter, UserSort, Username};
