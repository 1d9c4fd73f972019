//! What may be set, from where, and what is said about mistakes: no environment, no files.

mod example;
mod values;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use secrecy::ExposeSecret;

use super::sources::{ConfigFile, FOREIGN_VARIABLES};
use super::*;

/// 32 times `A`, in base64: recognisable wherever it must not be.
const MASTER_KEY: &str = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=";

fn sources(flags: &[(&'static str, &str)], environment: &[(&str, &str)], file: &str) -> Sources {
    Sources {
        flags: Flags {
            config: None,
            values: flags.iter().map(|(key, text)| (*key, (*text).to_owned())).collect(),
        },
        environment: environment
            .iter()
            .map(|(name, text)| ((*name).to_owned(), text.into()))
            .collect::<BTreeMap<_, _>>(),
        collector: false,
        file: Some(ConfigFile { path: PathBuf::from("keystile.toml"), text: file.to_owned() }),
        read: |path| match path.to_str() {
            Some("/run/secrets/key") => Ok(format!("{MASTER_KEY}\n")),
            Some("/run/secrets/password") => Ok("fifteen and more\n\n".to_owned()),
            _ => Err(io::ErrorKind::NotFound.into()),
        },
        cores: 3,
        terminal: false,
    }
}

fn environment(variables: &[(&str, &str)]) -> Sources {
    sources(&[], variables, "")
}

fn accepted(sources: &Sources) -> Settings {
    match Settings::from_sources(sources) {
        Ok((settings, _)) => settings,
        Err(error) => panic!("{error}"),
    }
}

/// The problems, one line each.
fn refused(sources: &Sources) -> Vec<String> {
    let error = Settings::from_sources(sources).expect_err("these settings are wrong").to_string();
    error.lines().skip(1).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn nothing_set_gives_the_defaults() {
    let settings = accepted(&environment(&[]));
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.public_url, None);
    assert_eq!(settings.peers.trusted_proxies, TrustedProxies::default());
    assert_eq!(settings.peers.insecure_http_from.iter().count(), 2);
    assert_eq!(settings.data_dir, PathBuf::from("./keystile-data"));
    let Database::Sqlite { path } = settings.database else { panic!("not SQLite") };
    assert_eq!(path, PathBuf::from("./keystile-data/keystile.db"));
    assert!(settings.master_key.is_none());
    assert_eq!(settings.limits.workers, 3);
    assert_eq!(settings.limits.request_timeout, Duration::from_secs(10));
    assert_eq!(settings.limits.max_header_bytes, 16 * 1024);
    assert_eq!(settings.limits.max_body_bytes, 64 * 1024);
    assert_eq!(settings.limits.drain_delay, Duration::ZERO);
    assert_eq!(settings.limits.usage_retention, Duration::from_secs(90 * 24 * 60 * 60));
    assert_eq!(settings.log.format, LogFormat::Json);
}

#[test]
fn the_log_is_text_on_a_terminal() {
    let sources = Sources { terminal: true, ..environment(&[]) };
    assert_eq!(accepted(&sources).log.format, LogFormat::Text);
}

#[test]
fn the_database_is_in_the_data_directory() {
    let settings = accepted(&environment(&[("KEYSTILE_DATA_DIR", "/var/lib/keystile")]));
    let Database::Sqlite { path } = settings.database else { panic!("not SQLite") };
    assert_eq!(path, PathBuf::from("/var/lib/keystile/keystile.db"));
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let flag = ("listen", "127.0.0.1:1");
    let variable = ("KEYSTILE_LISTEN", "127.0.0.1:2");
    let file = "listen = '127.0.0.1:3'";
    let port = |sources| accepted(&sources).listen.port();
    assert_eq!(port(sources(&[flag], &[variable], file)), 1);
    assert_eq!(port(sources(&[], &[variable], file)), 2);
    assert_eq!(port(sources(&[], &[], file)), 3);
}

#[test]
fn an_empty_variable_is_a_value() {
    let settings = accepted(&environment(&[("KEYSTILE_INSECURE_HTTP_FROM", "")]));
    assert_eq!(settings.peers.insecure_http_from.iter().count(), 0);
    let problems = refused(&environment(&[("KEYSTILE_PUBLIC_URL", "")]));
    assert!(problems[0].starts_with("KEYSTILE_PUBLIC_URL must be"), "{problems:?}");
}

#[test]
fn the_file_may_have_numbers_and_arrays() {
    let file = "workers = 0x10\nmax_body_bytes = 1_024\ntrusted_proxies = ['10.0.0.0/8', '::2']";
    let settings = accepted(&sources(&[], &[], file));
    assert_eq!(settings.limits.workers, 16);
    assert_eq!(settings.limits.max_body_bytes, 1024);
    assert_eq!(settings.peers.trusted_proxies, "10.0.0.0/8,::2".parse().unwrap());
}

#[test]
fn a_wrong_type_in_the_file_is_refused() {
    let file = "listen = 3\nworkers = 1.5\ndata_dir = ['a']\ntrusted_proxies = [1]\nlog = true";
    assert_eq!(
        refused(&sources(&[], &[], file)),
        [
            "`listen` in keystile.toml line 1 must be a string in quotes",
            "`trusted_proxies` in keystile.toml line 4 must be an array of strings",
            "`data_dir` in keystile.toml line 3 must be a string in quotes",
            "`workers` in keystile.toml line 2 must be a whole number",
            "`log` in keystile.toml line 5 must be a string in quotes",
        ]
    );
}

#[test]
fn an_unknown_key_in_the_file_is_refused_by_name_and_line() {
    let file = "workers = 2\n\nlistne = 'x'\n[server]\nlisten = 'x'";
    let problems = refused(&sources(&[], &[], file));
    assert!(problems.contains(&"`listne` in keystile.toml line 3 is not a setting".to_owned()));
    assert!(problems.contains(&"`server` in keystile.toml line 4 is not a setting".to_owned()));
}

#[test]
fn an_unknown_variable_is_a_warning_and_those_of_the_command_line_are_none() {
    let mut variables = vec![("KEYSTILE_PORT", "tcp://10.0.0.1:80"), ("KEYSTILE_LISTEN_FILE", "x")];
    variables.extend(FOREIGN_VARIABLES.iter().map(|name| (*name, "x")));
    variables.push((CONFIG_VARIABLE, "keystile.toml"));
    let (_, warnings) = Settings::from_sources(&environment(&variables)).unwrap();
    let warnings: Vec<_> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "KEYSTILE_LISTEN_FILE is not a setting, and ignored",
            "KEYSTILE_PORT is not a setting, and ignored",
        ]
    );
}

