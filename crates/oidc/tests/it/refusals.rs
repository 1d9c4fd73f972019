//! Providers that are not what they should be.

use std::time::Duration;

use keystile_oidc::{FetchError, KeySource, Unavailable, Web};
use tokio::net::TcpSocket;

use crate::idp::{DISCOVERY, Idp, KEYS, Page};
use crate::{COOL_DOWN, at, source};

/// Asks once, in vain, and tells why.
async fn failure(idp: &Idp) -> String {
    let source = source(idp);
    assert_eq!(source.keys(Some("a"), at(0)).await.unwrap_err(), Unavailable);
    source.failure().unwrap().to_string()
}

#[tokio::test]
async fn a_document_of_another_issuer_is_not_believed() {
    let idp = Idp::start().await;
    let base = idp.base();
    for issuer in [format!("{base}/"), base.to_uppercase(), "https://idp.example".to_owned()] {
        idp.discover(&issuer, &format!("{base}{KEYS}"));
        assert_eq!(failure(&idp).await, FetchError::Issuer.to_string(), "{issuer}");
    }
    assert_eq!(idp.count(KEYS), 0);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (idp, trap) = (Idp::start().await, Idp::start().await);
    for status in [301, 302, 303, 307, 308] {
        let target = format!("{}{DISCOVERY}", trap.base());
        idp.show(DISCOVERY, Page::json("{}").status(status).header("location", &target));
        assert_eq!(failure(&idp).await, FetchError::Status(status).to_string());

        idp.discover(&idp.base(), &format!("{}{KEYS}", idp.base()));
        let target = format!("{}{KEYS}", trap.base());
        idp.show(KEYS, Page::json("{}").status(status).header("location", &target));
        assert_eq!(failure(&idp).await, FetchError::Status(status).to_string());
    }
    assert_eq!(trap.requests(), [""; 0]);
}

#[tokio::test]
async fn keys_are_not_fetched_from_where_an_issuer_must_not_send_us() {
    let idp = Idp::start().await;
    for url in [
        "http://idp.example/keys",
        "http://169.254.169.254/latest/meta-data",
        "https://169.254.169.254/latest/meta-data",
        "https://0.0.0.0/keys",
        "https://user:secret@127.0.0.1/keys",
        "file:///etc/passwd",
    ] {
        idp.discover(&idp.base(), url);
        assert_eq!(failure(&idp).await, FetchError::Forbidden.to_string(), "{url}");
    }
}

#[tokio::test]
async fn an_answer_of_more_than_a_mebibyte_is_not_read_to_its_end() {
    let idp = Idp::start().await;
    let padded = |bytes: usize| format!(r#"{{"keys":[],"more":"{}"}}"#, "x".repeat(bytes - 21));
    idp.show(KEYS, Page::json(padded(1024 * 1024)));
    assert!(source(&idp).keys(None, at(0)).await.is_ok());

    for bytes in [1024 * 1024 + 1, 2 * 1024 * 1024] {
        idp.show(KEYS, Page::json(padded(bytes)));
        assert_eq!(failure(&idp).await, FetchError::TooLarge.to_string(), "{bytes}");
    }
    idp.show(DISCOVERY, Page::json(padded(2 * 1024 * 1024)).cut_short());
    assert_eq!(failure(&idp).await, FetchError::TooLarge.to_string());
}

#[tokio::test]
async fn an_answer_that_does_not_come_or_does_not_end_is_given_up() {
    let idp = Idp::start().await;
    let hurried = || {
        let web = Web::new().with_patience(Duration::from_millis(50));
        KeySource::new(idp.authority(), web, COOL_DOWN)
    };
    for page in [Page::keys(&["a"]).cut_short(), Page::json("").cut_short()] {
        idp.show(KEYS, page);
        let source = hurried();
        assert_eq!(source.keys(None, at(0)).await.unwrap_err(), Unavailable);
        assert!(matches!(*source.failure().unwrap(), FetchError::TimedOut));
    }
    idp.close();
    let source = hurried();
    assert_eq!(source.keys(None, at(0)).await.unwrap_err(), Unavailable);
    assert!(matches!(*source.failure().unwrap(), FetchError::TimedOut));
}

#[tokio::test]
async fn what_is_no_set_of_keys_is_an_outage_and_an_empty_set_is_not() {
    let idp = Idp::start().await;
    for body in ["", "{}", "null", "<html>", r#"{"keys":"none"}"#] {
        idp.show(KEYS, Page::json(body));
        assert!(failure(&idp).await.contains("list of keys"), "{body}");
    }
    idp.show(KEYS, Page::json(r#"{"keys":[{"kty":"oct","k":"AA"}]}"#));
    assert!(source(&idp).keys(None, at(0)).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_error_of_the_provider_is_an_outage() {
    let idp = Idp::start().await;
    for status in [201, 204, 400, 401, 404, 429, 500, 503] {
        idp.show(KEYS, Page::keys(&["a"]).status(status));
        assert_eq!(failure(&idp).await, FetchError::Status(status).to_string());
    }
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_an_outage() {
    // Bound, so that nobody else listens there either.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let authority = format!("http://{}", socket.local_addr().unwrap()).parse().unwrap();

    let source = KeySource::new(authority, Web::new(), COOL_DOWN);
    assert_eq!(source.keys(None, at(0)).await.unwrap_err(), Unavailable);
    assert!(matches!(*source.failure().unwrap(), FetchError::Request(_)));
}

#[tokio::test]
async fn no_request_carries_credentials_or_says_where_it_comes_from() {
    let idp = Idp::start().await;
    source(&idp).keys(None, at(0)).await.unwrap();
    let requests = idp.requests();
    assert_eq!(requests.len(), 2);
    for head in requests {
        let head = head.to_ascii_lowercase();
        for name in ["authorization", "cookie", "referer", "x-", "forwarded"] {
            assert!(!head.contains(&format!("\r\n{name}")), "{head}");
        }
    }
}
