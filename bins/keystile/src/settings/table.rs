//! The table of settings: the one home of each setting's name, default and description.
//!
//! The flags, the environment variables, the keys of the file, the help, the example file and
//! `config show` are all read from here, so that none of them can know a setting that the others
//! do not.

/// One setting, as people meet it.
pub struct Setting {
    /// The key in the TOML file; the names of variable and flag follow from it.
    pub key: &'static str,
    /// The heading under which help and example file list it.
    pub group: &'static str,
    /// What kind of value it takes, as the help names it.
    pub takes: &'static str,
    /// Whether there is a command-line flag. A secret on a command line is in every process list.
    pub flag: bool,
    /// The TOML types that may stand for it.
    pub form: Form,
    /// How much of the value may be shown.
    pub shown: Shown,
    /// The value where nobody sets one.
    pub default: Fallback,
    /// One or two sentences for the help and the example file.
    pub about: &'static str,
}

/// What a setting may be written as in TOML; elsewhere it is always text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A string with commas, or an array of strings.
    List,
    /// An integer, or a string of digits.
    Number,
    /// A string.
    Text,
}

/// How much of a value may be shown to whoever asks for the effective settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Nothing of it.
    Never,
    /// All of it.
    Plainly,
    /// A URL, with its password masked.
    WithoutPassword,
}

/// What holds where nobody sets a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// Found out at the start, or left unset.
    Rule {
        /// What happens, in words.
        says: &'static str,
        /// A value for the example file. For secrets it is one that is refused, so that nobody runs
        /// with a secret that is printed in a public file.
        example: &'static str,
    },
    /// Always this text.
    Value(&'static str),
}

impl Setting {
    /// The setting of this key.
    pub fn find(key: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.key == key)
    }

    /// The name of its environment variable.
    pub fn variable(&self) -> String {
        format!("{VARIABLE_PREFIX}{}", self.key.to_uppercase())
    }

    /// The name of the variable that names a file with the value: secrets alone have one.
    pub fn file_variable(&self) -> Option<String> {
        self.is_secret().then(|| format!("{}_FILE", self.variable()))
    }

    /// The name of its flag, without the hyphens in front.
    pub fn flag(&self) -> Option<String> {
        self.flag.then(|| self.key.replace('_', "-"))
    }

    /// Whether the value is, or contains, a secret.
    pub fn is_secret(&self) -> bool {
        self.shown != Shown::Plainly
    }
}

/// What the name of every environment variable of ours begins with.
pub const VARIABLE_PREFIX: &str = "KEYSTILE_";

const ADDRESS: &str = "Address";
const DATA: &str = "Data";
const FIRST_START: &str = "First start";
const LIMITS: &str = "Limits";
const LOG: &str = "Log";
const SSO: &str = "Single sign-on";
const TOKENS: &str = "Access tokens";