#[test]
fn all_wrong_settings_are_named_at_once_as_they_were_written() {
    let problems = refused(&sources(
        &[("listen", "localhost")],
        &[("KEYSTILE_WORKERS", "0"), ("KEYSTILE_MASTER_KEY_FILE", "/nowhere")],
        "drain_delay = '5'\nunknown = 1",
    ));
    let names: Vec<_> = problems.iter().filter_map(|line| line.split(' ').next()).collect();
    let written = ["`unknown`", "--listen", "KEYSTILE_MASTER_KEY_FILE", "KEYSTILE_WORKERS"];
    assert_eq!(names, [&written[..], &["`drain_delay`"]].concat());
}

#[test]
fn every_setting_is_read_and_judged() {
    for setting in SETTINGS {
        let variable = setting.variable();
        // A control character is wrong in anything.
        let problems = refused(&environment(&[(&variable, "\u{1}")]));
        assert!(problems[0].starts_with(&format!("{variable} must ")), "{problems:?}");
    }
}

#[test]
fn a_secret_may_be_in_a_file_and_loses_one_line_end() {
    let settings = accepted(&environment(&[
        ("KEYSTILE_MASTER_KEY_FILE", "/run/secrets/key"),
        ("KEYSTILE_BOOTSTRAP_ADMIN_KEY", "ks_0123456789012345678"),
    ]));
    assert_eq!(*settings.master_key.unwrap().to_base64(), MASTER_KEY);
    let problems = refused(&environment(&[(
        "KEYSTILE_BOOTSTRAP_ADMIN_PASSWORD_FILE",
        "/run/secrets/password",
    )]));
    assert!(problems[0].contains("none of them control"), "{problems:?}");
}

#[test]
fn a_secret_in_a_variable_and_in_a_file_is_refused() {
    let problems = refused(&environment(&[
        ("KEYSTILE_MASTER_KEY", MASTER_KEY),
        ("KEYSTILE_MASTER_KEY_FILE", "/run/secrets/key"),
    ]));
    assert_eq!(problems.len(), 1);
    assert!(problems[0].starts_with("KEYSTILE_MASTER_KEY_FILE and the variable"), "{problems:?}");
}

#[test]
fn a_variable_that_is_no_text_is_refused() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;
    let mut sources = environment(&[]);
    let name = "KEYSTILE_BOOTSTRAP_ADMIN_PASSWORD";
    sources.environment.insert(name.to_owned(), OsString::from_vec(vec![0xff; 20]));
    assert_eq!(refused(&sources), [format!("{name} must be UTF-8 text")]);
}

#[test]
fn postgresql_needs_a_master_key() {
    let postgres = ("KEYSTILE_DATABASE_URL", "postgres://keystile@db/keystile");
    let problems = refused(&environment(&[postgres]));
    assert!(problems[0].starts_with("KEYSTILE_MASTER_KEY must be set"), "{problems:?}");
    let settings = accepted(&environment(&[postgres, ("KEYSTILE_MASTER_KEY", MASTER_KEY)]));
    let Database::Postgres { url, direct_url } = settings.database else { panic!("no PostgreSQL") };
    assert_eq!(url.expose_secret(), direct_url.expose_secret());
}

