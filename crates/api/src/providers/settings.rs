//! The settings of every kind, which several types have in common: one home for the description and
//! the type of each.

/// Defines a type with members of its own and all settings behind them. serde could flatten the
/// latter in, but would then let unknown members pass.
macro_rules! with_settings {
    ($($own:tt)*) => {
        define! {
            { $($own)* }
            /// Keys and tokens: what new ones begin with: up to 32 of `a-z`, `0-9` and `_`.
            prefix: (String),
            /// Keys and tokens: how many bytes of entropy new ones carry: 16 to 64.
            key_length: (i64),
            /// Keys and tokens: `base62` or `base64url`.
            encoding: (String),
            /// Keys and tokens: how long new ones live that name no end; `null`: for ever.
            default_expiry_minutes: (i64),
            /// Keys and tokens: how long new ones live at most; `null`: for ever.
            max_expiry_minutes: (i64),
            /// Keys and tokens: the header that may carry one.
            header_name: (String),
            /// Keys and tokens: whether `Authorization: Bearer` may carry one.
            accept_bearer: (bool),
            /// Keys and tokens: whether the query string may carry one.
            allow_query_string: (bool),
            /// Keys and tokens: the query parameter that may carry one.
            query_parameter_name: (String),
            /// `personal_access_token`: whether administrators may make tokens for other people.
            admin_may_create: (bool),
            /// `oidc`: the issuer, to the letter: an `https` URL, or `http` on this machine.
            authority: (String),
            /// `oidc`: what `aud` must contain. Required.
            audience: (String),
            /// `oidc`: what `scope` or `scp` must contain; `null`: nothing.
            required_scope: (String),
            /// `oidc`: what the issuer calls Keystile's sign-in page; `azp`, where a token has one,
            /// must be it. `null`: tokens of every client are accepted.
            client_id: (String),
            /// `oidc`: what tokens may be signed with: `EdDSA`, `ES256`, `ES384`, `PS256`, `PS384`,
            /// `PS512`, `RS256`, `RS384`, `RS512`.
            algorithms: (Vec<String>),
            /// `oidc`: whether only tokens of the type `at+jwt` (RFC 9068) are accepted.
            require_typ: (bool),
            /// `oidc`: the claim that names a user that is made at first sight.
            username_claim: (String),
            /// `oidc`: the claim that names roles; `null`: none does.
            role_claim: (String),
            /// `oidc`: which role ids each value of that claim stands for.
            role_mapping: (BTreeMap<String, Vec<i64>>),
            /// `oidc`: whether a user is made for a subject that was never seen.
            create_users: (bool),
            /// `oidc`: what tokens of machines may be traded for. With any, none of this provider
            /// is a user's.
            trust_rules: (Vec<TrustRule>),
            /// `password`: the fewest characters of a new password: 8 to 64.
            min_length: (i64),
            /// `password`: after how many failures in a row attempts with one name are slowed down.
            lockout_name_failures: (i64),
            /// `password`: after how many failures in a row those from one address are slowed down.
            lockout_address_failures: (i64),
            /// `password`: how long an access token lives: 1 to 15 minutes.
            access_minutes: (i64),
            /// `password`: how long a session lives on without being refreshed.
            refresh_minutes: (i64),
            /// `password`: how long a session lives at most.
            session_minutes: (i64),
            /// `password`: the memory that argon2id takes for one password, in KiB.
            hash_memory_kib: (i64),
            /// `password`: how often it goes over the memory.
            hash_iterations: (i64),
            /// `password`: how many lanes it has.
            hash_parallelism: (i64),
        }
    };
}

macro_rules! define {
    (
        { $(#[$head:meta])* pub struct $name:ident { $($own:tt)* } }
        $($(#[$doc:meta])* $field:ident: ($($type:tt)+),)+
    ) => {
        $(#[$head])*
        pub struct $name {
            $($own)*
            $(
                $(#[$doc])*
                #[serde(default, skip_serializing_if = "Patch::is_absent")]
                #[cfg_attr(feature = "openapi", schema(value_type = Option<$($type)+>))]
                pub $field: Patch<$($type)+>,
            )+
        }

        impl $name {
            /// Takes the settings out, and leaves none behind.
            #[must_use]
            pub fn take_settings(&mut self) -> Settings {
                Settings { $($field: std::mem::take(&mut self.$field),)+ }
            }

            /// The same with these settings.
            #[must_use]
            pub fn with_settings(mut self, settings: Settings) -> Self {
                $(self.$field = settings.$field;)+
                self
            }
        }
    };
}
