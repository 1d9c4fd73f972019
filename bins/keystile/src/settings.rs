//! The settings of the server: read once at the start, from flags, environment and file.
//!
//! - `table` lists every setting: names, defaults, descriptions
//! - `sources` gathers what the process was started with
//! - `effective` and `file` find the text that counts
//! - `values`, `database` and `log` turn text into types
//! - `problem` is what can be wrong with it
//! - `show` prints the result
//!
//! Behind this module there is nothing but types that hold their own rules: nobody parses a setting
//! again.

mod database;
mod effective;
mod file;
mod log;
mod problem;
mod show;
mod sources;
mod sso;
mod table;
mod values;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use keystile_auth::{Networks, TrustedProxies};
use keystile_domain::{JwtAlgorithm, Secret};
use keystile_http::CertificateFiles;
use keystile_service::MasterKey;
use keystile_service::cluster::Lease;
use keystile_service::limits::{FailureLimit, RedisUrl};
use keystile_service::providers::Sso;
use secrecy::SecretString;

use effective::Effective;
use problem::Rule;

pub use database::Database;
pub use log::{Log, LogFormat};
pub use problem::{SettingsError, Warning};
pub use show::show;
pub use sources::{CONFIG_VARIABLE, Flags, Sources};
pub use table::{Fallback, SETTINGS, Setting};
pub use values::PublicUrl;

/// Everything that can be set.
#[derive(Debug)]
pub struct Settings {
    /// Where the server listens.
    pub listen: SocketAddr,
    /// Where the metrics are shown. Unset: on the main listener.
    pub metrics_listen: Option<SocketAddr>,
    /// How the world reaches the server. Unset: `http://<listen>`, or with a certificate
    /// `https://<listen>`, as the first start stored it.
    pub public_url: Option<PublicUrl>,
    /// Unset: plain HTTP.
    pub tls: Option<CertificateFiles>,
    /// Which peers are believed.
    pub peers: Peers,
    /// Where the server keeps its files.
    pub data_dir: PathBuf,
    /// Which database.
    pub database: Database,
    /// Always set with [`Database::Postgres`]. Unset: the one in the data directory.
    pub master_key: Option<MasterKey>,
    /// Where the company signs in.
    pub sso: Option<Sso>,
    /// What the first start uses instead of generated secrets.
    pub bootstrap: Bootstrap,
    /// What access tokens are signed with.
    pub jwt_algorithm: JwtAlgorithm,
    /// Where limits are counted across servers.
    pub redis: Option<RedisUrl>,
    /// How much, and for how long.
    pub limits: Limits,
    /// What is logged.
    pub log: Log,
    /// Whether traces are sent to a collector.
    pub traces: bool,
}

/// Which peers are believed, and in what.
#[derive(Debug)]
pub struct Peers {
    /// Those whose word on a client's address and scheme is taken.
    pub trusted_proxies: TrustedProxies,
    /// Those whose plain HTTP counts as secure.
    pub insecure_http_from: Networks,
}

/// Secrets for the first start on an empty database. Later starts ignore them.
#[derive(Debug)]
pub struct Bootstrap {
    /// The administrator's API key: 20 to 512 visible ASCII characters.
    pub admin_key: Option<Secret>,
    /// The password of the user `admin`.
    pub admin_password: Option<SecretString>,
}

/// How much the server takes on, and how long it waits.
#[derive(Debug)]
pub struct Limits {
    /// Threads that answer requests.
    pub workers: usize,
    /// For a whole request to arrive.
    pub request_timeout: Duration,
    /// The longest headers of a request, together.
    pub max_header_bytes: usize,
    /// The longest body of a request that is no batch.
    pub max_body_bytes: usize,
    /// Memory for what credentials are remembered by.
    pub cache_bytes: usize,
    /// How long that may be believed when the database has gone.
    pub lease: Lease,
    /// Between SIGTERM and the end of accepting.
    pub drain_delay: Duration,
    /// For refused credentials of one address; unset: any number.
    pub failure_limit: Option<FailureLimit>,
    /// For the counts of checks to be kept.
    pub usage_retention: Duration,
}

