//! What is refused, and above all what is not.

use proptest::prelude::*;

use super::*;

fn judge_with(min_length: u8, text: &str, context: &[&str]) -> Result<(), WeakPassword> {
    PasswordRules::new(min_length).unwrap().judge(&text.parse().unwrap(), context)
}

fn judge(text: &str) -> Result<(), WeakPassword> {
    judge_with(15, text, &["alice", "Alice Wonderland", "a.liddell@example.com", "keys.acme.test"])
}

#[test]
fn good_passwords_of_many_kinds_are_taken() {
    for text in [
        "correct horse battery staple",
        "correcthorsebatterystaple",
        "tractor umbrella sofa",
        "x7Qm2vLr9TkPz3B",
        "zwölf Boxkämpfer jagen",
        "\u{43f}\u{440}\u{438}\u{432}\u{435}\u{442} \u{43a}\u{430}\u{43a} \u{434}\u{435}\u{43b}\u{430}",
        "\u{6211}\u{5bb6}\u{7684}\u{732b}\u{559c}\u{6b22}\u{5403}\u{9c7c}\u{4e0d}\u{7231}\u{559d}\u{725b}\u{5976}\u{5440}\u{5440}",
        "\u{1f980}\u{1f3a9}\u{1f525}\u{1f6b2}\u{1f40c}\u{2693}\u{1f511}\u{1f30b}\u{1f9c0}\u{1f3bb}\u{1f984}\u{1f4ce}\u{1f96d}\u{1f9ed}\u{1fa81}",
    ] {
        assert_eq!(judge(text), Ok(()), "{text}");
    }
}

#[test]
fn a_drawn_password_is_taken() {
    assert_eq!(PasswordRules::default().judge(&Password::draw().unwrap(), &[]), Ok(()));
}

#[test]
fn a_password_needs_15_characters() {
    assert_eq!(judge("x7Qm2vLr9TkPz3"), Err(WeakPassword::TooShort(15)));
    assert_eq!(judge("x7Qm2vLr9TkPz3B"), Ok(()));
}

#[test]
fn characters_are_code_points_of_the_normal_form() {
    let composed = "\u{e4}\u{f6}\u{fc}\u{df}x7Qm2vLr9TP";
    assert_eq!(judge(composed), Ok(()));
    assert_eq!(composed.chars().count(), 15);
    let decomposed = "a\u{308}o\u{308}u\u{308}\u{df}x7Qm2vLr9T";
    assert_eq!(judge(decomposed), Err(WeakPassword::TooShort(15)));
}

#[test]
fn common_passwords_are_refused_in_any_case() {
    for text in [
        "mailcreated5240",
        "MailCreated5240",
        "bhrh0h2oof6xbqjeh",
        "hd764nw5d7e1vb1",
        "passwordpassword",
    ] {
        assert_eq!(judge(text), Err(WeakPassword::Common), "{text}");
    }
}

#[test]
fn every_common_password_that_is_long_enough_is_refused() {
    for line in include_str!("../common.txt").lines() {
        assert!(judge_with(8, line, &[]).is_err(), "{line}");
    }
}

#[test]
fn common_passwords_are_refused_with_ornaments() {
    for text in [
        "Password123456789!",
        "Welcome123456789",
        "iloveyouforever1",
        "michaeljackson1",
        "jessicajennifer1",
        "thisisapassword!",
        "summer2026summer",
        "p@ssw0rdl3tm31n!",
    ] {
        assert_eq!(judge(text), Err(WeakPassword::Guessable), "{text}");
    }
}

#[test]
fn repetitions_and_sequences_are_refused() {
    for text in [
        "aaaaaaaaaaaaaaa",
        "abcabcabcabcabc",
        "123456789012345",
        "PasswordPassword1",
        "letmeinletmeinletmein",
        "abcdefghijklmnop",
        "zyxwvutsrqponmlk",
        "0123456789abcdef",
        "\u{5bc6}\u{7801}\u{5bc6}\u{7801}\u{5bc6}\u{7801}\u{5bc6}\u{7801}\u{5bc6}\u{7801}\u{5bc6}\u{7801}\u{5bc6}\u{7801}\u{5bc6}",
    ] {
        assert_eq!(judge(text), Err(WeakPassword::Guessable), "{text}");
    }
}

