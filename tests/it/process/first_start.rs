//! The first start makes the administrator and says the secrets once; no later one does.

use std::{fs, os::unix::fs::PermissionsExt};

use acceptance::{Caller, Database, Options, Server, on_each_database};

on_each_database! {
    async fn the_first_start_writes_the_secrets_to_a_file_and_names_it(database: Database) {
        let server = Server::start(&Options::on(&database)).await;
        let file = server.options().data().join("first-admin");

        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        server.admin().get("/api/v1/me").await.expect(200);
        let block = [format!("Keystile is ready     {}", server.url()), "/swagger-ui/".to_owned()];
        let ended = server.stop().await;
        for part in block.iter().chain([&file.display().to_string()]) {
            assert!(ended.stdout.contains(part), "no {part} in {ended:#?}");
        }
        ended.assert_silent(secrets_in(&fs::read_to_string(&file).unwrap()));
    }

    async fn a_second_start_prints_no_secret(database: Database) {
        let first = Server::start(&Options::on(&database)).await;
        let file = first.options().data().join("first-admin");
        let secrets = fs::read_to_string(&file).unwrap();
        let key = first.admin_key();
        fs::remove_file(&file).unwrap();

        let second = first.restart().await;

        second.api(Caller::Header(key)).get("/api/v1/me").await.expect(200);
        assert!(!file.exists(), "the second start wrote secrets");
        second.stop().await.assert_silent(secrets_in(&secrets));
    }

    async fn given_secrets_are_used_and_none_is_written(database: Database) {
        let options = Options::on(&database)
            .env("KEYSTILE_BOOTSTRAP_ADMIN_KEY", KEY)
            .env("KEYSTILE_BOOTSTRAP_ADMIN_PASSWORD", PASSWORD);

        let server = Server::start(&options).await;

        server.api(Caller::Header(KEY.to_owned())).get("/api/v1/me").await.expect(200);
        assert!(!options.data().join("first-admin").exists(), "it wrote secrets");
        server.stop().await.assert_silent([KEY, PASSWORD]);
    }
}

/// What stands behind each `=`: the administrator's password and key.
fn secrets_in(file: &str) -> impl Iterator<Item = &str> {
    assert!(file.contains("ks_"), "no key in {file}");
    file.lines().filter_map(|line| Some(line.split_once('=')?.1.trim()))
}

const KEY: &str = "ks_0123456789abcdefghijABCDEFGHIJ0123456789xyz3A8jxH";
const PASSWORD: &str = "correct-horse-battery-staple";
