use super::HashAlgorithm::{Argon2, Bcrypt, HmacSha256, Pbkdf2, Sha1, Sha256, Sha512};
use super::HashEncoding::{Base64, Base64Url, Hex, Text};
use super::*;

/// The hashes below are those of `sha256sum` and its like, and of Python's `hmac`.
const KEY: &str = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
const SHA256: &str = "3543c50b0cb9cea8e55eb1f529b79f043cb250d485fde7b66cabbb5183add7da";

fn bytes(text: &str, encoding: HashEncoding) -> HashBytes {
    HashBytes::read(text, encoding).unwrap()
}

fn whole(algorithm: HashAlgorithm, value: &str) -> HashParts {
    let value = bytes(value, Hex);
    HashParts { algorithm, value, part: KeyPart::default(), salt: None, key: None, prefix: None }
}

fn salt(text: &str, position: SaltPosition) -> Option<HashSalt> {
    Some(HashSalt { value: bytes(text, Text), position })
}

fn prefix(text: &str) -> Option<KeyPrefix> {
    Some(text.to_owned().try_into().unwrap())
}

fn secret(text: &str) -> Secret {
    Secret::parse(text).unwrap()
}

fn pepper() -> Pepper {
    Pepper::from_bytes(&[7; 32])
}

/// Whether the text is looked for where the hash is kept, and is what was hashed.
#[track_caller]
fn is_found(parts: HashParts, text: &str) -> bool {
    let import = ImportedHash::new(parts).unwrap();
    let (scheme, secret) = (import.scheme(), secret(text));
    match scheme.place(&pepper(), &secret) {
        Some(ImportPlace::Digest(digest)) => digest == import.digest(&pepper()),
        Some(ImportPlace::Prefix(place)) => {
            Some(place) == import.place(&pepper()) && import.kept().is_of(&secret, scheme)
        }
        None => false,
    }
}

#[test]
fn a_key_is_found_by_each_hash_of_the_whole_of_it() {
    let sha1 = "661d8537b677bab547cd6fa69cc9e1c41aa6fcb1";
    let sha512 = "f391872b4cbfac1d4e965199a1c2d1b517bb303aa4e2bec0b8e967b1f8096fef\
                  6dd4d82e7ed3510da08532777a11e34f265c5451c5259444b2bd5770c05bcc71";
    assert!(is_found(whole(Sha1, sha1), KEY));
    assert!(is_found(whole(Sha256, SHA256), KEY));
    assert!(is_found(whole(Sha512, sha512), KEY));
    let hmac = "eedfc46db4d72b3e8231008eb993e6b7b2b89c5414570e4676904e3129b6e874";
    let keyed = |key| HashParts { key: Some(bytes(key, Text)), ..whole(HmacSha256, hmac) };
    assert!(is_found(keyed("pepper"), KEY));
    assert!(!is_found(keyed("Pepper"), KEY));
}

#[test]
fn a_hash_is_one_however_it_was_written() {
    let upper = SHA256.to_uppercase();
    for (text, encoding) in [
        (SHA256, Hex),
        (&upper, Hex),
        ("NUPFCwy5zqjlXrH1KbefBDyyUNSF/ee2bKu7UYOt19o=", Base64),
        ("NUPFCwy5zqjlXrH1KbefBDyyUNSF/ee2bKu7UYOt19o", Base64),
        ("NUPFCwy5zqjlXrH1KbefBDyyUNSF_ee2bKu7UYOt19o=", Base64Url),
        ("NUPFCwy5zqjlXrH1KbefBDyyUNSF_ee2bKu7UYOt19o", Base64Url),
    ] {
        let parts = HashParts { value: bytes(text, encoding), ..whole(Sha256, SHA256) };
        assert!(is_found(parts, KEY), "{text}");
    }
}

#[test]
fn a_key_is_found_by_the_hash_of_a_part_of_it() {
    let of_part = "1a59416f3b5c0b9624df791174f96468d161c8c3";
    for part in [
        KeyPart::skip(4),
        KeyPart::after_first("_".to_owned()),
        KeyPart::after_last("_".to_owned()),
        KeyPart::after_last("ghp_".to_owned()),
    ] {
        let part = part.unwrap();
        assert!(
            is_found(HashParts { part: part.clone(), ..whole(Sha1, of_part) }, KEY),
            "{part:?}"
        );
        for other in ["16C7e42F292c6912E7710c838347Ae178B4a", "ghp_", "gh", "ghp_16C7"] {
            let parts = HashParts { part: part.clone(), ..whole(Sha1, of_part) };
            assert!(!is_found(parts, other), "{part:?} {other}");
        }
    }
}

