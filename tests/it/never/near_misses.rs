//! Only the whole secret is the secret.

use acceptance::{Caller, Database, on_each_database};
use reqwest::{Method, header::HeaderValue};
use serde_json::json;

use super::{
    holders::Kind,
    world::{World, answer},
};

on_each_database! {
    async fn nothing_that_is_nearly_an_issued_key_is_accepted(database: Database) {
        let world = World::on(&database).await;
        let old = world.key_with_roles(json!([1])).await;
        let id = world.server.api(Caller::Header(old.clone())).get("/api/v1/me").await.expect(200);
        let id = id.body["credential"]["id"].as_str().unwrap();
        let rotate = format!("/api/v1/api-keys/{id}/rotate");
        let new = world.admin.post(&rotate, json!({ "overlap_seconds": 3_600 })).await.expect(200);
        let new = new.text_of("key");
        for key in [old.as_str(), new] {
            assert_eq!(asked(&world, key.as_bytes(), "").await, 200, "the key itself");
        }

        let mut near = near_misses(&old);
        near.extend(near_misses(new));
        let half = old.len() / 2;
        near.push(format!("{}{}", &old[..half], &new[half..]).into_bytes());
        near.push(format!("{old}{new}").into_bytes());
        for text in near {
            for scheme in ["", "Bearer "] {
                let status = asked(&world, &text, scheme).await;
                assert_eq!(status, 401, "{scheme}{}", String::from_utf8_lossy(&text));
            }
        }
    }

    async fn nothing_that_is_nearly_an_issued_token_is_accepted(database: Database) {
        let world = World::on(&database).await;
        for kind in [Kind::PersonalToken, Kind::Session, Kind::TradedKey] {
            let one = kind.made(&world, &json!(1), &[]).await.secret;
            let other = kind.made(&world, &json!(1), &[]).await.secret;
            for token in [&one, &other] {
                assert_eq!(asked(&world, token.as_bytes(), "Bearer ").await, 200, "{kind:?}");
            }
            let mut near = near_misses(&one);
            let parts = |token: &str| token.split('.').map(str::to_owned).collect::<Vec<_>>();
            let (ones, others) = (parts(&one), parts(&other));
            // The parts of two tokens, of which at least one belongs to the other.
            for mixed in 1..(1 << ones.len()) - 1 {
                let part = |at: usize| if mixed >> at & 1 == 0 { &ones[at] } else { &others[at] };
                let mixed: Vec<_> = (0..ones.len()).map(|at| part(at).as_str()).collect();
                near.push(mixed.join(".").into_bytes());
            }
            near.extend([".", "..", "x."].map(|before| format!("{before}{one}").into_bytes()));
            near.extend([".", ".x", "/"].map(|behind| format!("{one}{behind}").into_bytes()));
            near.retain(|text| text != one.as_bytes() && text != other.as_bytes());
            for text in near {
                let status = asked(&world, &text, "Bearer ").await;
                assert_eq!(status, 401, "{kind:?}: {}", String::from_utf8_lossy(&text));
            }
            let elsewhere = if one.contains('.') { 401 } else { 200 };
            assert_eq!(asked(&world, one.as_bytes(), "").await, elsewhere, "{kind:?} as a key");
        }
    }
}

/// The status of a request with this text, as it is or behind a scheme.
async fn asked(world: &World, text: &[u8], scheme: &str) -> u16 {
    let name = if scheme.is_empty() { "x-api-key" } else { "authorization" };
    let value = HeaderValue::from_bytes(&[scheme.as_bytes(), text].concat()).unwrap();
    let request = world.anonymous().request(Method::GET, "/api/v1/me").header(name, value);
    answer(request).await.status.as_u16()
}

/// Texts that a careless comparison takes for the key. White space around a header's value is no
/// part of it (RFC 9110, section 5.5), so there is none here at the ends.
fn near_misses(key: &str) -> Vec<Vec<u8>> {
    let prefixes = (0..key.len()).map(|end| key[..end].to_owned());
    let suffixes = (1..key.len()).map(|start| key[start..].to_owned());
    // Of two characters that differ in one bit, one may be what a lax decoder takes for the other.
    let changed = ["xy", "AB", "wg"].into_iter().flat_map(|pair| {
        let (one, other) = pair.split_at(1);
        let by = move |at: usize| if &key[at..=at] == one { other } else { one };
        (0..key.len()).map(move |at| replaced(key, at, by(at)))
    });
    let flipped = (0..key.len()).filter(|at| key.as_bytes()[*at].is_ascii_alphabetic()).map(|at| {
        let letter = &key[at..=at];
        let upper = letter.to_ascii_uppercase();
        replaced(key, at, &if upper == letter { letter.to_ascii_lowercase() } else { upper })
    });
    let missing = (0..key.len()).map(|at| replaced(key, at, ""));
    let doubled = (0..key.len()).map(|at| format!("{}{}", &key[..=at], &key[at..]));
    let split = (1..key.len()).map(|at| format!("{} {}", &key[..at], &key[at..]));
    let padded = ["=", "==", "a", "0", "_", ".", "%20", "%00", "\u{e9}", "\u{200b}", "\u{feff}"];
    let behind = padded.map(|padding| format!("{key}{padding}"));
    let before = padded.map(|padding| format!("{padding}{key}"));
    let whole = [
        key.to_uppercase(),
        key.to_lowercase(),
        key.chars().rev().collect(),
        key.repeat(2),
        format!("\"{key}\""),
        format!("'{key}'"),
        format!("<{key}>"),
        key.replace('_', "-"),
        key.replace('_', "%5F"),
        key.replace('_', "\u{ff3f}"),
        key.replacen('k', "\u{ff4b}", 1),
        key.replacen('k', "\u{43a}", 1),
        key.replacen('s', "\u{17f}", 1),
    ];
    prefixes
        .chain(suffixes)
        .chain(changed)
        .chain(flipped)
        .chain(missing)
        .chain(doubled)
        .chain(split)
        .chain(behind)
        .chain(before)
        .chain(whole)
        .filter(|text| text != key)
        .map(String::into_bytes)
        .chain([[key.as_bytes(), b"\xff"].concat(), [key.as_bytes(), b"\x80"].concat()])
        .collect()
}

fn replaced(key: &str, at: usize, by: &str) -> String {
    format!("{}{by}{}", &key[..at], &key[at + 1..])
}
