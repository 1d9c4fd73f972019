//! Changes of how keys and tokens look and live. Those that exist stay as they are.

use keystile_domain::{
    Encoding, FormatError, HeaderName, KeyLength, KeySettings, Prefix, ProviderKind, QueryName,
    SecretFormat,
};

/// What shall be different about keys or tokens.
#[derive(Clone, Debug, Default)]
pub struct KeysChange {
    /// What new ones begin with.
    pub prefix: Option<Prefix>,
    /// How they are written.
    pub encoding: Option<Encoding>,
    /// How much entropy they carry.
    pub key_length: Option<KeyLength>,
    /// How long they live, in minutes; `Some(None)`: for ever.
    pub default_expiry_minutes: Option<Option<u32>>,
    /// How long they live at most, in minutes; `Some(None)`: for ever.
    pub max_expiry_minutes: Option<Option<u32>>,
    /// The header that may carry one.
    pub header_name: Option<HeaderName>,
    /// Whether a bearer token may be one.
    pub accept_bearer: Option<bool>,
    /// Whether the query string may carry one.
    pub allow_query_string: Option<bool>,
    /// The query parameter that may carry one.
    pub query_parameter_name: Option<QueryName>,
    /// Whether administrators may make tokens for other people.
    pub admin_may_create: Option<bool>,
}

impl KeysChange {
    pub(super) fn apply(self, before: KeySettings) -> KeySettings {
        KeySettings {
            format: SecretFormat {
                prefix: self.prefix.unwrap_or(before.format.prefix),
                encoding: self.encoding.unwrap_or(before.format.encoding),
                key_length: self.key_length.unwrap_or(before.format.key_length),
            },
            default_expiry_minutes: self
                .default_expiry_minutes
                .unwrap_or(before.default_expiry_minutes),
            max_expiry_minutes: self.max_expiry_minutes.unwrap_or(before.max_expiry_minutes),
            header_name: self.header_name.unwrap_or(before.header_name),
            accept_bearer: self.accept_bearer.unwrap_or(before.accept_bearer),
            allow_query_string: self.allow_query_string.unwrap_or(before.allow_query_string),
            query_parameter_name: self.query_parameter_name.unwrap_or(before.query_parameter_name),
            admin_may_create: self.admin_may_create.unwrap_or(before.admin_may_create),
        }
    }
}

/// How keys, or personal access tokens, look and live where nobody says otherwise.
pub(crate) fn key_defaults(kind: ProviderKind) -> Result<KeySettings, FormatError> {
    let (prefix, days) = match kind {
        ProviderKind::PersonalAccessToken => ("ks_pat_", Some((90, 365))),
        _ => ("ks_", None),
    };
    Ok(KeySettings {
        format: SecretFormat {
            prefix: prefix.parse()?,
            encoding: Encoding::Base62,
            key_length: KeyLength::default(),
        },
        default_expiry_minutes: days.map(|(default, _)| default * MINUTES_A_DAY),
        max_expiry_minutes: days.map(|(_, max)| max * MINUTES_A_DAY),
        header_name: HeaderName::default(),
        accept_bearer: true,
        allow_query_string: false,
        query_parameter_name: QueryName::default(),
        admin_may_create: false,
    })
}

const MINUTES_A_DAY: u32 = 24 * 60;
