//! The test vectors of Project Wycheproof against our verifying path, each of them.
//!
//! They are signatures over any payload, so they run against [`Jws`], the part of the path below
//! the claims.

use serde::Deserialize;

use super::*;
use crate::jwt::jws::Jws;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vectors {
    number_of_tests: usize,
    test_groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    /// A key, or a set of keys.
    public: Option<Value>,
    /// The same with its private parts; alone, where the key is symmetric.
    private: Value,
    tests: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vector {
    tc_id: u32,
    jws: Value,
    result: String,
}

/// How the vectors of a file came out, by number.
#[derive(Default)]
struct Outcome {
    verified: Vec<u32>,
    refused: usize,
    /// Valid, and yet refused.
    declined: Vec<u32>,
    /// Invalid, and yet verified.
    mistaken: Vec<u32>,
}

fn run(file: &str) -> Outcome {
    let vectors: Vectors = serde_json::from_str(file).unwrap();
    let mut outcome = Outcome::default();
    let mut count = 0;
    for group in &vectors.test_groups {
        let keys = published(group.public.as_ref().unwrap_or(&group.private));
        for vector in &group.tests {
            count += 1;
            let text = vector.jws.as_str().map_or_else(|| vector.jws.to_string(), str::to_owned);
            let is_verified = Jws::parse(&text).and_then(|jws| jws.verify(&keys)).is_ok();
            match (vector.result == "valid", is_verified) {
                (true, true) => outcome.verified.push(vector.tc_id),
                (true, false) => outcome.declined.push(vector.tc_id),
                (false, true) => outcome.mistaken.push(vector.tc_id),
                (false, false) => outcome.refused += 1,
            }
        }
    }
    assert_eq!(count, vectors.number_of_tests, "every vector has run");
    outcome
}

fn published(key: &Value) -> KeySet {
    let set = if key.get("keys").is_some() { key.clone() } else { json!({"keys": [key]}) };
    KeySet::parse(set.to_string().as_bytes()).unwrap()
}

#[test]
fn the_published_signatures_are_judged_rightly() {
    let outcome = run(include_str!("../../../tests/wycheproof/json_web_signature_test.json"));
    assert_eq!(outcome.mistaken, [0; 0]);
    assert_eq!(outcome.verified.len(), 32);
    assert_eq!(outcome.refused, 355);
    // HS256, which is never accepted; of 372 and 373 the base64url is no base64url either.
    let symmetric = [1, 348, 352, 357, 358, 359, 372, 373, 376, 377];
    // The header says PS384 and the key PS256; the key says "ES521", which does not exist.
    let mislabelled = [346, 347, 350, 351];
    let mut declined = [symmetric.as_slice(), &mislabelled].concat();
    declined.sort_unstable();
    assert_eq!(outcome.declined, declined);
}

#[test]
fn the_published_keys_are_judged_rightly() {
    let outcome = run(include_str!("../../../tests/wycheproof/json_web_key_test.json"));
    assert_eq!(outcome.mistaken, [0; 0]);
    assert_eq!(outcome.verified, [5]);
    assert_eq!(outcome.refused, 21);
    // HS256, HS384 and HS512.
    assert_eq!(outcome.declined, [2, 13, 14, 15]);
}
