//! What an import refuses, and how much it takes.

use acceptance::{Database, on_each_database, started};
use serde_json::{Value, json};

use super::{BATCH, KEYS, batch, import, refusals, shown, unseen, with_hash};

on_each_database! {
    async fn ten_thousand_keys_are_imported_at_once(database: Database) {
        let (_server, admin) = started(&database).await;
        let secret = "ghp_27D8f53A303d7023F8821d949458Bf289C5b";
        let hash = "cfb0b76bae1b5dc86a80f6a520686f74bcbaeab7837a5bd4de87c076330b2513";
        let keys = (0..10_000).map(|n| {
            let value = if n == 7_000 { hash.to_owned() } else { format!("{n:064x}") };
            with_hash(&format!("key {n}"), json!({ "algorithm": "sha256", "value": value }))
        });
        let made = import(&admin, keys.collect()).await;
        assert_eq!(made.body["created"], 10_000);
        let waiting = admin.get(&format!("{KEYS}?unseen_import=true&limit=1")).await.expect(200);
        assert_eq!(waiting.body["total"], 10_000);
        assert_eq!(shown(&admin, secret).await, 200);
        let waiting = admin.get(&format!("{KEYS}?unseen_import=true&limit=1")).await.expect(200);
        assert_eq!(waiting.body["total"], 9_999);
    }

    async fn what_makes_no_sense_is_refused_by_its_place(database: Database) {
        let (_server, admin) = started(&database).await;
        let cases = nonsense();
        let keys = cases.iter().map(|(key, _)| key.clone()).collect();
        let refused = batch(&admin, keys).await;
        let expected: Vec<_> = cases
            .iter()
            .enumerate()
            .map(|(at, (_, members))| {
                let pointer = |member: &&str| format!("/api_keys/{at}{member}");
                (422, members.iter().map(pointer).collect::<Vec<_>>())
            })
            .collect();
        let told = refusals(&refused);
        for ((told, expected), (key, _)) in told.iter().zip(&expected).zip(&cases) {
            assert_eq!(told, expected, "{key}");
        }
        assert_eq!(told.len(), cases.len());
        let unknown = json!({ "name": "k", "hash": { "algorithm": "md5", "value": "", "x": 1 } });
        let unknown = admin.post(BATCH, json!({ "api_keys": [unknown] })).await.expect(400);
        assert_eq!(unknown.body["errors"][0]["pointer"], "/api_keys/0/hash/x");
    }

    async fn unseen_keys_may_be_hashed_in_few_ways_at_once(database: Database) {
        let (_server, admin) = started(&database).await;
        let salted = |n: usize| {
            let value = format!("{n:064x}");
            let salt = json!({ "value": format!("salt {n}") });
            with_hash("k", json!({ "algorithm": "sha256", "value": value, "salt": salt }))
        };
        let made = batch(&admin, (0..17).map(salted).collect()).await;
        assert_eq!(made.body["created"], 16);
        assert_eq!(refusals(&made), [(422, vec!["/api_keys/16/hash".to_owned()])]);
        let refused = admin.post(KEYS, salted(17)).await.expect(422);
        assert_eq!(refused.body["errors"][0]["pointer"], "/hash");
    }

    async fn few_unseen_keys_may_have_one_beginning(database: Database) {
        let (_server, admin) = started(&database).await;
        let crowd = |n: usize| {
            let value = format!("{n:064x}");
            let hash = json!({ "algorithm": "sha256", "value": value, "prefix": "sk_live_" });
            with_hash(&format!("k{n}"), hash)
        };
        let made = batch(&admin, (0..9).map(crowd).collect()).await;
        assert_eq!(refusals(&made), [(422, vec!["/api_keys/8/hash/prefix".to_owned()])]);
        admin.post(KEYS, crowd(8)).await.expect(422);
        assert_eq!(unseen(&admin).await.len(), 8);
    }

    async fn fewer_may_have_one_beginning_the_slower_their_hashes_are(database: Database) {
        let (_server, admin) = started(&database).await;
        let keys = vec![
            pbkdf2("half", 2_000_000, "one"),
            pbkdf2("three eighths", 1_500_000, "two"),
            pbkdf2("too much", 600_000, "three"),
            pbkdf2("the last eighth", 500_000, "four"),
        ];
        let made = batch(&admin, keys).await;
        let place = |at: usize| (422, vec![format!("/api_keys/{at}/hash/prefix")]);
        assert_eq!(refusals(&made), [place(2)]);
        // What begins so begins so, however it was hashed.
        let bcrypt = "$2b$04$5BxbVOWAhZDbfQsGE3CWc.eBs592TQVXIkStTcGdj0mLv2LP0NsEO";
        let bcrypt = json!({ "algorithm": "bcrypt", "value": bcrypt, "prefix": "slow." });
        let refused = batch(&admin, vec![pbkdf2("k", 1, "five"), with_hash("k", bcrypt)]).await;
        assert_eq!(refusals(&refused), [place(0), place(1)]);
        assert_eq!(unseen(&admin).await.len(), 3);
    }
}