/// Every setting there is, in the order in which it is listed.
pub const SETTINGS: &[Setting] = &[
    Setting {
        key: "listen",
        group: ADDRESS,
        takes: "ADDRESS:PORT",
        flag: true,
        form: Form::Text,
        shown: Shown::Plainly,
        default: Fallback::Value("127.0.0.1:8080"),
        about: "Where the server listens.",
    },
    Setting {
        key: "public_url",
        group: ADDRESS,
        takes: "URL",
        flag: true,
        form: Form::Text,
        shown: Shown::Plainly,
        default: Fallback::Rule {
            says: "http://<listen> or https://<listen>, as the first start stored it",
            example: "https://keys.example.com",
        },
        about: "How the world reaches the server: the base of links and the issuer of tokens.",
    },
    Setting {
        key: "metrics_listen",
        group: ADDRESS,
        takes: "ADDRESS:PORT",
        flag: true,
        form: Form::Text,
        shown: Shown::Plainly,
        default: Fallback::Rule {
            says: "/metrics on the main listener, for whoever has keystile.metrics.read",
            example: "127.0.0.1:9464",
        },
        about: "Where /metrics is shown to whoever connects, over plain HTTP, and then nowhere else.",
    },
    Setting {
        key: "tls_cert",
        group: ADDRESS,
        takes: "FILE",
        flag: true,
        form: Form::Text,
        shown: Shown::Plainly,
        default: Fallback::Rule { says: "plain HTTP", example: "/etc/keystile/tls.crt" },
        about: "The server's certificate and those above it, PEM. Read again when it changes.",
    },
    Setting {
        key: "tls_key",
        group: ADDRESS,
        takes: "FILE",
        flag: true,
        form: Form::Text,
        shown: Shown::Plainly,
        default: Fallback::Rule { says: "plain HTTP", example: "/etc/keystile/tls.key" },
        about: "The private key of tls_cert, PEM and not encrypted.",
    },
    Setting {
        key: "trusted_proxies",
        group: ADDRESS,
        takes: "NETWORKS",
        flag: true,
        form: Form::List,
        shown: Shown::Plainly,
        default: Fallback::Value(""),
        about: "Networks of the proxies whose word on a client's address and scheme is taken.",
    },
    Setting {
        key: "insecure_http_from",
        group: ADDRESS,
        takes: "NETWORKS",
        flag: true,
        form: Form::List,
        shown: Shown::Plainly,
        default: Fallback::Value("127.0.0.0/8,::1"),
        about: "Networks whose plain HTTP counts as secure.",
    },
    Setting {
        key: "data_dir",
        group: DATA,
        takes: "DIRECTORY",
        flag: true,
        form: Form::Text,
        shown: Shown::Plainly,
        default: Fallback::Value("./keystile-data"),
        about: "Where the server keeps its files. Made with mode 0700.",
    },
    Setting {
        key: "database_url",
        group: DATA,
        takes: "URL",
        flag: true,
        form: Form::Text,
        shown: Shown::WithoutPassword,
        default: Fallback::Rule {
            says: "sqlite://<data dir>/keystile.db",
            example: "postgres://keystile@db.example.com/keystile?sslmode=verify-full",
        },
        about: "The database: sqlite://PATH, or postgres://… for production.",
    },
    Setting {
        key: "database_direct_url",
        group: DATA,
        takes: "URL",
        flag: false,
        form: Form::Text,
        shown: Shown::WithoutPassword,
        default: Fallback::Rule {
            says: "the same as database_url",
            example: "postgres://keystile@db-1.example.com/keystile?sslmode=verify-full",
        },
        about: "A way to PostgreSQL around a pooler, for the event feed and migrations.",
    },
    Setting {
        key: "redis_url",
        group: DATA,
        takes: "URL",
        flag: true,
        form: Form::Text,
        shown: Shown::WithoutPassword,
        default: Fallback::Rule {
            says: "each server counts limits for itself",
            example: "rediss://keystile@redis.example.com:6379/0",
        },
        about: "A Redis or Valkey in which all servers together count rate limits: redis://, or rediss:// for TLS.",
    },
    Setting {
        key: "master_key",
        group: DATA,
        takes: "32 bytes in base64",
        flag: false,
        form: Form::Text,
        shown: Shown::Never,
        default: Fallback::Rule {
            says: "with SQLite <data dir>/master.key, made on the first start; with PostgreSQL there \
                   is no default",
            example: "<32 bytes in base64>",
        },
        about: "The key that every secret of the server derives from: openssl rand -base64 32.",
    },
    Setting {
        key: "bootstrap_admin_key",
        group: FIRST_START,
        takes: "20 to 512 characters",
        flag: false,
        form: Form::Text,
        shown: Shown::Never,
        default: Fallback::Rule { says: "generated", example: "<an API key>" },
        about: "The administrator's API key. Used on the first start only.",
    },
    Setting {
        key: "bootstrap_admin_password",
        group: FIRST_START,
        takes: "15 characters or more",
        flag: false,
        form: Form::Text,
        shown: Shown::Never,
        default: Fallback::Rule { says: "generated", example: "<a password>" },
        about: "The password of the user admin. Used on the first start only.",
    },
    Setting {
        key: "jwt_algorithm",
        group: TOKENS,
        takes: "ALGORITHM",
        flag: false,
        form: Form::Text,
        shown: Shown::Plainly,
        default: Fallback::Value("EdDSA"),
        about: "What access tokens are signed with: EdDSA (Ed25519), ES256 or RS256.",
    },
    Setting {
        key: "sso_authority",
        group: SSO,
        takes: "URL",
        flag: false,
        form: Form::Text,
        shown: Shown::Plainly,
        default: Fallback::Rule {
            says: "no single sign-on",
            example: "https://login.example.com/realms/acme",
        },
        about: "Where the company signs in: the issuer of an OpenID provider, to the letter.",
    },
    Setting {
        key: "sso_audience",
        group: SSO,
        takes: "AUDIENCE",
        flag: false,
        form: Form::Text,
        shown: Shown::Plainly,
        default: Fallback::Rule { says: "none", example: "api://keystile" },
        about: "What its access tokens must be addressed to: their `aud`. Required with sso_authority.",
    },
    Setting {
        key: "sso_api_scope",
        group: SSO,
        takes: "SCOPE",
        flag: false,
        form: Form::Text,
        shown: Shown::Plainly,
        default: Fallback::Rule { says: "none", example: "keystile.use" },
        about: "The scope that its access tokens must have.",
    },
    Setting {
        key: "sso_client_id",
        group: SSO,
        takes: "ID",
        flag: false,
        form: Form::Text,
        shown: Shown::Plainly,
        default: Fallback::Rule { says: "none", example: "keystile" },
        about: "What the OpenID provider calls Keystile's own sign-in page: `azp`, where a token has one.",
    },
    Setting {
        key: "sso_client_secret",
        group: SSO,
        takes: "SECRET",
        flag: false,
        form: Form::Text,
        shown: Shown::Never,
        default: Fallback::Rule { says: "none", example: "<a client secret>" },
        about: "The secret that goes with sso_client_id.",
    },
    Setting {
        key: "workers",
        group: LIMITS,
        takes: "NUMBER",
        flag: true,
        form: Form::Number,
        shown: Shown::Plainly,
        default: Fallback::Rule { says: "the number of cores", example: "4" },
        about: "How many threads answer requests.",
    },
    Setting {
        key: "request_timeout",
        group: LIMITS,
        takes: "DURATION",
        flag: false,
        form: Form::Text,
        shown: Shown::Plainly,
        default: Fallback::Value("10s"),
        about: "How long a whole request may take to arrive.",
    },
    Setting {
        key: "lease",
        group: LIMITS,
        takes: "DURATION",
        flag: true,
        form: Form::Text,
        shown: Shown::Plainly,
        default: Fallback::Value("2s"),
        about: "How long a server that is cut off from the database goes on from memory, and so \
                the longest that a waiting revocation takes: 0s to 60s, one value for a cluster.",
    },
    Setting {
        key: "cache_bytes",
        group: LIMITS,
        takes: "BYTES",
        flag: true,
        form: Form::Number,
        shown: Shown::Plainly,
        default: Fallback::Value("67108864"),
        about: "How much memory credentials are remembered in, about.",
    },
    Setting {
        key: "max_header_bytes",
        group: LIMITS,
        takes: "BYTES",
        flag: false,
        form: Form::Number,
        shown: Shown::Plainly,
        default: Fallback::Value("16384"),
        about: "The longest headers of a request, together: names, values, and four for each.",
    },
    Setting {
        key: "max_body_bytes",
        group: LIMITS,
        takes: "BYTES",
        flag: false,
        form: Form::Number,
        shown: Shown::Plainly,
        default: Fallback::Value("65536"),
        about: "The longest request body. Batches have a limit of their own.",
    },
    Setting {
        key: "failure_limit",
        group: LIMITS,
        takes: "NUMBER/TIME",
        flag: false,
        form: Form::Text,
        shown: Shown::Plainly,
        default: Fallback::Rule { says: "no limit", example: "100/min" },
        about: "How many refused credentials one address may show before it has to wait: 100/min, with s, min, h or day.",
    },
    Setting {
        key: "drain_delay",
        group: LIMITS,
        takes: "DURATION",
        flag: true,
        form: Form::Text,
        shown: Shown::Plainly,
        default: Fallback::Value("0s"),
        about: "How long after SIGTERM the server still accepts while /readyz answers 503.",
    },
    Setting {
        key: "usage_retention_days",
        group: LIMITS,
        takes: "DAYS",
        flag: false,
        form: Form::Number,
        shown: Shown::Plainly,
        default: Fallback::Value("90"),
        about: "How long the counts of checks are kept. When a credential was last used stays.",
    },
    Setting {
        key: "log",
        group: LOG,
        takes: "LEVEL",
        flag: true,
        form: Form::Text,
        shown: Shown::Plainly,
        default: Fallback::Value("info"),
        about: "error, warn, info, debug or trace; also per module, as in info,keystile_storage=debug.",
    },
    Setting {
        key: "log_format",
        group: LOG,
        takes: "FORMAT",
        flag: true,
        form: Form::Text,
        shown: Shown::Plainly,
        default: Fallback::Rule {
            says: "text if standard error is a terminal, else json",
            example: "json",
        },
        about: "text or json.",
    },
];
