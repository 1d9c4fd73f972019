//! PostgreSQL that demands TLS, with every `sslmode`.

use std::{path::PathBuf, sync::LazyLock};

use acceptance::{Certificates, Database, Options, Part, Postgres, Server, Setup, scratch};

#[tokio::test(flavor = "multi_thread")]
async fn without_tls_the_start_stops_and_says_why() {
    let Some(postgres) = demanding() else { return };

    let said = refused(postgres, "127.0.0.1", "sslmode=disable").await;

    assert!(said.contains("no encryption") || said.contains("sslmode"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn require_trusts_any_certificate() {
    let Some(postgres) = demanding() else { return };

    accepted(postgres, "127.0.0.1", "sslmode=require").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_ca_asks_for_the_authority_and_not_for_the_name() {
    let Some(postgres) = demanding() else { return };

    accepted(postgres, "127.0.0.1", &verify("verify-ca", authority(postgres))).await;
    refused(postgres, "127.0.0.1", &verify("verify-ca", another_authority())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_full_asks_for_the_authority_and_the_name() {
    let Some(postgres) = demanding() else { return };

    accepted(postgres, "localhost", &verify("verify-full", authority(postgres))).await;
    refused(postgres, "127.0.0.1", &verify("verify-full", authority(postgres))).await;
    refused(postgres, "localhost", &verify("verify-full", another_authority())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_file_the_authority_must_be_one_that_the_system_trusts() {
    let Some(postgres) = demanding() else { return };

    refused(postgres, "localhost", "sslmode=verify-full").await;
}

/// A cluster whose certificate is for `localhost`; none where there is no PostgreSQL.
fn demanding() -> Option<&'static Postgres> {
    static DEMANDING: LazyLock<Postgres> = LazyLock::new(|| Postgres::make(Setup::DemandsTls));
    Part::Postgres.or_skip().then(|| &*DEMANDING)
}

fn verify(mode: &str, authority: PathBuf) -> String {
    format!("sslmode={mode}&sslrootcert={}", authority.display())
}

fn authority(postgres: &Postgres) -> PathBuf {
    postgres.certificates().authority.clone()
}

fn another_authority() -> PathBuf {
    Certificates::make(&scratch::directory("certificates")).authority
}

async fn accepted(postgres: &Postgres, host: &str, query: &str) {
    let server = Server::start(&options(postgres, host, query).await).await;
    server.admin().get("/api/v1/me").await.expect(200);
}

/// What it says on standard error when it does not start.
async fn refused(postgres: &Postgres, host: &str, query: &str) -> String {
    let options = options(postgres, host, query).await;
    let ended = Server::try_start(&options).await.expect_err("it started");
    assert!(!ended.status.success() && !ended.stderr.is_empty(), "{ended:#?}");
    ended.assert_silent([postgres.password()]);
    ended.stderr
}

async fn options(postgres: &Postgres, host: &str, query: &str) -> Options {
    let url = postgres.fresh_database_at(host).await;
    Options::on(&Database::Postgres(format!("{url}?{query}")))
}