#[test]
fn a_long_repetition_is_refused_and_a_long_passphrase_is_taken() {
    assert_eq!(judge(&"a".repeat(1024)), Err(WeakPassword::Guessable));
    assert_eq!(judge(&"qwertz".repeat(100)), Err(WeakPassword::Guessable));
    assert_eq!(judge(&"correct horse battery staple ".repeat(35)), Ok(()));
}

#[test]
fn what_others_know_is_refused() {
    for text in [
        "alicewonderland2026",
        "Alice.Wonderland.1",
        "Keystile-2026-alice",
        "keystilekeystile",
        "liddell-password1",
        "keys.acme.test123",
        "ALICE@example.com!",
        "Wonderlandqwertyuiop",
    ] {
        assert_eq!(judge(text), Err(WeakPassword::Context), "{text}");
    }
}

#[test]
fn the_name_in_a_good_password_does_no_harm() {
    for text in ["alice ate three green umbrellas", "x7Qm2vLralice9TkPz3B"] {
        assert_eq!(judge(text), Ok(()), "{text}");
    }
}

#[test]
fn a_name_is_known_however_its_letters_are_composed() {
    for name in ["Zw\u{f6}lf", "Zwo\u{308}lf"] {
        for text in ["zw\u{f6}lf1234567890", "ZWO\u{308}LF1234567890"] {
            assert_eq!(judge_with(15, text, &[name]), Err(WeakPassword::Context), "{text}");
        }
    }
}

#[test]
fn the_name_of_the_product_is_always_known() {
    assert_eq!(judge_with(15, "Keystile123456789", &[]), Err(WeakPassword::Context));
}

#[test]
fn a_short_name_does_not_hide_a_long_one_that_begins_like_it() {
    let names = ["qzvk", "qzvkwmxjtrbnpd"];
    assert_eq!(judge_with(15, "qzvkwmxjtrbnpd1", &names), Err(WeakPassword::Context));
}

#[test]
fn a_shorter_password_may_be_allowed_and_is_judged_all_the_same() {
    assert_eq!(judge_with(8, "x7Qm2vLr", &[]), Ok(()));
    assert_eq!(judge_with(8, "x7Qm2vL", &[]), Err(WeakPassword::TooShort(8)));
    assert_eq!(judge_with(8, "trustno1", &[]), Err(WeakPassword::Common));
    assert_eq!(judge_with(8, "fqrg7cs493", &[]), Err(WeakPassword::Common));
}

#[test]
fn no_kind_of_character_is_asked_for() {
    for text in ["tjkqvbzxwmfhgpdr", "859203716494027", "TJKQVBZXWMFHGPDR", "!)%&(*^$#+@_-:;="] {
        assert_eq!(judge(text), Ok(()), "{text}");
    }
}

#[test]
fn the_least_length_is_from_8_to_64() {
    assert_eq!(PasswordRules::new(7), Err(MinLengthError));
    assert!(PasswordRules::new(8).is_ok());
    assert!(PasswordRules::new(64).is_ok());
    assert_eq!(PasswordRules::new(65), Err(MinLengthError));
    assert_eq!(PasswordRules::new(15), Ok(PasswordRules::default()));
}

#[test]
fn each_refusal_is_a_sentence_that_names_no_part_of_the_password() {
    for (text, start) in [
        ("mailcreated5240", "This password is one of those that people use most"),
        ("alicewonderland2026", "This password is little more than a name"),
        ("aaaaaaaaaaaaaaa", "This password is easy to guess"),
        ("x7Qm2vLr", "A password needs at least 15 characters."),
    ] {
        let sentence = judge(text).unwrap_err().to_string();
        assert!(sentence.starts_with(start) && sentence.ends_with('.'), "{sentence}");
        assert!(!sentence.contains(text), "{sentence}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_password_is_judged_without_a_panic(text in "\\PC{8,60}", name in "\\PC{0,20}") {
        if let Ok(password) = text.parse() {
            let _ = PasswordRules::default().judge(&password, &[&name]);
        }
    }
}
