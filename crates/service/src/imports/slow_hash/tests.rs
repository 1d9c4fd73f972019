use HashAlgorithm::{Argon2, Bcrypt, Pbkdf2};

use super::*;

const KEY: &[u8] = b"pYbTKbVr.Xa4V1jF0aKBQlZSrpXp8cGzZkV0UuBqp";

/// Made of [`KEY`] by Django, passlib, argon2-cffi and Python's own `hashlib`, at a low cost.
const HASHES: &[(HashAlgorithm, &str)] = &[
    (Pbkdf2, "pbkdf2_sha256$1000$saltsalt$xlcZDO/XAUWFmjI1kz3tryQU47XTjYhZKnMzN059Ghg="),
    (Pbkdf2, "pbkdf2_sha1$1000$saltsalt$Z9sf9WVqf9jDsKOpoqYQpjs7/m8="),
    (
        Pbkdf2,
        "$pbkdf2-sha512$1000$mRMCoDRG6P3fm3Pu/X8PwQ$8Q45/M/n44nt5lffi/7IZzDptLkocamshqj1TMI6PG1\
         Ttp79h2LaMVdzAaD3RoXR1Ohv2A.NdKbiv9FH2iFTeQ",
    ),
    (Pbkdf2, "$pbkdf2$1000$J0QoRejdm/P./59zzhmDEA$xDKC9w5kfIxPFRpuUtu5oUzLZ90"),
    (
        Pbkdf2,
        "$pbkdf2-sha256$i=1000,l=32$c2FsdHNhbHRzYWx0c2FsdA$okgg7adkNT0R5Ek52EGBtWGYuWdU1oQokhQM9\
         zcmH8U",
    ),
    (
        Argon2,
        "argon2$argon2id$v=19$m=64,t=1,p=2$c2FsdHNhbHRzYWx0$FebZWpeGmiCMaoFydgNlmeOdU3kZ0vWPVxy3\
         Vcz5GOo",
    ),
    (
        Argon2,
        "$argon2i$v=19$m=64,t=1,p=1$ptBDjoSvLxDd2ysSjQEuxQ$/g17wEATD4oGI9yaSmmmhh5HppE/zmYHYIKsw\
         aW8x3Q",
    ),
    (
        Argon2,
        "$argon2d$v=19$m=64,t=1,p=1$coh4/8yeDjxJBcr2vgKYOA$WyynjRJIL4oW2BYIJQ6lnbh9dazav1XKrGmFQ\
         VYn2s0",
    ),
    (Bcrypt, "bcrypt_sha256$$2b$04$5OvoXzsSym1usnHjCRZk0u1xD694UfGxzatooZ6U2JRR4SXaGJ2C2"),
    (Bcrypt, "bcrypt$$2b$04$u0KEIWeYTHjHkS6tPxiXJ.XlUGjyhO.ZcM3H4YeJeXWfieSXlFWnq"),
    (Bcrypt, "$2b$04$u0KEIWeYTHjHkS6tPxiXJ.XlUGjyhO.ZcM3H4YeJeXWfieSXlFWnq"),
    (Bcrypt, "$2y$04$u0KEIWeYTHjHkS6tPxiXJ.XlUGjyhO.ZcM3H4YeJeXWfieSXlFWnq"),
];

fn read(algorithm: HashAlgorithm, text: &str) -> Option<SlowHashError> {
    SlowHash::read(algorithm, text).err()
}

#[test]
fn a_hash_is_of_its_key_and_of_no_other_text() {
    for (algorithm, text) in HASHES {
        let hash = SlowHash::read(*algorithm, text).unwrap();
        assert!(hash.is_of(KEY), "{text}");
        for other in [&KEY[1..], &KEY[..40], &[KEY, b"a"].concat(), &KEY.to_ascii_lowercase(), b""]
        {
            assert!(!hash.is_of(other), "{text}");
        }
    }
}

#[test]
fn bcrypt_is_never_of_more_than_it_looks_at() {
    let of_71 = "$2b$04$tbdvkQ8xEO0KWLne04KO2uEfxdPYEsjhPjurlMVz19q2Nwi/5aXc2";
    let hash = SlowHash::read(Bcrypt, of_71).unwrap();
    assert!(hash.is_of(&[b'a'; 71]));
    for length in [70, 72, 73, 80] {
        assert!(!hash.is_of(&vec![b'a'; length]), "{length}");
    }
}

