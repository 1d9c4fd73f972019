//! Which texts the single settings take.

use super::*;

/// Asserts that the setting takes all of `right` and none of `wrong`.
fn takes(key: &str, right: &[&str], wrong: &[&str]) {
    let variable = format!("KEYSTILE_{}", key.to_uppercase());
    let variables = |text| [(variable.as_str(), text), ("KEYSTILE_MASTER_KEY", MASTER_KEY)];
    for text in right {
        accepted(&environment(&variables(text)));
    }
    for text in wrong {
        let problems = refused(&environment(&variables(text)));
        assert!(problems[0].starts_with(&variable), "{text}: {problems:?}");
    }
}

#[test]
fn an_address_has_a_port() {
    takes(
        "listen",
        &["0.0.0.0:80", "[::]:8080", "127.0.0.1:0"],
        &["", ":8080", "localhost:80", "127.0.0.1", "127.0.0.1:65536"],
    );
}

#[test]
fn a_public_url_is_one_that_paths_can_follow() {
    takes(
        "public_url",
        &["https://keys.example.com", "http://[::1]:8080/keystile"],
        &[
            "keys.example.com",
            "/keystile",
            "ftp://example.com",
            "https://",
            "https://user@example.com",
            "https://:password@example.com",
            "https://example.com/?a=b",
            "https://example.com/?",
            "https://example.com/#a",
        ],
    );
    let settings = accepted(&environment(&[("KEYSTILE_PUBLIC_URL", "HTTPS://Example.com:443/a/")]));
    assert_eq!(settings.public_url.unwrap().as_str(), "https://example.com/a");
}

#[test]
fn networks_may_be_single_addresses() {
    takes(
        "insecure_http_from",
        &["", " 10.0.0.0/8 , fd00::/8", "10.1.2.3", "::1"],
        &["10.0.0.0/33", "10.0.0.0/8,", "a", "10.0.0.0/8 ::1"],
    );
    let settings = accepted(&environment(&[("KEYSTILE_INSECURE_HTTP_FROM", "10.1.2.3, fd00::/8")]));
    let networks = settings.peers.insecure_http_from.iter().map(ToString::to_string);
    assert_eq!(networks.collect::<Vec<_>>(), ["10.1.2.3/32", "fd00::/8"]);
}

#[test]
fn nobody_trusts_every_proxy() {
    for everybody in ["*", "0.0.0.0/0", "::/0", "10.0.0.0/8, 0.0.0.0/0"] {
        let problems = refused(&environment(&[("KEYSTILE_TRUSTED_PROXIES", everybody)]));
        assert!(problems[0].contains("must not be everybody"), "{everybody}: {problems:?}");
    }
}

#[test]
fn a_database_is_sqlite_or_postgresql() {
    takes(
        "database_url",
        &[
            "sqlite://keystile.db",
            "sqlite:///var/lib/keystile.db",
            "postgres:///keystile?host=/run/postgresql",
            "postgresql://keystile:p%40ss@db.example.com:5432/keystile?sslmode=verify-full",
            "postgres://a:b@one:5432,two:5433/k?target_session_attrs=read-write&sslmode=require",
        ],
        &[
            "",
            "keystile.db",
            "sqlite:keystile.db",
            "sqlite://",
            "sqlite://:memory:",
            "sqlite://keystile.db?mode=ro",
            "mysql://db/k",
            "postgres://db:port/k",
            "postgres://a:p@ss@db/k",
            "postgres://a:1/ss@db/k",
            "postgres://db/k?sslmode=",
            "postgres://db/k?sslmode=Require",
            "postgres://db/k?sslmode=allow",
            "postgres://db/k?sslmode=verify-full&sslmode=disable",
            "postgres://a@db/k?password=b",
        ],
    );
}

