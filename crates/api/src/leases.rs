//! Leases of embedded verifiers, on the wire: how long one may answer from memory.

use serde::{Deserialize, Serialize};

use crate::changes::Change;

/// A verifier asks how long it may go on answering from memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "lease": "6b86b273ff34fce19d6b804eff5a3f57",
    "counter": 7,
    "position": 42,
    "mark": "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9",
    "generation": "N3JvXv0fXM6v2Zt3cJYd6xkQZk2Yl6pTqkL0p0n0o4E"
})))]
pub struct LeaseRequest {
    /// The lease that it has; left out: none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<String>,
    /// Higher than in every request before it: a lower one, which was under way for too long,
    /// extends nothing.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(minimum = 0))]
    pub counter: i64,
    /// The last change that it has applied; left out: it remembers nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub position: Option<i64>,
    /// The mark of that change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
    /// The generation of the answer by which it began at a position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<String>,
    /// The last change of which it is true that every decision has ended that began before it was
    /// applied; left out: that is `position`. A waiting revocation goes by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0))]
    pub settled: Option<i64>,
    /// For how many milliseconds after its lease it goes on answering from memory, by its owner's
    /// choice: 0, or left out, unless it was told to. Nobody can wait for such a verifier, so a
    /// revocation counts it as `unproven`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 604_800_000))]
    pub staleness_millis: Option<i64>,
}

/// How long a verifier may go on answering from memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "lease": "6b86b273ff34fce19d6b804eff5a3f57",
    "lease_millis": 1900,
    "position": 42,
    "mark": "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9",
    "generation": "N3JvXv0fXM6v2Zt3cJYd6xkQZk2Yl6pTqkL0p0n0o4E",
    "forgets": false,
    "changes": []
})))]
pub struct Lease {
    /// What to name it by in the next request: a secret.
    pub lease: String,
    /// How many milliseconds it lasts, counted from before the request was sent, for whoever has
    /// applied every change up to `position`. `null`: it is not extended.
    pub lease_millis: Option<i64>,
    /// The last change that it holds for.
    pub position: i64,
    /// The mark of that change.
    pub mark: String,
    /// Which server the database is, since its start. It tells nothing else: it is to be named in
    /// the next request.
    pub generation: String,
    /// Whether to forget everything first and to begin at `position`: the change that the verifier
    /// named is not in the feed, or the database is of another generation.
    pub forgets: bool,
    /// The changes after the one that the verifier named, up to `position`.
    pub changes: Vec<Change>,
}

/// What a verifier must know before it reads a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "headers": ["x-api-key"],
    "query_parameters": [],
    "formats": [{"prefix": "ks_", "encoding": "base62", "key_length": 32}],
    "any_format": false
})))]
pub struct VerifierSettings {
    /// The headers that may carry a key, beside `Authorization: Bearer`.
    pub headers: Vec<String>,
    /// The query parameters that may carry one.
    pub query_parameters: Vec<String>,
    /// How keys may look.
    pub formats: Vec<KeyFormat>,
    /// Whether a key may also look like none of these, because keys were imported.
    pub any_format: bool,
}

/// How keys may look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "prefix": "ks_",
    "encoding": "base62",
    "key_length": 32
})))]
pub struct KeyFormat {
    /// What they begin with.
    pub prefix: String,
    /// How the random part is written: `base62` or `base64url`.
    pub encoding: String,
    /// How many bytes of randomness they have.
    pub key_length: i64,
}