/// The text of a slow hash, of nothing that anybody knows.
fn pbkdf2(name: &str, iterations: u32, salt: &str) -> Value {
    let value = format!("pbkdf2_sha256${iterations}${salt}${}=", "A".repeat(43));
    with_hash(name, json!({ "algorithm": "pbkdf2", "value": value, "prefix": "slow." }))
}

/// Keys that are refused, each with the members that are wrong.
fn nonsense() -> Vec<(Value, &'static [&'static str])> {
    let sha256 = "cfb0b76bae1b5dc86a80f6a520686f74bcbaeab7837a5bd4de87c076330b2513";
    let hash = |more: Value| {
        let mut hash = json!({ "algorithm": "sha256", "value": sha256 });
        hash.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        with_hash("k", hash)
    };
    let bcrypt = "$2b$15$n/rGMVjnf63LIj0xuTnCEORI71YBG05AIxRUQH39e393/gCRwadAy";
    let mistyped = "ks_0123456789abcdefghijABCDEFGHIJ0123456789xyz3A8jxh";
    vec![
        (hash(json!({ "algorithm": "md5" })), &["/hash/algorithm"]),
        (hash(json!({ "algorithm": "sha1" })), &["/hash/value"]),
        (hash(json!({ "algorithm": "sha512" })), &["/hash/value"]),
        (hash(json!({ "value": "" })), &["/hash/value"]),
        (hash(json!({ "value": format!("{sha256}00") })), &["/hash/value"]),
        (hash(json!({ "value": sha256.replace('c', "g") })), &["/hash/value"]),
        (hash(json!({ "encoding": "base64" })), &["/hash/value"]),
        (hash(json!({ "encoding": "text" })), &["/hash/encoding"]),
        (hash(json!({ "encoding": "hexa" })), &["/hash/encoding"]),
        (hash(json!({ "part": {} })), &["/hash/part"]),
        (hash(json!({ "part": { "skip": 1, "after_last": "_" } })), &["/hash/part"]),
        (hash(json!({ "part": { "skip": 0 } })), &["/hash/part/skip"]),
        (hash(json!({ "part": { "after_first": "" } })), &["/hash/part/after_first"]),
        (hash(json!({ "part": { "after_last": " " } })), &["/hash/part/after_last"]),
        (hash(json!({ "salt": { "value": "" } })), &["/hash/salt/value"]),
        (
            hash(json!({ "salt": { "value": "zz", "encoding": "hex", "position": "left" } })),
            &["/hash/salt/value", "/hash/salt/position"],
        ),
        (hash(json!({ "key": { "value": "pepper" } })), &["/hash/key"]),
        (hash(json!({ "algorithm": "hmac-sha256" })), &["/hash/key"]),
        (hash(json!({ "prefix": "" })), &["/hash/prefix"]),
        (hash(json!({ "prefix": "a b" })), &["/hash/prefix"]),
        (hash(json!({ "algorithm": "bcrypt", "value": bcrypt })), &["/hash/prefix"]),
        (hash(json!({ "algorithm": "bcrypt", "value": bcrypt, "prefix": "b" })), &["/hash/value"]),
        (hash(json!({ "algorithm": "argon2", "prefix": "b" })), &["/hash/value"]),
        (hash(json!({ "algorithm": "argon2", "prefix": "a b" })), &["/hash/prefix"]),
        (
            hash(json!({ "algorithm": "pbkdf2", "prefix": "b", "encoding": "hex" })),
            &["/hash/encoding"],
        ),
        (
            json!({ "name": "k", "key": "abc", "hash": { "algorithm": "sha1", "value": "" } }),
            &["/hash"],
        ),
        (json!({ "name": "k", "key": "a b" }), &["/key"]),
        (json!({ "name": "k", "key": "eyJh.eyJi.sig" }), &["/key"]),
        (json!({ "name": "k", "key": mistyped }), &["/key"]),
        (json!({ "name": "k", "key_prefix": "ks_" }), &["/key_prefix"]),
    ]
}
