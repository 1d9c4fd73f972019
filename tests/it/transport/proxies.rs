//! Who a client is and whether it came securely, through a running server: told by proxies that
//! are believed, and by nobody else.

use acceptance::{Answer, Api, Caller, Database, Options, Server};
use reqwest::Method;
use serde_json::{Value, json};

use super::over_tls;

#[tokio::test(flavor = "multi_thread")]
async fn the_client_is_counted_from_the_right_past_proxies_that_are_believed() {
    let (tls, _) = over_tls();
    for options in [Options::on(&Database::Sqlite), tls] {
        let server = Server::start(&options.env("KEYSTILE_TRUSTED_PROXIES", PROXIES)).await;
        let admin = server.admin();
        let key = bound_to(&admin, CLIENT).await;
        for (headers, status) in [
            (&[("x-forwarded-for", "203.0.113.7")][..], 200),
            (&[("x-forwarded-for", "198.51.100.9, 203.0.113.7")], 200),
            (&[("x-forwarded-for", "203.0.113.7, 10.1.2.3")], 200),
            (&[("x-forwarded-for", "198.51.100.9, 203.0.113.7, 10.1.2.3, 10.1.2.4")], 200),
            (&[("x-forwarded-for", "198.51.100.9"), ("x-forwarded-for", "203.0.113.7")], 200),
            (&[("forwarded", "for=198.51.100.9, for=203.0.113.7;proto=https")], 200),
            // The client wrote its own address in front of what the proxy saw.
            (&[("x-forwarded-for", "203.0.113.7, 198.51.100.9")], 403),
            (&[("x-forwarded-for", "203.0.113.7, 198.51.100.9, 10.1.2.3")], 403),
            (&[("forwarded", "for=203.0.113.7, for=198.51.100.9;proto=https")], 403),
            (&[("x-forwarded-for", "203.0.113.7"), ("x-forwarded-for", "198.51.100.9")], 403),
            (&[("x-real-ip", "203.0.113.7")], 403),
            (&[], 403),
            (&[("x-forwarded-for", "203.0.113.7"), ("forwarded", "for=198.51.100.9")], 400),
            (&[("x-forwarded-for", "203.0.113.7, nonsense")], 400),
            (&[("forwarded", "for=unknown;proto=https")], 400),
        ] {
            let secure = [("x-forwarded-proto", "https")];
            let with_proto = headers.iter().all(|(name, _)| *name != "forwarded");
            let headers = [headers, if with_proto { &secure } else { &[] }].concat();
            let answer = ask(&admin, &key, &headers).await;
            assert_eq!(answer.status, status, "{headers:?} at {}: {answer}", server.url());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_is_no_proxy_is_believed_in_nothing() {
    let (tls, _) = over_tls();
    for options in [Options::on(&Database::Sqlite), tls] {
        let server = Server::start(&options.env("KEYSTILE_TRUSTED_PROXIES", "10.0.0.0/8")).await;
        let admin = server.admin();
        let far = bound_to(&admin, CLIENT).await;
        let near = bound_to(&admin, "127.0.0.1").await;
        for headers in [
            &[("x-forwarded-for", CLIENT), ("x-forwarded-proto", "https")][..],
            &[("forwarded", "for=203.0.113.7;proto=https")],
            &[("x-forwarded-for", "nonsense"), ("forwarded", "nonsense")],
        ] {
            ask(&admin, &far, headers).await.expect(403).problem("ip_not_allowed");
            ask(&admin, &near, headers).await.expect(200);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_https_or_the_word_of_a_proxy_for_it_is_secure() {
    let untrusting = Options::on(&Database::Sqlite).env("KEYSTILE_INSECURE_HTTP_FROM", "192.0.2.1");
    let server = Server::start(&untrusting).await;
    let key = server.admin_key();
    let claim = [("x-forwarded-proto", "https"), ("x-forwarded-for", CLIENT)];
    for headers in [&[][..], &claim, &[("forwarded", "for=203.0.113.7;proto=https")]] {
        let refused = ask(&server.admin(), &key, headers).await.expect(401);
        refused.problem("insecure_transport");
    }

    let trusting = untrusting.with_own_data().env("KEYSTILE_TRUSTED_PROXIES", PROXIES);
    let server = Server::start(&trusting).await;
    let key = server.admin_key();
    for (proto, is_secure) in
        [("https", true), ("http", false), ("http, https", true), ("https, http", false)]
    {
        let client = "198.51.100.9, 203.0.113.7";
        let hops = [("x-forwarded-for", client), ("x-forwarded-proto", proto)];
        let answer = ask(&server.admin(), &key, &hops).await;
        assert_eq!(answer.status == 200, is_secure, "{proto}: {answer}");
    }

    let (tls, _) = over_tls();
    let tls = tls.env("KEYSTILE_INSECURE_HTTP_FROM", "192.0.2.1");
    let server = Server::start(&tls.env("KEYSTILE_TRUSTED_PROXIES", PROXIES)).await;
    let key = server.admin_key();
    // Our own socket knows better than a proxy.
    let hop = [("x-forwarded-for", CLIENT), ("x-forwarded-proto", "http")];
    ask(&server.admin(), &key, &hop).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_may_allow_plain_http_for_its_own_credentials_alone() {
    let options = Options::on(&Database::Sqlite).env("KEYSTILE_TRUSTED_PROXIES", PROXIES);
    let server = Server::start(&options).await;
    let admin = server.admin();
    let key = server.admin_key();
    let password = server.admin_password();
    let session = admin.sign_in("admin", &password).await;
    let made = admin.with(session.clone()).post("/api/v1/me/tokens", json!({ "name": "a" })).await;
    let token = Caller::Bearer(made.expect(201).text_of("token").to_owned());
    let api_key = Caller::Bearer(key);
    let all = [("api_key", api_key), ("personal_access_token", token), ("password", session)];
    for allowed in 0..=all.len() {
        for (place, (kind, caller)) in all.iter().enumerate() {
            let answer = plainly(&admin.with(caller.clone())).await;
            let expected = if place < allowed { 200 } else { 401 };
            assert_eq!(answer.status, expected, "{kind}: {answer}");
        }
        if let Some((kind, _)) = all.get(allowed) {
            allow_plain_http(&admin, kind).await;
        }
    }
}

async fn allow_plain_http(admin: &Api, kind: &str) {
    let all = admin.get("/api/v1/providers").await.expect(200);
    let is_wanted = |provider: &&Value| provider["kind"] == kind;
    let provider = all.body["data"].as_array().unwrap().iter().find(is_wanted).unwrap();
    let path = format!("/api/v1/providers/{}", provider["id"].as_str().unwrap());
    admin.patch(&path, json!({ "allow_insecure_http": true })).await.expect(200);
}

/// A new key that works from this address alone.
async fn bound_to(admin: &Api, address: &str) -> String {
    let new = json!({ "name": address, "allowed_ips": [address] });
    let made = admin.post("/api/v1/api-keys", new).await.expect(201);
    made.text_of("key").to_owned()
}

async fn ask(api: &Api, key: &str, headers: &[(&str, &str)]) -> Answer {
    let request = api.with(Caller::Header(key.to_owned())).request(Method::GET, "/api/v1/me");
    let request =
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    Answer::to(request).await.unwrap()
}

/// Asks as over plain HTTP to a proxy.
async fn plainly(api: &Api) -> Answer {
    let request = api.request(Method::GET, "/api/v1/me").header("x-forwarded-for", CLIENT);
    Answer::to(request.header("x-forwarded-proto", "http")).await.unwrap()
}

const CLIENT: &str = "203.0.113.7";
const PROXIES: &str = "127.0.0.1,10.0.0.0/8";