#[test]
fn the_first_and_the_last_mark_are_two_places() {
    let of_c = "2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6";
    let part = |part: Result<KeyPart, _>| HashParts { part: part.unwrap(), ..whole(Sha256, of_c) };
    assert!(is_found(part(KeyPart::after_last("_".to_owned())), "a_b_c"));
    assert!(!is_found(part(KeyPart::after_first("_".to_owned())), "a_b_c"));
}

#[test]
fn a_salt_of_all_keys_stands_on_its_side() {
    let before = "23507e7c60c7242147f4b2f7b344db442c8573c531edc2e0d61f92bb8b242345";
    let after = "57b03862ec944f443db1685426515abfc9182f66c8deaba7d54a24810d8af410";
    for (hash, position, other) in [
        (before, SaltPosition::Before, SaltPosition::After),
        (after, SaltPosition::After, SaltPosition::Before),
    ] {
        assert!(is_found(HashParts { salt: salt("salt", position), ..whole(Sha256, hash) }, KEY));
        assert!(!is_found(HashParts { salt: salt("salt", other), ..whole(Sha256, hash) }, KEY));
        assert!(!is_found(HashParts { salt: None, ..whole(Sha256, hash) }, KEY));
    }
}

#[test]
fn a_key_with_a_salt_of_its_own_is_found_by_its_beginning() {
    let before = "23507e7c60c7242147f4b2f7b344db442c8573c531edc2e0d61f92bb8b242345";
    let parts = || HashParts {
        salt: salt("salt", SaltPosition::Before),
        prefix: prefix("ghp_16"),
        ..whole(Sha256, before)
    };
    assert!(is_found(parts(), KEY));
    for other in [&KEY[..39], &format!("{KEY}0"), &KEY.replacen("16", "17", 1), "ghp_16", "ghp"] {
        assert!(!is_found(parts(), other), "{other}");
    }
    let one = ImportedHash::new(parts()).unwrap();
    let salt = salt("another", SaltPosition::Before);
    let other = ImportedHash::new(HashParts { salt, ..parts() }).unwrap();
    assert_eq!(one.scheme(), other.scheme(), "the salt is no part of the scheme");
    assert_ne!(one.digest(&pepper()), other.digest(&pepper()));
}

#[test]
fn nothing_but_the_whole_key_is_found_by_the_hash_of_it() {
    let parts = || whole(Sha256, SHA256);
    assert!(is_found(parts(), KEY));
    for at in 1..KEY.len() {
        assert!(!is_found(parts(), &KEY[..at]) && !is_found(parts(), &KEY[at..]));
    }
    for other in [KEY.to_uppercase(), format!("{KEY}="), format!("{KEY}a"), SHA256.to_owned()] {
        assert!(!is_found(parts(), &other), "{other}");
    }
}

#[test]
fn what_stands_for_a_hash_depends_on_all_that_made_it_and_not_on_its_prefix() {
    let digest = |parts| ImportedHash::new(parts).unwrap().digest(&pepper());
    let parts = || whole(Sha256, SHA256);
    let key = |text| Some(bytes(text, Text));
    let different = [
        parts(),
        whole(Sha256, &SHA256.replace('3', "4")),
        HashParts { key: key("one"), ..whole(HmacSha256, SHA256) },
        HashParts { key: key("two"), ..whole(HmacSha256, SHA256) },
        HashParts { salt: salt("one", SaltPosition::Before), ..parts() },
        HashParts { salt: salt("one", SaltPosition::After), ..parts() },
        HashParts { salt: salt("two", SaltPosition::After), ..parts() },
        HashParts { part: KeyPart::skip(4).unwrap(), ..parts() },
        HashParts { part: KeyPart::after_first("4".to_owned()).unwrap(), ..parts() },
        HashParts { part: KeyPart::after_last("4".to_owned()).unwrap(), ..parts() },
    ];
    for (at, one) in different.iter().enumerate() {
        for text in ["ghp_", "ghp_16"] {
            let found_so = HashParts { prefix: prefix(text), ..one.clone() };
            assert_eq!(digest(found_so), digest(one.clone()), "{one:?}");
        }
        for other in different.iter().skip(at + 1) {
            assert_ne!(digest(one.clone()), digest(other.clone()), "{one:?} {other:?}");
        }
    }
}

