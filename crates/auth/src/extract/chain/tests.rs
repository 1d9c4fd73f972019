use keystile_domain::QueryName;
use proptest::option;
use proptest::prelude::*;
use proptest::string::bytes_regex;

use super::*;
use crate::testing::FakeRequest;

fn every_place() -> Chain {
    Chain::new([HeaderName::default().into(), Place::BEARER, QueryName::default().into()])
}

fn found(request: &FakeRequest) -> (String, Carrier, String) {
    let presented = every_place().extract(request).unwrap().unwrap();
    let secret = presented.text.expose().to_owned();
    (secret, presented.carrier(), presented.place.name().to_owned())
}

#[test]
fn a_credential_is_found_at_each_place_with_the_place_it_stood_at() {
    let key = || "ks_key".to_owned();
    for (request, carrier, name) in [
        (FakeRequest::new().header("X-API-KEY", "ks_key"), Carrier::Header, "x-api-key"),
        (
            FakeRequest::new().header("authorization", "Bearer ks_key"),
            Carrier::Bearer,
            "authorization",
        ),
        (FakeRequest::new().query("apiKey=ks_key"), Carrier::Query, "apiKey"),
    ] {
        assert_eq!(found(&request), (key(), carrier, name.to_owned()));
    }
}

#[test]
fn a_request_without_a_credential_shows_none() {
    let request = FakeRequest::new().header("Authorization", "Basic dTpw").query("page=1");
    assert!(every_place().extract(&request).unwrap().is_none());
}

#[test]
fn another_scheme_beside_a_key_does_no_harm() {
    let request = FakeRequest::new().header("Authorization", "Basic dTpw").query("apiKey=ks_key");
    assert_eq!(found(&request).1, Carrier::Query);
}

#[test]
fn the_default_looks_into_no_query() {
    let request = FakeRequest::new().query("apiKey=ks_key");
    assert!(Chain::default().extract(&request).unwrap().is_none());
    assert!(Chain::default().extract(&request.header("X-API-Key", "ks_a")).unwrap().is_some());
}

#[test]
fn two_credentials_are_ambiguous_equal_or_malformed_or_not() {
    for (header, bearer, query) in [
        (Some("ks_a"), Some("Bearer ks_a"), ""),
        (Some("ks_a"), Some("Bearer ks_b"), ""),
        (Some("ks_a"), None, "apiKey=ks_b"),
        (None, Some("Bearer ks_a"), "apiKey=ks_b"),
        (Some(""), Some("Bearer ks_b"), ""),
        (Some("ks_a"), Some("Bearer"), ""),
        (Some("ks_a"), None, "apiKey"),
        (Some("ks_a"), Some("Bearer ks_b"), "apiKey=ks_c"),
    ] {
        let mut request = FakeRequest::new().query(query);
        if let Some(value) = header {
            request = request.header("X-API-Key", value);
        }
        if let Some(value) = bearer {
            request = request.header("Authorization", value);
        }
        assert_eq!(every_place().extract(&request).err(), Some(Refusal::Ambiguous), "{request:?}");
    }
}

#[test]
fn a_repeated_place_is_ambiguous() {
    for request in [
        FakeRequest::new().header("X-API-Key", "ks_a").header("x-api-key", "ks_a"),
        FakeRequest::new().header("Authorization", "Bearer a").header("Authorization", "Bearer a"),
        FakeRequest::new().query("apiKey=a&apiKey=a"),
    ] {
        assert_eq!(every_place().extract(&request).err(), Some(Refusal::Ambiguous), "{request:?}");
    }
}

#[test]
fn a_place_that_providers_share_is_looked_at_once() {
    let places = || ["X-API-Key".parse::<HeaderName>().unwrap().into(), Place::BEARER];
    let chain = Chain::new(places().into_iter().chain(places()));
    let request = FakeRequest::new().header("X-API-Key", "ks_key");
    assert!(chain.extract(&request).unwrap().is_some());
}

#[test]
fn an_embedder_may_take_the_first_in_the_order_of_the_chain() {
    let request = FakeRequest::new()
        .query("apiKey=ks_query")
        .header("Authorization", "Bearer ks_bearer")
        .header("X-API-Key", "ks_first")
        .header("X-API-Key", "ks_second");
    let presented =
        every_place().with_ambiguity(Ambiguity::TakeFirst).extract(&request).unwrap().unwrap();
    assert_eq!(presented.text.expose(), "ks_first");
}

#[test]
fn a_malformed_credential_never_falls_through_even_when_the_first_is_taken() {
    let request = FakeRequest::new().header("X-API-Key", "").header("Authorization", "Bearer ks_b");
    let chain = every_place().with_ambiguity(Ambiguity::TakeFirst);
    assert_eq!(chain.extract(&request).err(), Some(Refusal::Malformed(Malformed::Empty)));
}

