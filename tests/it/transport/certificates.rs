//! The certificate: judged at the start, and followed while the server runs.

use std::{
    fs,
    os::unix::fs::symlink,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use acceptance::{
    Answer, Api, Certificates, Connection, Database, Options, Server, scratch, tls, until,
};
use reqwest::Method;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use tokio::task::JoinSet;

use super::{DEADLINE, over_tls};

type Spoil = fn(&Certificates);

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_no_use_stop_the_start_and_are_named() {
    let cases: [(Spoil, &str, &str); 8] = [
        (|it| fs::remove_file(&it.certificate).unwrap(), "server.pem", "cannot be read"),
        (|it| fs::write(&it.certificate, "").unwrap(), "server.pem", "no certificate in it"),
        (|it| fs::write(&it.certificate, BROKEN).unwrap(), "server.pem", "no certificate: "),
        (Certificates::expire, "server.pem", "expired at 2001-01-01"),
        (Certificates::predate, "server.pem", "not valid before 2999-01-01"),
        (|it| fs::remove_file(&it.key).unwrap(), "server.key", "cannot be read"),
        (|it| fs::write(&it.key, "").unwrap(), "server.key", "no private key in it"),
        (Certificates::mismatch, "server.key", "not the key of the certificate"),
    ];
    for (spoil, file, why) in cases {
        let (options, certificates) = over_tls();
        spoil(&certificates);
        let ended = Server::try_start(&options).await.expect_err("it started");
        assert!(!ended.status.success(), "{ended:#?}");
        assert!(ended.stderr.contains(file) && ended.stderr.contains(why), "{why}: {ended:#?}");
        assert!(!options.data().exists(), "{why}: it began");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_without_a_key_stops_the_start() {
    for (alone, lacking) in
        [("KEYSTILE_TLS_CERT", "KEYSTILE_TLS_KEY"), ("KEYSTILE_TLS_KEY", "KEYSTILE_TLS_CERT")]
    {
        let options = Options::on(&Database::Sqlite).env(alone, "server.pem");
        let ended = Server::try_start(&options).await.expect_err("it started");
        assert!(ended.stderr.contains(lacking), "{ended:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_shown_and_ends_no_connection() {
    let (options, certificates) = over_tls();
    let server = Server::start(&options).await;
    let mut old = Connection::to(&server).await;
    old.send(ASK).await;
    assert!(old.read_until("}", DEADLINE).await.starts_with("HTTP/1.1 200 "));
    // A body that is still to come keeps the connection busy meanwhile.
    let body = r#"{"credential":"ks_nonsense"}"#;
    old.send(begun(&server, body)).await;

    certificates.renew();
    until_shown(&server, &certificates).await;

    old.send(body).await;
    let answer = old.read_until("\"valid\"", DEADLINE).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    server.says("the certificate was replaced").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swapped_link_is_followed_as_kubernetes_swaps_it() {
    let mount = scratch::directory("mount");
    let make = |name: &str| {
        fs::create_dir(mount.join(name)).unwrap();
        Certificates::make(&mount.join(name))
    };
    let [old, new] = ["..old", "..new"].map(make);
    symlink("..old", mount.join("..data")).unwrap();
    for name in ["server.pem", "server.key"] {
        symlink(format!("..data/{name}"), mount.join(name)).unwrap();
    }
    let options = Options::on(&Database::Sqlite)
        .tls(&old)
        .env("KEYSTILE_TLS_CERT", mount.join("server.pem"))
        .env("KEYSTILE_TLS_KEY", mount.join("server.key"));
    let server = Server::start(&options).await;
    server.admin().get("/healthz").await.expect(200);

    symlink("..new", mount.join("..next")).unwrap();
    fs::rename(mount.join("..next"), mount.join("..data")).unwrap();

    server.says("the certificate was replaced").await;
    let api = Api::over_tls(&server.url(), acceptance::Caller::Anonymous, &new.authority);
    api.get("/healthz").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_no_use_replaces_none_and_the_log_says_why() {
    let (options, certificates) = over_tls();
    let server = Server::start(&options).await;
    let before = shown(&server).await;
    let spoilt: [(Spoil, &str); 3] = [
        (Certificates::mismatch, "is not the key of the certificate"),
        (Certificates::expire, "expired at 2001-01-01"),
        (|it| fs::remove_file(&it.certificate).unwrap(), "cannot be read"),
    ];
    for (spoil, why) in spoilt {
        spoil(&certificates);
        server.says(why).await;
        assert_eq!(shown(&server).await, before, "{why}");
    }

    certificates.renew();
    until_shown(&server, &certificates).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn under_load_no_request_fails_while_the_certificate_is_replaced() {
    let (options, certificates) = over_tls();
    let server = Server::start(&options).await;
    let ended = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    for _ in 0..8 {
        let ended = Arc::clone(&ended);
        // One connection for all, and one for each.
        let lasting = server.admin();
        let fresh: Vec<_> = (0..100).map(|_| server.admin()).collect();
        callers.spawn(async move {
            let mut answers = 0;
            for fresh in fresh.iter().cycle() {
                for api in [&lasting, fresh] {
                    let answer = Answer::to(api.request(Method::GET, "/api/v1/me")).await;
                    answer.expect("an answer").expect(200);
                    answers += 1;
                }
                if ended.load(Ordering::SeqCst) {
                    break;
                }
            }
            answers
        });
    }

    for _ in 0..2 {
        certificates.renew();
        until_shown(&server, &certificates).await;
    }

    ended.store(true, Ordering::SeqCst);
    for answers in callers.join_all().await {
        assert!(answers > 1, "a caller was hardly answered");
    }
}

/// Waits until a new connection is shown the certificate that is in the file.
async fn until_shown(server: &Server, certificates: &Certificates) {
    let wanted = CertificateDer::from_pem_file(&certificates.certificate).unwrap();
    until("it shows the new certificate", async || shown(server).await == wanted).await;
}

/// The certificate that a new connection is shown.
async fn shown(server: &Server) -> CertificateDer<'static> {
    let stream = tls::connect(server, "http/1.1").await;
    stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}

/// The head of a request whose body is to come.
fn begun(server: &Server, body: &str) -> String {
    format!(
        "POST /api/v1/verify HTTP/1.1\r\nhost: a\r\nx-api-key: {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        server.admin_key(),
        body.len(),
    )
}

const ASK: &str = "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n";
const BROKEN: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