#[test]
fn what_would_cost_too_much_is_refused() {
    let argon2 = |params| format!("$argon2id$v=19${params}$c2FsdHNhbHRzYWx0${}", "A".repeat(43));
    let pbkdf2 = |n| format!("pbkdf2_sha256${n}$salt${}=", "A".repeat(43));
    let long = |n| format!("pbkdf2_sha1${n}$salt${}=", "A".repeat(43));
    let bcrypt = |cost| format!("$2b${cost}${}", "a".repeat(53));
    for (algorithm, cheap, dear) in [
        (Argon2, argon2("m=131072,t=4,p=16"), argon2("m=131073,t=1,p=1")),
        (Argon2, argon2("m=65536,t=8,p=1"), argon2("m=65536,t=9,p=1")),
        (Argon2, argon2("m=256,t=1,p=16"), argon2("m=256,t=1,p=17")),
        (Pbkdf2, pbkdf2("2000000"), pbkdf2("2000001")),
        (Pbkdf2, long("1000000"), long("1000001")),
        (Bcrypt, bcrypt("13"), bcrypt("14")),
    ] {
        assert_eq!(read(algorithm, &cheap), None, "{cheap}");
        assert!(matches!(read(algorithm, &dear), Some(SlowHashError::Cost(_))), "{dear}");
    }
}

#[test]
fn a_hash_weighs_what_it_costs_in_quarters_of_the_dearest() {
    let argon2 = |params| format!("$argon2id$v=19${params}$c2FsdHNhbHRzYWx0${}", "A".repeat(43));
    let pbkdf2 = |n| format!("pbkdf2_sha256${n}$salt${}=", "A".repeat(43));
    let bcrypt = |cost| format!("$2b${cost}${}", "a".repeat(53));
    for (algorithm, text, weight) in [
        (Argon2, argon2("m=64,t=1,p=1"), 1),
        (Argon2, argon2("m=102400,t=2,p=8"), 2),
        (Argon2, argon2("m=131072,t=4,p=1"), 4),
        (Bcrypt, bcrypt("04"), 1),
        (Bcrypt, bcrypt("12"), 2),
        (Bcrypt, bcrypt("13"), 4),
        (Pbkdf2, pbkdf2("1"), 1),
        (Pbkdf2, pbkdf2("500001"), 2),
        (Pbkdf2, pbkdf2("1500000"), 3),
        (Pbkdf2, pbkdf2("2000000"), 4),
    ] {
        assert_eq!(SlowHash::read(algorithm, &text).unwrap().weight(), weight, "{text}");
    }
}

#[test]
fn what_is_no_such_hash_is_refused() {
    let short = format!("$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0${}", "A".repeat(20));
    for (algorithm, text) in [
        (Argon2, ""),
        (Argon2, "secret"),
        (Argon2, "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0"),
        (Argon2, &short),
        (Argon2, "$scrypt$ln=4,r=8,p=1$c2FsdHNhbHRzYWx0$FebZWpeGmiCMaoFydgNlmeOdU3kZ0vWP"),
        (Bcrypt, "$2x$04$u0KEIWeYTHjHkS6tPxiXJ.XlUGjyhO.ZcM3H4YeJeXWfieSXlFWnq"),
        (Bcrypt, "$2b$03$u0KEIWeYTHjHkS6tPxiXJ.XlUGjyhO.ZcM3H4YeJeXWfieSXlFWnq"),
        (Bcrypt, "$2b$4$u0KEIWeYTHjHkS6tPxiXJ.XlUGjyhO.ZcM3H4YeJeXWfieSXlFWnqq"),
        (Bcrypt, "$2b$04$u0KEIWeYTHjHkS6tPxiXJ.XlUGjyhO.ZcM3H4YeJeXWfieSXlFWn"),
        (Bcrypt, "$2b$04$u0KEIWeYTHjHkS6tPxiXJ-XlUGjyhO.ZcM3H4YeJeXWfieSXlFWnq"),
        (Pbkdf2, "pbkdf2_sha256$0$saltsalt$xlcZDO/XAUWFmjI1kz3tryQU47XTjYhZKnMzN059Ghg="),
        (Pbkdf2, "pbkdf2_sha256$x$saltsalt$xlcZDO/XAUWFmjI1kz3tryQU47XTjYhZKnMzN059Ghg="),
        (Pbkdf2, "pbkdf2_sha256$1000$$xlcZDO/XAUWFmjI1kz3tryQU47XTjYhZKnMzN059Ghg="),
        (Pbkdf2, "pbkdf2_sha256$1000$saltsalt$xlcZDO/XAUU="),
        (Pbkdf2, "pbkdf2_md5$1000$saltsalt$xlcZDO/XAUWFmjI1kz3tryQU47XTjYhZKnMzN059Ghg="),
        (Pbkdf2, "pbkdf2_sha256$1000$saltsalt"),
    ] {
        assert_eq!(read(algorithm, text), Some(SlowHashError::Form(algorithm)), "{text}");
    }
    for (algorithm, text) in HASHES {
        for other in [Argon2, Bcrypt, Pbkdf2].into_iter().filter(|other| other != algorithm) {
            assert!(read(other, text).is_some(), "{other} {text}");
        }
    }
}