#[test]
fn what_stands_for_a_hash_of_the_whole_key_is_told_of_the_key_too() {
    let import = ImportedHash::new(whole(Sha256, SHA256)).unwrap();
    let fingerprint = secret(KEY).fingerprint();
    assert_ne!(import.digest(&pepper()), pepper().digest(&fingerprint));
    assert_eq!(import.fingerprint(), Some(fingerprint), "which tells the same key from another");
    let found_by_prefix = HashParts { prefix: prefix("ghp_"), ..whole(Sha256, SHA256) };
    let found_by_prefix = ImportedHash::new(found_by_prefix).unwrap();
    let told = found_by_prefix.scheme().digest_of(&pepper(), &secret(KEY));
    assert_eq!(told, Some(import.digest(&pepper())));
}

#[test]
fn a_slow_hash_is_found_by_its_beginning_and_never_computed_here() {
    for algorithm in [Argon2, Bcrypt, Pbkdf2] {
        let parts = HashParts { prefix: prefix("ghp_16"), ..whole(algorithm, "00") };
        let import = ImportedHash::new(parts).unwrap();
        let place = import.scheme().place(&pepper(), &secret(KEY));
        assert_eq!(place, import.place(&pepper()).map(ImportPlace::Prefix));
        assert!(!import.kept().is_of(&secret(KEY), import.scheme()));
    }
}

#[test]
fn parts_that_make_no_sense_together_are_refused_by_name() {
    let key = Some(bytes("pepper", Text));
    let sha1 = "1a59416f3b5c0b9624df791174f96468d161c8c3";
    for (parts, member) in [
        (whole(Sha256, sha1), "value"),
        (whole(Sha1, SHA256), "value"),
        (whole(Sha512, SHA256), "value"),
        (whole(HmacSha256, SHA256), "key"),
        (HashParts { key, ..whole(Sha256, SHA256) }, "key"),
        (whole(Bcrypt, "00"), "prefix"),
        (whole(Argon2, "00"), "prefix"),
        (whole(Pbkdf2, "00"), "prefix"),
    ] {
        assert_eq!(ImportedHash::new(parts).unwrap_err().member(), member);
    }
}

#[test]
fn what_cannot_be_bytes_a_mark_or_a_prefix_is_refused() {
    for (text, encoding) in
        [("0", Hex), ("0g", Hex), (" 00", Hex), ("a-", Base64), ("a/", Base64Url), ("é", Base64)]
    {
        let refused = HashBytes::read(text, encoding).unwrap_err();
        assert_eq!(refused, HashBytesError::Encoding(encoding), "{text}");
    }
    for (text, encoding) in [("", Hex), ("", Text), (&*"0".repeat(1025), Text)] {
        assert_eq!(HashBytes::read(text, encoding).unwrap_err(), HashBytesError::Length);
    }
    for mark in ["", " ", "é", &"_".repeat(17)] {
        assert_eq!(KeyPart::after_first(mark.to_owned()), Err(KeyPartError::Mark), "{mark}");
    }
    for count in [0, -1, 257, i64::MAX] {
        assert_eq!(KeyPart::skip(count), Err(KeyPartError::Skip));
    }
    for text in ["", "a b", "é", &"a".repeat(33)] {
        assert!(KeyPrefix::try_from(text.to_owned()).is_err(), "{text}");
    }
}

#[test]
fn a_scheme_and_a_kept_hash_read_back_as_they_were_written() {
    let parts = HashParts {
        part: KeyPart::after_first(".".to_owned()).unwrap(),
        salt: salt("grain", SaltPosition::After),
        key: Some(bytes("pepper", Text)),
        ..whole(HmacSha256, SHA256)
    };
    let import = ImportedHash::new(parts).unwrap();
    let text = serde_json::to_string(import.scheme()).unwrap();
    assert_eq!(serde_json::from_str::<HashScheme>(&text).unwrap(), *import.scheme());
    let kept = serde_json::to_string(import.kept()).unwrap();
    let kept: KeptHash = serde_json::from_str(&kept).unwrap();
    assert_eq!(kept.value(), import.kept().value());
}

#[test]
fn debugging_an_imported_hash_shows_neither_hash_nor_key() {
    let key = Some(bytes("pepper", Text));
    let import = ImportedHash::new(HashParts { key, ..whole(HmacSha256, SHA256) }).unwrap();
    let shown = format!("{import:?}");
    assert!(!shown.contains("pepper") && !shown.contains("53, 67"), "{shown}");
}
