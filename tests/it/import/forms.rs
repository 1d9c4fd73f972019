//! Every form in which a store may have hashed: the hashes are those of Python's `hashlib`, `hmac`,
//! `bcrypt` and `argon2`.

use acceptance::{Database, on_each_database, started};
use serde_json::{Value, json};

use super::{EVENTS, KEYS, code, import, shown, unseen, with_hash};

on_each_database! {
    async fn a_key_of_any_store_works_with_the_secret_that_its_holder_has(database: Database) {
        let (server, admin) = started(&database).await;
        let (names, secrets): (Vec<_>, Vec<_>) =
            forms().iter().map(|(name, secret, _)| (*name, *secret)).unzip();
        let keys = forms().into_iter().map(|(name, _, hash)| with_hash(name, hash)).collect();
        let made = import(&admin, keys).await;
        for key in made.body["data"].as_array().unwrap() {
            assert_eq!((&key["unseen_import"], key.get("key")), (&json!(true), None), "{key}");
        }
        assert_eq!(unseen(&admin).await, names);

        for secret in &secrets {
            for wrong in near_misses(secret) {
                assert_eq!(shown(&admin, &wrong).await, 401, "{wrong}");
            }
        }
        assert_eq!(unseen(&admin).await, names, "guesses are no uses");

        for secret in &secrets {
            assert_eq!(shown(&admin, secret).await, 200, "{secret}");
            assert_eq!(shown(&admin, secret).await, 200, "{secret} again");
        }
        assert_eq!(unseen(&admin).await, [""; 0]);

        let server = server.restart().await;
        for secret in &secrets {
            assert_eq!(shown(&server.admin(), secret).await, 200, "{secret} after a restart");
            for wrong in near_misses(secret) {
                assert_eq!(shown(&server.admin(), &wrong).await, 401, "{wrong}");
            }
        }
        let imported = format!("{EVENTS}?action=api_key.imported&limit=1");
        let told = server.admin().get(&imported).await.expect(200);
        assert_eq!(told.body["total"], names.len(), "{told}");
    }

    async fn a_key_in_plain_is_taken_as_it_is(database: Database) {
        let (_server, admin) = started(&database).await;
        let kong = "kPq8Wn2sVtY5xZ7bC1dF3gH6jK9mL0rT";
        let new = json!({ "name": "kong", "key": kong, "metadata": { "consumer": "ann" } });
        let made = admin.post(KEYS, new).await.expect(201);
        assert_eq!(made.body.get("key"), None, "{made}");
        assert_eq!((&made.body["key_prefix"], &made.body["unseen_import"]), (&json!("kPq8Wn"), &json!(false)));
        assert_eq!(shown(&admin, kong).await, 200);
        assert_eq!(shown(&admin, &kong[1..]).await, 401);
        assert_eq!(shown(&admin, "never-imported").await, 401);
    }

    async fn what_is_shown_of_a_key_is_what_was_told_of_it(database: Database) {
        let (_server, admin) = started(&database).await;
        let hash = |prefix: Option<&str>| json!({
            "algorithm": "sha256", "prefix": prefix,
            "value": "cfb0b76bae1b5dc86a80f6a520686f74bcbaeab7837a5bd4de87c076330b2513",
        });
        for (told, prefix, expected) in
            [(Some("ghp_27D8"), Some("ghp_"), "ghp_27D8"), (None, Some("ghp_"), "ghp_"), (None, None, "")]
        {
            let new = json!({ "name": "k", "hash": hash(prefix), "key_prefix": told });
            let dry = admin.post(&format!("{KEYS}?dry_run=true"), new).await.expect(200);
            assert_eq!(dry.body["key_prefix"], expected, "{dry}");
        }
        assert_eq!(unseen(&admin).await, [""; 0]);
    }

    async fn verify_is_a_first_use_too(database: Database) {
        let (_server, admin) = started(&database).await;
        let (name, secret, hash) = forms().swap_remove(0);
        import(&admin, vec![with_hash(name, hash)]).await;
        assert_eq!(code(&admin, secret).await, "valid");
        assert_eq!(unseen(&admin).await, [""; 0]);
    }
}