#[test]
fn a_jwt_is_a_bearer_token_and_an_ordinary_text_anywhere_else() {
    for (header, value, is_jwt) in
        [("Authorization", "Bearer eyJh.eyJz.c2ln", true), ("X-API-Key", "eyJh.eyJz.c2ln", false)]
    {
        let request = FakeRequest::new().header(header, value);
        let presented = every_place().extract(&request).unwrap().unwrap();
        assert_eq!(matches!(presented.text, CredentialText::Jwt(_)), is_jwt, "{header}");
    }
}

#[test]
fn a_ticket_is_a_credential_like_any_other() {
    let chain = Chain::new([HeaderName::default().into(), Place::TICKET]);
    let ticket = FakeRequest::new().query("apiKey=ks_a&ticket=ks_tk_a");
    let presented = chain.extract(&ticket).unwrap().unwrap();
    assert_eq!((presented.carrier(), presented.place.name()), (Carrier::Ticket, "ticket"));
    let both = chain.extract(&ticket.header("X-API-Key", "ks_a"));
    assert_eq!(both.err(), Some(Refusal::Ambiguous));
    let elsewhere = FakeRequest::new().query("ticket=ks_tk_a");
    assert!(Chain::default().extract(&elsewhere).unwrap().is_none());
}

#[test]
fn what_is_passed_on_has_no_credential_and_is_otherwise_as_it_was() {
    for (query, rest) in [
        ("", ""),
        ("apiKey=ks_a", ""),
        ("a=1&apiKey=ks_a&b", "a=1&b"),
        ("apiKey=ks_a&apiKey=ks_b&ticket=x&%74icket=y", ""),
        ("api%4bey=ks_a&a=%20%zz", "a=%20%zz"),
        ("apiKey&ticket", ""),
        ("&&apiKey=a=b&", "&&"),
        ("apikey=a&a=apiKey&api%254Bey=a&xticket=1", "apikey=a&a=apiKey&api%254Bey=a&xticket=1"),
    ] {
        assert_eq!(every_place().without_credentials(query), rest, "{query}");
    }
    assert_eq!(Chain::default().without_credentials("apiKey=a&ticket=b"), "apiKey=a");
}

#[test]
fn no_debug_text_shows_a_credential() {
    for request in [
        FakeRequest::new().header("X-API-Key", "ks_hidden"),
        FakeRequest::new().header("X-API-Key", "ks_hidden, ks_hidden"),
        FakeRequest::new().header("X-API-Key", "ks_hidden").query("apiKey=ks_hidden"),
    ] {
        let text = match every_place().extract(&request) {
            Ok(presented) => format!("{presented:?}"),
            Err(refusal) => format!("{refusal:?} {refusal}"),
        };
        assert!(!text.contains("hidden"), "{text}");
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_never_changed_on_their_way(
        header in option::of(bytes_regex("(?s-u:[!-~]{0,20}.?)").unwrap()),
        bearer in option::of(bytes_regex("(?s-u:[bB]earer[ \\t]{1,2}[a-z.]{0,20}.?)").unwrap()),
        query in "(apiKey|a|&|=|%[0-9a-fA-F]{0,2}|\\+|\\PC){0,8}",
    ) {
        let mut request = FakeRequest::new().query(&query);
        if let Some(value) = &header {
            request = request.header("X-API-Key", value);
        }
        if let Some(value) = &bearer {
            request = request.header("Authorization", value);
        }
        let shown = usize::from(header.is_some()) + usize::from(bearer.is_some());
        match every_place().extract(&request) {
            Ok(None) => prop_assert_eq!(shown, 0),
            Ok(Some(presented)) => {
                let secret = presented.text.expose();
                prop_assert!(secret.bytes().all(|byte| byte.is_ascii_graphic()));
                match presented.carrier() {
                    Carrier::Header => prop_assert_eq!(Some(secret.as_bytes()), header.as_deref()),
                    Carrier::Bearer => prop_assert!(bearer.unwrap().ends_with(secret.as_bytes())),
                    _ => prop_assert_eq!(shown, 0),
                }
            }
            Err(Refusal::Ambiguous) => prop_assert!(shown == 2 || query.contains("apiKey")),
            Err(Refusal::Malformed(_)) => prop_assert!(shown <= 1),
        }
    }

    #[test]
    fn a_key_survives_percent_encoding(key in "[!-~]{1,512}") {
        let encoded: String = key.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let request = FakeRequest::new().query(&format!("a=b&apiKey={encoded}"));
        prop_assert_eq!(found(&request).0, key);
    }
}
