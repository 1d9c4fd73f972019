//! A setting that is wrong or unknown stops the start, and the message names it.

use std::fs;

use acceptance::{Database, Ended, Options, Server, scratch};

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_flag_stops_the_start() {
    assert_names(&refused(sqlite().arg("--colour")).await, "--colour");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_key_in_the_file_stops_the_start() {
    let file = scratch::directory("settings").join("keystile.toml");
    fs::write(&file, "colour = \"blue\"\n").unwrap();

    assert_names(&refused(sqlite().arg("--config").arg(&file)).await, "colour");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_there_stops_the_start() {
    let file = scratch::directory("settings").join("absent.toml");

    assert_names(&refused(sqlite().arg("--config").arg(&file)).await, "absent.toml");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_value_stops_the_start() {
    for (name, value) in [
        ("KEYSTILE_LISTEN", "nowhere"),
        ("KEYSTILE_DATABASE_URL", "mysql://localhost/keystile"),
        ("KEYSTILE_PUBLIC_URL", "not a url"),
        ("KEYSTILE_TRUSTED_PROXIES", "10.0.0.0/99"),
        ("KEYSTILE_WORKERS", "many"),
        ("KEYSTILE_LOG_FORMAT", "xml"),
        ("KEYSTILE_DRAIN_DELAY", "soon"),
    ] {
        assert_names(&refused(sqlite().env(name, value)).await, name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_stops_the_start_and_is_not_repeated() {
    for (name, value) in [
        ("KEYSTILE_MASTER_KEY", "dG9vLXNob3J0LXRvLWJlLXNlY3JldA=="),
        ("KEYSTILE_BOOTSTRAP_ADMIN_KEY", "ks_tooshorttobeanykeyofours"),
    ] {
        let ended = refused(sqlite().env(name, value)).await;
        assert_names(&ended, name);
        ended.assert_silent([value]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_without_a_master_key_stops_the_start() {
    let url = "postgres://keystile@127.0.0.1:1/keystile";

    assert_names(&refused(sqlite().env("KEYSTILE_DATABASE_URL", url)).await, "KEYSTILE_MASTER_KEY");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_variable_of_the_environment_is_a_warning() {
    let server = Server::start(&sqlite().env("KEYSTILE_SERVICE_PORT", "8080")).await;

    server.says("KEYSTILE_SERVICE_PORT").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flag_wins_over_the_environment_and_the_environment_over_the_file() {
    let file = scratch::directory("settings").join("keystile.toml");
    fs::write(&file, "log_format = \"no such format\"\nworkers = 1\n").unwrap();
    let options = sqlite().arg("--config").arg(&file);

    let options = options.env("KEYSTILE_LOG_FORMAT", "json").arg("--log-format").arg("text");
    let server = Server::start(&options).await;

    let ended = server.stop().await;
    assert!(!ended.stderr.contains("{\""), "{ended:#?}");
}

fn sqlite() -> Options {
    Options::on(&Database::Sqlite)
}

async fn refused(options: Options) -> Ended {
    Server::try_start(&options).await.expect_err("it started")
}

#[track_caller]
fn assert_names(ended: &Ended, name: &str) {
    assert!(!ended.status.success(), "{ended:#?}");
    assert!(ended.stderr.contains(name), "{name} is not named: {ended:#?}");
}