#[test]
fn a_master_key_is_32_bytes_in_base64() {
    for right in [MASTER_KEY, MASTER_KEY.trim_end_matches('=')] {
        let settings = accepted(&environment(&[("KEYSTILE_MASTER_KEY", right)]));
        assert_eq!(*settings.master_key.unwrap().to_base64(), MASTER_KEY);
    }
    let too_long = format!("QUFB{MASTER_KEY}");
    let ends_mid_byte = MASTER_KEY.replace("E=", "F=");
    for wrong in ["", "=", "QUFB", &too_long, &ends_mid_byte, &format!("{MASTER_KEY}=")] {
        let problems = refused(&environment(&[("KEYSTILE_MASTER_KEY", wrong)]));
        assert_eq!(problems, ["KEYSTILE_MASTER_KEY must be 32 bytes in base64"], "{wrong}");
    }
}

#[test]
fn a_bootstrap_key_is_visible_ascii() {
    takes(
        "bootstrap_admin_key",
        &["12345678901234567890", &"~".repeat(512)],
        &["1234567890123456789", &"~".repeat(513), "12345678901234567890 ", "1234567890123456789é"],
    );
}

#[test]
fn a_bootstrap_password_is_one_that_the_provider_takes() {
    takes(
        "bootstrap_admin_password",
        &["fifteen letters", "ä ö ü ß é è ç œ", &"p".repeat(1024)],
        &["fourteen chars", "with a line\nend", &"p".repeat(1025)],
    );
}

#[test]
fn durations_and_numbers_have_bounds() {
    takes("drain_delay", &["0s", "500ms", "2m", "1h"], &["5", "-1s", "61m", "1 fortnight", ""]);
    takes("request_timeout", &["100ms", "10s"], &["0s", "99ms", "2h"]);
    takes("jwt_algorithm", &["EdDSA", "ES256", "RS256"], &["none", "HS256", "eddsa", "ES384", ""]);
    takes("workers", &["1", "1024"], &["0", "1025", "-1", "two", "1.5"]);
    takes("usage_retention_days", &["1", "3650"], &["0", "3651", "-1", "90d", ""]);
    takes("max_header_bytes", &["1024", "32768"], &["1023", "32769", "16KiB"]);
    takes("max_body_bytes", &["1024", "67108864"], &["1023", "67108865", "64KiB"]);
}

#[test]
fn a_redis_is_a_url_whose_password_can_be_masked() {
    takes(
        "redis_url",
        &[
            "redis://redis.example.com",
            "rediss://user:password@redis.example.com:6380/1",
            "redis+unix:///run/redis/redis.sock",
        ],
        &["", "redis.example.com:6379", "http://redis", "redis+unix:///run/r.sock?pass=secret"],
    );
}

#[test]
fn a_limit_of_failures_is_a_number_in_a_time() {
    takes("failure_limit", &["100/min", "1/s", "5/h", "9/day"], &["", "100", "0/min", "1/week"]);
}

#[test]
fn a_log_level_is_not_a_misspelt_module() {
    takes(
        "log",
        &[
            "off",
            "info",
            "debug,actix_web=trace",
            "warn,[request{id=7}]=debug",
            "keystile_http=debug",
        ],
        &["", "inof", "5", "INFO,", "info,actix_web", "info,actix_web=loud"],
    );
    takes("log_format", &["text", "json"], &["", "JSON", "yaml"]);
}

#[test]
fn a_level_alone_is_for_our_own_code() {
    let filter = |text| accepted(&environment(&[("KEYSTILE_LOG", text)])).log.filter.to_string();
    let directives = |text| {
        let mut directives: Vec<_> = filter(text).split(',').map(str::to_owned).collect();
        directives.sort();
        directives
    };
    assert_eq!(directives("trace"), ["info", "keystile=trace"]);
    assert_eq!(directives("warn"), ["keystile=warn", "warn"]);
    assert_eq!(
        directives("tokio_postgres=debug,debug"),
        ["info", "keystile=debug", "tokio_postgres=debug"]
    );
}
