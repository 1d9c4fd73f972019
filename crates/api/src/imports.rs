//! Keys that come from another store, on the wire.

use serde::{Deserialize, Serialize};

/// The hash that another store kept of a key, and how it was made.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "algorithm": "sha256",
    "value": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
})))]
pub struct KeyHash {
    /// `sha1`, `sha256`, `sha512`, `hmac-sha256`, `bcrypt`, `argon2` or `pbkdf2`.
    #[cfg_attr(feature = "openapi", schema(example = "sha256"))]
    pub algorithm: String,
    /// The hash; of `bcrypt`, `argon2` and `pbkdf2` the whole text with its parameters: at most
    /// cost 13, 128 MiB and 512 MiB times the passes, and 2,000,000 iterations.
    pub value: String,
    /// How the hash is written: `hex` (the default), `base64` or `base64url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// What of the key was hashed; left out: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<HashedPart>,
    /// What was hashed with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<HashSalt>,
    /// Of `hmac-sha256`: the key of the HMAC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<HashKey>,
    /// What the key begins with: 1 to 32 characters. Needed for `bcrypt`, `argon2` and `pbkdf2`,
    /// and where each key has a salt of its own. At most 8 keys that nobody has shown yet may begin
    /// alike; those with slow hashes count as up to 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 32))]
    pub prefix: Option<String>,
}

/// A part of a key; exactly one member says which.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({"after_first": "."})))]
pub struct HashedPart {
    /// What follows the first place of this mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_first: Option<String>,
    /// What follows the last place of this mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_last: Option<String>,
    /// What is left without so many characters at the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 256))]
    pub skip: Option<i64>,
}

/// A salt, or a pepper that was hashed with the key.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({"value": "x1", "position": "after"})))]
pub struct HashSalt {
    /// The salt.
    pub value: String,
    /// How it is written: `text` (the default), `hex`, `base64` or `base64url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// On which side of the key it was: `before` (the default) or `after`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
}

/// The key of an HMAC.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({"value": "old pepper"})))]
pub struct HashKey {
    /// The key.
    #[cfg_attr(feature = "openapi", schema(format = Password))]
    pub value: String,
    /// How it is written: `text` (the default), `hex`, `base64` or `base64url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
}
