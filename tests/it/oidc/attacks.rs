//! Tokens that no honest client sends: whatever is wrong with one, the answer is the same.

use acceptance::{
    Answer, Api, Caller, Database,
    oidc::{OpenIdProvider, Unverified},
    started,
};
use base64ct::{Base64UrlUnpadded, Encoding};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{
    AUDIENCE, ME, Provider, bearing, claims::fresh, idp, is_taken, now, refusal, token_of_jane,
};

#[tokio::test]
async fn every_claim_of_a_wrong_kind_or_value_gets_the_same_answer() {
    let Some(idp) = idp().await else { return };
    let (server, admin) = started(&Database::Sqlite).await;
    Provider::of(&admin, &idp, json!({ "required_scope": "keys.read" })).await;
    let expected = refusal(&bearing(&admin, "e30.e30.e30").get(ME).await);
    assert_eq!(expected["body"]["code"], "invalid_credential");
    let challenge = expected["challenge"].as_str().unwrap();
    assert!(challenge.contains(r#"error="invalid_token""#), "{challenge}");
    let header = json!({ "typ": "at+jwt" });
    assert!(is_taken(&admin, &idp.sign(header.clone(), fresh(&idp)).await).await);

    for (claim, values) in wrong_claims(&idp) {
        for value in values {
            let mut claims = fresh(&idp);
            match &value {
                Some(value) => claims[claim] = value.clone(),
                None => drop(claims.as_object_mut().unwrap().remove(claim)),
            }
            let token = idp.sign(header.clone(), claims).await;
            let refused = bearing(&admin, &token).get(ME).await;
            assert_eq!(refused.status, 401, "{claim} {value:?}: {refused}");
            assert_eq!(refusal(&refused), expected, "{claim} {value:?}");
        }
    }
    let token = token_of_jane(&idp).await;
    server.stop().await.assert_silent([token.rsplit('.').next().unwrap()]);
}

#[tokio::test]
async fn every_header_that_a_token_must_not_have_gets_the_same_answer() {
    let Some(idp) = idp().await else { return };
    let trap = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys", trap.local_addr().unwrap());
    let (_server, admin) = started(&Database::Sqlite).await;
    Provider::of(&admin, &idp, json!({})).await;
    let expected = refusal(&bearing(&admin, "e30.e30.e30").get(ME).await);
    let own_key = keys(&idp).await["keys"][0].clone();

    for more in [
        json!({ "typ": "logout+jwt" }),
        json!({ "typ": "JWE" }),
        json!({ "typ": 1 }),
        json!({ "typ": null }),
        json!({ "kid": "unknown" }),
        json!({ "kid": "../../../dev/null" }),
        json!({ "kid": "' OR 1=1 --" }),
        json!({ "kid": "k".repeat(129) }),
        json!({ "kid": 1 }),
        json!({ "kid": null }),
        json!({ "crit": ["exp"], "exp": 1 }),
        json!({ "crit": [] }),
        json!({ "crit": ["b64"], "b64": true }),
        json!({ "jku": url }),
        json!({ "x5u": url }),
        json!({ "jwk": own_key }),
        json!({ "x5c": ["MII"] }),
        json!({ "zip": "DEF" }),
    ] {
        let mut header = json!({ "typ": "at+jwt" });
        header.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        // Signed as it is, so that nothing but the header is in the way; `crit` nobody signs.
        let token = match more.get("crit") {
            None => idp.sign(header, fresh(&idp)).await,
            Some(_) => with_header(&token_of_jane(&idp).await, &header),
        };
        let refused = bearing(&admin, &token).get(ME).await;
        assert_eq!(refused.status, 401, "{more}: {refused}");
        assert_eq!(refusal(&refused), expected, "{more}");
    }
    let connected = tokio::select! {
        biased;
        _ = trap.accept() => true,
        () = std::future::ready(()) => false,
    };
    assert!(!connected, "a token led the server somewhere");
}

#[tokio::test]
async fn no_other_signature_passes_for_the_issuers() {
    let Some(idp) = idp().await else { return };
    let (_server, admin) = started(&Database::Sqlite).await;
    Provider::of(&admin, &idp, json!({})).await;
    let expected = refusal(&bearing(&admin, "e30.e30.e30").get(ME).await);
    let good = idp.sign(json!({ "typ": "at+jwt" }), fresh(&idp)).await;
    assert!(is_taken(&admin, &good).await);
    let (signed, signature) = good.rsplit_once('.').unwrap();

    let mut forged = Vec::new();
    for alg in ["none", "None", "NONE", "nOnE", "", "rs256", "RS257", "HS256", "HS384", "HS512"] {
        forged.push(with_header(&good, &json!({ "typ": "at+jwt", "alg": alg })));
    }
    for alg in ["ES256", "EdDSA", "PS256", "RS384", "RS512"] {
        let kid = Unverified::read(&good).header["kid"].clone();
        forged.push(with_header(&good, &json!({ "typ": "at+jwt", "alg": alg, "kid": kid })));
    }
    forged.push(with_header(&good, &json!({ "typ": "at+jwt" })));
    forged.push(with_header(&good, &json!({ "alg": ["RS256"] })));
    for blank in ["AA", "AAAA", &"A".repeat(signature.len())] {
        forged.push(format!("{signed}.{blank}"));
    }
    let mut others = fresh(&idp);
    others["sub"] = json!("somebody-else");
    let other = idp.sign(json!({ "typ": "at+jwt" }), others).await;
    forged.push(format!("{}.{signature}", other.rsplit_once('.').unwrap().0));
    let published = keys(&idp).await;
    let modulus = published["keys"][0]["n"].as_str().unwrap();
    for secret in ["", modulus, &published["keys"][0].to_string(), &published.to_string()] {
        forged.push(hmac(&idp, secret));
    }
    for token in forged {
        let refused = bearing(&admin, &token).get(ME).await;
        assert_eq!(refused.status, 401, "{token}: {refused}");
        assert_eq!(refusal(&refused), expected, "{token}");
    }
}

#[tokio::test]
async fn what_has_not_quite_the_shape_of_a_token_is_none() {
    let Some(idp) = idp().await else { return };
    let (_server, admin) = started(&Database::Sqlite).await;
    Provider::of(&admin, &idp, json!({})).await;
    let good = idp.sign(json!({ "typ": "at+jwt" }), fresh(&idp)).await;
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let mut large = fresh(&idp);
    large["filler"] = json!("x".repeat(8 * 1024));
    let large = idp.sign(json!({ "typ": "at+jwt" }), large).await;
    let twice = r#"{"iss":"a","iss":"b"}"#;

    let mut malformed = vec![
        large,
        format!("{good}."),
        format!(".{good}"),
        format!("{header}..{claims}.{signature}"),
        format!("{header}.{claims}.{signature}.{signature}.{signature}"),
        format!("{header}.{claims}"),
        format!("{header}.{claims}."),
        format!("{header}.{}.{signature}", encoded(twice)),
        format!("{}.{claims}.{signature}", encoded(r#"{"alg":"RS256","alg":"RS256"}"#)),
        format!("{}.{claims}.{signature}", encoded("[]")),
        format!("{header}.{}.{signature}", encoded(&"[".repeat(2_000))),
        format!("{good}="),
        good.replace('.', "%2E"),
        good.to_uppercase(),
    ];
    malformed.extend((0..good.len()).step_by(97).map(|end| good[..end].to_owned()));
    malformed.extend((1..good.len()).step_by(97).map(|start| good[start..].to_owned()));
    for token in malformed.iter().filter(|token| !token.is_empty()) {
        let refused = asked(&admin, token).await;
        assert_eq!(refused.status, 401, "{token}: {refused}");
        refused.problem("invalid_credential");
    }
    assert!(is_taken(&admin, &good).await);
}

#[tokio::test]
async fn the_log_tells_why_and_never_shows_the_token() {
    let Some(idp) = idp().await else { return };
    let (server, admin) = started(&Database::Sqlite).await;
    Provider::of(&admin, &idp, json!({})).await;
    let mut claims = fresh(&idp);
    claims["aud"] = json!("api://other");
    let wrong = idp.sign(json!({ "typ": "at+jwt" }), claims).await;
    let mut claims = fresh(&idp);
    claims["exp"] = json!(now() - 600);
    let expired = idp.sign(json!({ "typ": "at+jwt" }), claims).await;
    for token in [&wrong, &expired] {
        bearing(&admin, token).get(ME).await.expect(401);
    }

    let ended = server.stop().await;
    for reason in ["the audience is not the expected one", "the token has expired"] {
        assert!(ended.stderr.contains(reason), "{reason}: {}", ended.stderr);
    }
    ended.assert_silent(wrong.split('.').chain(expired.split('.')).skip(1));
}

/// For each claim what it must not be; `None`: left out.
fn wrong_claims(idp: &OpenIdProvider) -> Vec<(&'static str, Vec<Option<Value>>)> {
    let issuer = idp.issuer();
    let kinds = [json!(null), json!(true), json!({}), json!([]), json!(-1), json!(1e300)];
    let with = |more: Vec<Value>| -> Vec<Option<Value>> {
        kinds.iter().cloned().chain(more).map(Some).collect()
    };
    let missing = |mut values: Vec<Option<Value>>| {
        values.push(None);
        values
    };
    vec![
        (
            "iss",
            missing(with(vec![
                json!([issuer]),
                json!([issuer, "https://other.example"]),
                json!(format!("{issuer}/")),
                json!(issuer.to_uppercase()),
                json!(&issuer[..issuer.len() - 1]),
                json!(""),
                json!(7),
            ])),
        ),
        (
            "aud",
            missing(with(vec![
                json!(""),
                json!([""]),
                json!([AUDIENCE, 1]),
                json!({ "0": AUDIENCE }),
                json!(["api://other"]),
                json!("api://keystil"),
                json!(7),
            ])),
        ),
        ("sub", missing(with(vec![json!(""), json!("x".repeat(256)), json!("a\u{0}b"), json!(7)]))),
        (
            "exp",
            missing(with(vec![
                json!("9999999999"),
                json!([9_999_999_999_i64]),
                json!(now() - 61),
                json!(0),
                json!(253_402_300_800_i64),
            ])),
        ),
        ("nbf", with(vec![json!("0"), json!(now() + 120), json!([0])])),
        ("iat", with(vec![json!("0"), json!(now() + 120), json!([0])])),
        ("jti", with(vec![json!(""), json!(7), json!("x".repeat(256))])),
        ("azp", with(vec![json!(""), json!(7), json!(["a"])])),
        (
            "scope",
            missing(with(vec![json!(""), json!(7), json!("keys.readx"), json!("KEYS.READ")])),
        ),
        ("nonce", vec![Some(json!("n"))]),
        ("at_hash", vec![Some(json!("h"))]),
        ("c_hash", vec![Some(json!("h"))]),
    ]
}

/// The same claims and signature under another header.
fn with_header(token: &str, header: &Value) -> String {
    let (_, rest) = token.split_once('.').unwrap();
    format!("{}.{rest}", encoded(&header.to_string()))
}

fn encoded(json: &str) -> String {
    Base64UrlUnpadded::encode_string(json.as_bytes())
}

/// A token that is signed with what everybody may know.
fn hmac(idp: &OpenIdProvider, secret: &str) -> String {
    let header = Header { typ: Some("at+jwt".to_owned()), ..Header::new(Algorithm::HS256) };
    let key = EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&header, &fresh(idp), &key).unwrap()
}

async fn keys(idp: &OpenIdProvider) -> Value {
    Api::new(idp.issuer(), Caller::Anonymous).get("/jwks").await.expect(200).body
}

async fn asked(admin: &Api, token: &str) -> Answer {
    bearing(admin, token).get(ME).await
}
