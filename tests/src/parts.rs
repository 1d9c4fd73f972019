//! The parts of the suite that need a program which a machine may lack.

use std::{env, fs::OpenOptions, io::Write};

use crate::programs;

/// A part of the suite, by what it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Chromium or Chrome, with its `chromedriver`.
    Browser,
    /// The programs `curl` and `jq`, for the lines of the documentation.
    Curl,
    /// `libfaketime`.
    FakeTime,
    /// nginx, Caddy and `haproxy`, which distributions package.
    Gateways,
    /// Keycloak, and Java.
    Keycloak,
    /// Envoy and Traefik, from the packages of `tests/gateways/requirements.txt`.
    NewGateways,
    /// The npm package `oidc-provider`, and Node.js.
    OpenId,
    /// PgBouncer, a pooler for PostgreSQL.
    PgBouncer,
    /// PostgreSQL's server programs.
    Postgres,
    /// Python, and the packages of `tests/python/requirements.txt`.
    Python,
    /// `redis-server`.
    Redis,
    /// The shells `fish` and `zsh`.
    Shells,
}

impl Part {
    /// Every part there is.
    pub const ALL: [Self; 12] = [
        Self::Browser,
        Self::Curl,
        Self::FakeTime,
        Self::Gateways,
        Self::Keycloak,
        Self::NewGateways,
        Self::OpenId,
        Self::PgBouncer,
        Self::Postgres,
        Self::Python,
        Self::Redis,
        Self::Shells,
    ];

    /// The name in messages and lists.
    pub fn name(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Curl => "curl and jq",
            Self::FakeTime => "faketime",
            Self::Gateways => "nginx, caddy and haproxy",
            Self::Keycloak => programs::KEYCLOAK,
            Self::NewGateways => "envoy and traefik",
            Self::OpenId => "oidc-provider",
            Self::PgBouncer => "pgbouncer",
            Self::Postgres => "postgresql",
            Self::Python => "python packages",
            Self::Redis => "redis",
            Self::Shells => "fish and zsh",
        }
    }

    /// Whether this machine has what the part needs.
    pub fn is_here(self) -> bool {
        match self {
            Self::Browser => {
                let browsers = ["chromium", "google-chrome", "chromium-browser"];
                programs::find("chromedriver").is_some()
                    && browsers.into_iter().any(|name| programs::find(name).is_some())
            }
            Self::Curl => ["curl", "jq"].iter().all(|name| programs::find(name).is_some()),
            Self::FakeTime => programs::faketime().is_some(),
            Self::Gateways => {
                ["nginx", "caddy", "haproxy"].iter().all(|name| programs::gateway(name).is_some())
            }
            Self::Keycloak => programs::keycloak().is_some(),
            Self::NewGateways => {
                ["envoy", "traefik"].iter().all(|name| programs::gateway(name).is_some())
            }
            Self::OpenId => programs::oidc_provider().is_some(),
            Self::PgBouncer => programs::gateway("pgbouncer").is_some(),
            Self::Postgres => programs::postgres().is_some(),
            Self::Python => programs::python().is_some(),
            Self::Redis => programs::find("redis-server").is_some(),
            Self::Shells => ["fish", "zsh"].iter().all(|name| programs::find(name).is_some()),
        }
    }

    /// Whether a test of this part can run. If not, the skip is recorded in the file that
    /// `KEYSTILE_SKIPPED_FILE` names.
    ///
    /// # Panics
    /// If it cannot run where nothing may be skipped: `CI=true` or `KEYSTILE_TESTS_REQUIRE_ALL`.
    pub fn or_skip(self) -> bool {
        if self.is_here() {
            return true;
        }
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        let line = format!("{test}: needs {}, which is not here", self.name());
        assert!(!all_required(), "{line}");
        eprintln!("skipped: {line}");
        if let Some(file) = env::var_os("KEYSTILE_SKIPPED_FILE") {
            let file = OpenOptions::new().append(true).create(true).open(file);
            writeln!(file.expect("the list of what was skipped"), "{line}").expect("room for it");
        }
        false
    }
}

fn all_required() -> bool {
    env::var_os("CI").is_some_and(|value| value == "true")
        || env::var_os("KEYSTILE_TESTS_REQUIRE_ALL").is_some()
}