/// Names in order, secrets, and what their stores kept.
fn forms() -> Vec<(&'static str, &'static str, Value)> {
    let bcrypt = "$2b$04$n/rGMVjnf63LIj0xuTnCEORI71YBG05AIxRUQH39e393/gCRwadAy";
    let sha256 = |value: &str| json!({ "algorithm": "sha256", "value": value });
    let with = |mut hash: Value, member: &str, value: Value| {
        hash[member] = value;
        hash
    };
    vec![
        (
            "a unkey",
            "unkey_3ZRGxQxYkBzCPHVkSgeKTTzh",
            json!({
                "algorithm": "sha256", "encoding": "base64",
                "value": "h4OQfCLe8HlPaNRjkpt9/7Hlq2+znRPinkYAzb3/6mc=",
            }),
        ),
        (
            "b github",
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            json!({
                "algorithm": "sha256", "encoding": "base64url",
                "value": "NUPFCwy5zqjlXrH1KbefBDyyUNSF_ee2bKu7UYOt19o",
            }),
        ),
        (
            "c capitals",
            "ghp_27D8f53A303d7023F8821d949458Bf289C5b",
            sha256("CFB0B76BAE1B5DC86A80F6A520686F74BCBAEAB7837A5BD4DE87C076330B2513"),
        ),
        (
            "d rails",
            "rails_live_R2D2c3poBB8chewbacca",
            json!({
                "algorithm": "sha1", "value": "5cc25634e17adc4f6b6301976b39323a4ef4dadd",
                "part": { "after_last": "_" },
            }),
        ),
        (
            "e django",
            "pYbTKbVr.Xa4V1jF0aKBQlZSrpXp8cGzZkV0UuBqp",
            json!({
                "algorithm": "sha512",
                "value": "851ac5db65c0362fde0646dc1f07b180adf66f993ff4746629fdfccd0207bac7\
                          83bc5a8ecc2a7ea696225aca0632e90ca113a9f84f1b57f51ccf9f3cba662aff",
            }),
        ),
        (
            "f hmac",
            "app-7c2f9d1e4b8a6053",
            json!({
                "algorithm": "hmac-sha256", "key": { "value": "00ff10", "encoding": "hex" },
                "value": "18c04846d442fd02e0dac09fa927070d8d33d8f14ad8e9e188bc81c5c3fb9db0",
            }),
        ),
        (
            "g peppered",
            "team-5f0e1d2c3b4a6978",
            with(
                sha256("5317df05f7a3205daab65a90a56b8bbb9c4af901cc233427add843fdfc1a0635"),
                "salt",
                json!({ "value": "old-pepper" }),
            ),
        ),
        (
            "h salted",
            "acme-9a8b7c6d5e4f3021",
            grain("667e78701ff680dc5a35767004585cde719cb17f129a8e492c1caf56d7b1d16b", "grain-1"),
        ),
        (
            "i salted",
            "acme-0123456789abcdef",
            grain("ebcfab12f202886769a803ea446bc4259ee20a369f9bb6088bfe0c6fe2cea329", "grain-2"),
        ),
        (
            "j sanctum",
            "7|7Qm0sJZ4tq1yHhWfK3nUoXv8LbRcEaPdGiTj5rAz",
            json!({
                "algorithm": "sha256", "part": { "after_first": "|" }, "prefix": "7|",
                "value": "67283c175a832b3ed7bf34aabb224f4086efbb3ba3bd6e829544f116fef14814",
            }),
        ),
        (
            "k skipped",
            "key:aBcD1234eFgH5678iJkL",
            with(
                sha256("e7621a4d53b989036fbeaf60574280959e210e98579d833b8bf600680809efa0"),
                "part",
                json!({ "skip": 4 }),
            ),
        ),
        (
            "l bcrypt",
            "bc34.aVeryRandomSecret0003",
            json!({
                "algorithm": "bcrypt", "value": bcrypt, "prefix": "bc34.",
                "part": { "after_first": "." },
            }),
        ),
        (
            "m argon2",
            "ar12.aVeryRandomSecret0004",
            json!({
                "algorithm": "argon2", "prefix": "ar12",
                "value": "$argon2id$v=19$m=64,t=1,p=1$Zjw7C09votKp5g/3Ph08Yg$wVAt0XTx3K0dxDnyOUSwi\
                          2cGN41BAyfznTfYc07tedA",
            }),
        ),
        (
            "n pbkdf2",
            "pb12.aVeryRandomSecret0005",
            json!({
                "algorithm": "pbkdf2", "prefix": "pb12",
                "value": "pbkdf2_sha256$1000$saltsalt$3Qm37wvGkFzpBPrwwNU6jeUBk2miaegHKaLS2UUypfE=",
            }),
        ),
    ]
}

/// The hash of a key with a salt of its own.
fn grain(value: &str, salt: &str) -> Value {
    let salt = json!({ "value": salt, "position": "after" });
    json!({ "algorithm": "sha256", "value": value, "salt": salt, "prefix": "acme-" })
}

/// Texts that are nearly the secret, at the end where all stores look.
fn near_misses(secret: &str) -> [String; 5] {
    let (cut, last) = secret.split_at(secret.len() - 1);
    let other = if last == "x" { "y" } else { "x" };
    let (start, end) = secret.split_at(secret.len() / 2);
    let flip =
        |c: char| if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
    let flipped: String = end.chars().map(flip).collect();
    let flipped = format!("{start}{flipped}");
    [cut.to_owned(), format!("{secret}x"), format!("{cut}{other}"), flipped, last.repeat(20)]
}