#[test]
fn a_certificate_and_its_key_are_set_together() {
    let certificate = ("KEYSTILE_TLS_CERT", "/etc/tls.crt");
    let key = ("KEYSTILE_TLS_KEY", "/etc/tls.key");
    let files = accepted(&environment(&[certificate, key])).tls.unwrap();
    assert_eq!(files.certificate, PathBuf::from("/etc/tls.crt"));
    assert_eq!(files.key, PathBuf::from("/etc/tls.key"));
    let problems = refused(&environment(&[certificate]));
    assert_eq!(problems, ["KEYSTILE_TLS_KEY must be set with tls_cert"]);
    let problems = refused(&environment(&[key]));
    assert_eq!(problems, ["KEYSTILE_TLS_CERT must be set with tls_key"]);
}

#[test]
fn a_direct_url_beside_sqlite_is_refused() {
    let problems = refused(&environment(&[("KEYSTILE_DATABASE_DIRECT_URL", "postgres://db/k")]));
    assert!(problems[0].starts_with("KEYSTILE_DATABASE_DIRECT_URL must be left out"));
}

/// Every secret, each with a canary that is right and one that is wrong.
const CANARIES: &[(&str, &str, &str)] = &[
    ("database_url", "postgres://u:canary@db/k", "postgres://u:canary@db/k?sslmode=canary"),
    ("database_direct_url", "postgres://u:canary@db/k", "postgres://u:can/ary@db/canary"),
    ("redis_url", "redis://:canary@redis/0", "redis+unix:///r.sock?pass=canary"),
    ("master_key", MASTER_KEY, "canary"),
    ("bootstrap_admin_key", "ks_canary_canary_canary", "canary canary canary canary"),
    ("bootstrap_admin_password", "canary canary canary", "canary"),
    ("sso_client_secret", "canary", "canary canary\u{202e}"),
];

fn shows_a_secret(text: &str) -> bool {
    ["canary", MASTER_KEY, "65, 65"].iter().any(|canary| text.contains(canary))
}

#[test]
fn the_canaries_are_all_the_secrets() {
    let keys = CANARIES.iter().map(|(key, ..)| *key);
    assert!(SETTINGS.iter().filter(|setting| setting.is_secret()).map(|s| s.key).eq(keys));
}

#[test]
fn no_secret_is_shown() {
    let variables: Vec<_> = CANARIES
        .iter()
        .map(|(key, right, _)| (format!("KEYSTILE_{}", key.to_uppercase()), *right))
        .collect();
    let variables = variables.iter().map(|(name, text)| (name.as_str(), *text));
    let provider = [
        ("KEYSTILE_SSO_AUTHORITY", "https://idp.example"),
        ("KEYSTILE_SSO_AUDIENCE", "keystile"),
        ("KEYSTILE_SSO_CLIENT_ID", "console"),
    ];
    let sources = environment(&variables.chain(provider).collect::<Vec<_>>());
    let settings = accepted(&sources);
    for text in [format!("{settings:?}"), show(&sources)] {
        assert!(!shows_a_secret(&text), "{text}");
    }
    assert!(
        show(&sources).contains("database_url = \"postgres://u:********@db/k\"  # environment")
    );
}

#[test]
fn no_secret_is_in_an_error() {
    for (key, _, wrong) in CANARIES {
        let variable = format!("KEYSTILE_{}", key.to_uppercase());
        for sources in [
            environment(&[(&variable, wrong)]),
            environment(&[(&format!("{variable}_FILE"), wrong)]),
            sources(&[], &[], &format!("{key} = '{wrong}'")),
            sources(&[], &[], &format!("{key} = '{wrong}")),
            sources(&[], &[], &format!("{key} = {wrong}")),
            sources(&[], &[], &format!("{key} = ['{wrong}']")),
        ] {
            let error = Settings::from_sources(&sources).unwrap_err();
            assert!(!shows_a_secret(&format!("{error} {error:?}")), "{error}");
        }
    }
}

#[test]
fn what_is_shown_is_a_file_of_the_same_settings() {
    let file = "workers = 5\ntrusted_proxies = ['10.1.0.0/16']\nlog = 'info,actix_web=debug'";
    let before =
        sources(&[("data_dir", "it's a \"dir\"")], &[("KEYSTILE_LISTEN", "[::1]:9")], file);
    let shown = show(&before);
    for origin in
        ["# flag --data-dir", "# environment KEYSTILE_LISTEN", "# file keystile.toml line 1"]
    {
        assert!(shown.contains(origin), "{shown}");
    }
    let after = sources(&[], &[], &shown);
    assert_eq!(format!("{:?}", accepted(&before)), format!("{:?}", accepted(&after)));
}