impl Settings {
    /// Reads the settings: flags before environment before file before defaults.
    ///
    /// Only the value that counts is judged; unknown flags and keys are wrong anywhere.
    ///
    /// # Errors
    /// Everything that is wrong, in one error. No value is in it.
    pub fn from_sources(sources: &Sources) -> Result<(Self, Vec<Warning>), SettingsError> {
        let mut effective = Effective::from_sources(sources);
        let settings = Self::read(&mut effective, sources.collector);
        let problems = effective.problems();
        match settings {
            Some(settings) if problems.is_empty() => {
                Ok((settings, effective::unknown_variables(sources)))
            }
            _ => Err(SettingsError::new(problems)),
        }
    }

    /// Every setting is read before the first `?`, so that every mistake is found.
    fn read(effective: &mut Effective, traces: bool) -> Option<Self> {
        let listen = effective.parse("listen", values::socket_address);
        let metrics_listen = effective.parse("metrics_listen", values::socket_address);
        let public_url = effective.parse("public_url", values::public_url);
        let tls = read_tls(effective);
        let peers = Peers::read(effective);
        let data_dir = effective.parse("data_dir", values::directory);
        let database = Database::read(effective);
        let master_key = effective.parse("master_key", values::master_key);
        let sso = sso::read(effective);
        let bootstrap = Bootstrap::read(effective);
        let jwt_algorithm = effective.parse("jwt_algorithm", values::jwt_algorithm);
        let redis = effective.parse("redis_url", str::parse::<RedisUrl>);
        let limits = Limits::read(effective);
        let log = Log::read(effective);
        Some(Self {
            listen: listen?,
            metrics_listen,
            public_url,
            tls,
            peers: peers?,
            data_dir: data_dir?,
            database: database?,
            master_key,
            sso,
            bootstrap,
            jwt_algorithm: jwt_algorithm?,
            redis,
            limits: limits?,
            log: log?,
            traces,
        })
    }
}

/// Both files or neither.
fn read_tls(effective: &mut Effective) -> Option<CertificateFiles> {
    let certificate = effective.parse("tls_cert", values::file);
    let key = effective.parse("tls_key", values::file);
    for (one, other, rule) in [
        ("tls_cert", "tls_key", Rule("must be set with tls_key")),
        ("tls_key", "tls_cert", Rule("must be set with tls_cert")),
    ] {
        if effective.value(one).is_none() && effective.value(other).is_some() {
            effective.refuse(one, rule);
        }
    }
    Some(CertificateFiles { certificate: certificate?, key: key? })
}

impl Peers {
    fn read(effective: &mut Effective) -> Option<Self> {
        let trusted_proxies = effective.parse("trusted_proxies", values::proxies);
        let insecure_http_from = effective.parse("insecure_http_from", values::networks);
        Some(Self { trusted_proxies: trusted_proxies?, insecure_http_from: insecure_http_from? })
    }
}

impl Bootstrap {
    fn read(effective: &mut Effective) -> Self {
        Self {
            admin_key: effective.parse("bootstrap_admin_key", values::admin_key),
            admin_password: effective.parse("bootstrap_admin_password", values::admin_password),
        }
    }
}

impl Limits {
    fn read(effective: &mut Effective) -> Option<Self> {
        let workers = effective.parse("workers", values::workers);
        let request_timeout = effective.parse("request_timeout", values::deadline);
        let max_header_bytes = effective.parse("max_header_bytes", values::header_bytes);
        let max_body_bytes = effective.parse("max_body_bytes", values::body_bytes);
        let cache_bytes = effective.parse("cache_bytes", values::cache_bytes);
        let lease = effective.parse("lease", values::lease);
        let failure_limit = effective.parse("failure_limit", str::parse::<FailureLimit>);
        let drain_delay = effective.parse("drain_delay", values::delay);
        let usage_retention = effective.parse("usage_retention_days", values::days);
        Some(Self {
            workers: workers?,
            request_timeout: request_timeout?,
            max_header_bytes: max_header_bytes?,
            max_body_bytes: max_body_bytes?,
            cache_bytes: cache_bytes?,
            lease: lease?,
            drain_delay: drain_delay?,
            failure_limit,
            usage_retention: usage_retention?,
        })
    }
}

#[cfg(test)]
mod tests;
