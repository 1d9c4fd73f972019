//! How the secrets of one provider look: apart from the set of all formats, because a format
//! judges a text alone, and only the set decides what is malformed.

mod parts;

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

pub use self::parts::{Encoding, FormatError, KeyLength, Prefix};
use super::{Secret, base62};

/// How the secrets of one provider look: a prefix, then characters that carry the entropy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "these three make a format")]
pub struct SecretFormat {
    /// What every secret begins with.
    pub prefix: Prefix,
    /// How what follows is written.
    pub encoding: Encoding,
    /// How much entropy it carries.
    pub key_length: KeyLength,
}

impl SecretFormat {
    /// A new secret of this format.
    ///
    /// Where several formats are in use, [`Formats::draw`](super::Formats::draw) is the way to a
    /// new key.
    ///
    /// # Errors
    ///
    /// The generator's own.
    pub fn generate<R: TryCryptoRng + ?Sized>(&self, rng: &mut R) -> Result<Secret, R::Error> {
        // All the room at once: a text that grows leaves copies of its beginning in memory.
        let room = self.prefix.as_str().len() + self.secret_length();
        let mut text = Zeroizing::new(String::with_capacity(room));
        text.push_str(self.prefix.as_str());
        match self.encoding {
            Encoding::Base62 => {
                base62::draw(&mut text, base62::characters(self.key_bytes()), rng)?;
                let checksum = base62::checksum(&text);
                text.extend(checksum.map(char::from));
            }
            Encoding::Base64Url => {
                let mut bytes = Zeroizing::new(vec![0; self.key_bytes()]);
                rng.try_fill_bytes(&mut bytes)?;
                text.push_str(&Zeroizing::new(Base64UrlUnpadded::encode_string(&bytes)));
            }
        }
        Ok(Secret(text.as_str().into()))
    }

    /// How far a text agrees with this format.
    #[must_use]
    pub fn fit(&self, text: &str) -> Fit {
        match text.strip_prefix(self.prefix.as_str()) {
            Some(secret) if secret.len() == self.secret_length() => match self.encoding {
                Encoding::Base62 => fit_base62(text, secret),
                Encoding::Base64Url => self.fit_base64url(secret),
            },
            _ => Fit::Other,
        }
    }

    /// What may be shown of a secret afterwards: the prefix and 6 characters more.
    #[must_use]
    pub fn display_prefix(&self, secret: &Secret) -> String {
        secret.expose().chars().take(self.prefix.as_str().len() + SHOWN).collect()
    }

    /// How many characters follow the prefix.
    pub(super) fn secret_length(&self) -> usize {
        match self.encoding {
            Encoding::Base62 => base62::characters(self.key_bytes()) + base62::CHECKSUM_LENGTH,
            Encoding::Base64Url => (self.key_bytes() * 8).div_ceil(6),
        }
    }

    fn key_bytes(&self) -> usize {
        usize::from(self.key_length.bytes())
    }

    /// The decoder refuses bits that are left over in the last character, so no two texts are the
    /// same key.
    fn fit_base64url(&self, secret: &str) -> Fit {
        let mut bytes = Zeroizing::new([0; KeyLength::MAX_BYTES]);
        match Base64UrlUnpadded::decode(secret, &mut *bytes) {
            Ok(decoded) if decoded.len() == self.key_bytes() => Fit::Fits,
            _ => Fit::Other,
        }
    }
}

/// Its name, in one word: `base62/32/ks_`.
impl fmt::Display for SecretFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { prefix, encoding, key_length } = self;
        write!(f, "{}/{}/{}", encoding.as_str(), key_length.bytes(), prefix.as_str())
    }
}

/// How far a text agrees with a [`SecretFormat`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it fits, or nearly, or not")]
pub enum Fit {
    /// In every respect.
    Fits,
    /// Not at all, or no more than in the prefix.
    Other,
    /// In prefix, length and alphabet: mistyped or made up.
    WrongChecksum,
}

fn fit_base62(text: &str, secret: &str) -> Fit {
    if !secret.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Fit::Other;
    }
    match text.split_at_checked(text.len() - base62::CHECKSUM_LENGTH) {
        Some((rest, checksum)) if checksum.as_bytes() == base62::checksum(rest) => Fit::Fits,
        _ => Fit::WrongChecksum,
    }
}

/// How many characters of the secret itself are shown for ever.
const SHOWN: usize = 6;

#[cfg(test)]
pub(super) mod samples {
    use proptest::prelude::*;

    use super::*;

    /// Builds a format, for tests that know their parts.
    pub(in super::super) fn format(prefix: &str, encoding: Encoding, bytes: u8) -> SecretFormat {
        let key_length = KeyLength::new(bytes).unwrap();
        SecretFormat { prefix: prefix.parse().unwrap(), encoding, key_length }
    }

    /// A new secret from the operating system.
    pub(in super::super) fn drawn(format: &SecretFormat) -> Secret {
        format.generate(&mut getrandom::SysRng).unwrap()
    }

    /// Any format of this encoding.
    pub(in super::super) fn any_format(encoding: Encoding) -> impl Strategy<Value = SecretFormat> {
        ("[a-z0-9_]{0,32}", 16_u8..=64).prop_map(move |(p, n)| format(&p, encoding, n))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::samples::{any_format, drawn, format};
    use super::*;

    const EXAMPLE: &str = "ks_0123456789abcdefghijABCDEFGHIJ0123456789xyz3A8jxH";

    #[test]
    fn the_published_example_fits_the_default_format() {
        assert_eq!(format("ks_", Encoding::Base62, 32).fit(EXAMPLE), Fit::Fits);
        assert_eq!(format("ks", Encoding::Base62, 32).fit(EXAMPLE), Fit::Other);
        assert_eq!(format("ks_", Encoding::Base62, 33).fit(EXAMPLE), Fit::Other);
        assert_eq!(format("ks_", Encoding::Base64Url, 32).fit(EXAMPLE), Fit::Other);
    }

    #[test]
    fn lengths_are_as_published() {
        for (prefix, encoding, bytes, length) in [
            ("ks_", Encoding::Base62, 32, 52),
            ("ks_pat_", Encoding::Base62, 32, 56),
            ("", Encoding::Base64Url, 16, 22),
            ("", Encoding::Base64Url, 64, 86),
        ] {
            assert_eq!(drawn(&format(prefix, encoding, bytes)).expose().len(), length);
        }
    }

    #[test]
    fn a_default_key_is_one_word() {
        let secret = drawn(&format("ks_", Encoding::Base62, 32));
        assert!(secret.expose().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
    }

    #[test]
    fn what_is_shown_is_the_prefix_and_six_characters() {
        let secret = Secret::parse(EXAMPLE).unwrap();
        assert_eq!(format("ks_", Encoding::Base62, 32).display_prefix(&secret), "ks_012345");
    }

    #[test]
    fn base64url_has_one_text_for_one_key() {
        let format = format("", Encoding::Base64Url, 16);
        assert_eq!(format.fit("AAAAAAAAAAAAAAAAAAAAAA"), Fit::Fits);
        for text in ["AAAAAAAAAAAAAAAAAAAAAB", "AAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAA+A"] {
            assert_eq!(format.fit(text), Fit::Other, "{text}");
        }
    }

    fn any_encoding() -> impl Strategy<Value = SecretFormat> {
        prop_oneof![any_format(Encoding::Base62), any_format(Encoding::Base64Url)]
    }

    proptest! {
        #[test]
        fn a_new_secret_fits_its_format(format in any_encoding()) {
            let secret = drawn(&format);
            prop_assert_eq!(format.fit(secret.expose()), Fit::Fits);
            prop_assert!(Secret::parse(secret.expose()).is_ok());
        }

        #[test]
        fn no_part_of_a_secret_fits(format in any_encoding()) {
            let secret = drawn(&format);
            let text = secret.expose();
            for at in 1..text.len() {
                let (start, end) = text.split_at(at);
                prop_assert_ne!(format.fit(start), Fit::Fits);
                prop_assert_ne!(format.fit(end), Fit::Fits);
            }
        }

        #[test]
        fn no_secret_with_something_around_it_fits(
            format in any_encoding(),
            more in "[ -~\n\t\0é]",
        ) {
            let secret = drawn(&format);
            let text = secret.expose();
            prop_assert_ne!(format.fit(&format!("{text}{more}")), Fit::Fits);
            prop_assert_ne!(format.fit(&format!("{more}{text}")), Fit::Fits);
        }

        #[test]
        fn no_change_of_one_character_fits(
            format in any_format(Encoding::Base62),
            at in any::<prop::sample::Index>(),
            other in "[ -~]",
        ) {
            let secret = drawn(&format);
            let mut text = secret.expose().to_owned();
            let at = at.index(text.len());
            text.replace_range(at..=at, &other);
            prop_assert_eq!(format.fit(&text) == Fit::Fits, text == secret.expose());
        }

        #[test]
        fn no_flip_of_case_fits(format in any_format(Encoding::Base62)) {
            let secret = drawn(&format);
            for (at, c) in secret.expose().char_indices().filter(|(_, c)| c.is_ascii_alphabetic()) {
                let flipped = char::from(u8::try_from(c).unwrap() ^ 0x20).to_string();
                let mut text = secret.expose().to_owned();
                text.replace_range(at..=at, &flipped);
                prop_assert_ne!(format.fit(&text), Fit::Fits);
            }
        }

        #[test]
        fn a_change_within_the_alphabet_is_a_wrong_checksum(
            at in 3_usize..52,
            other in "[0-9A-Za-z]",
        ) {
            let mut text = EXAMPLE.to_owned();
            text.replace_range(at..=at, &other);
            prop_assume!(text != EXAMPLE);
            prop_assert_eq!(format("ks_", Encoding::Base62, 32).fit(&text), Fit::WrongChecksum);
        }

        #[test]
        fn any_text_can_be_judged(format in any_encoding(), text in "\\PC{0,64}") {
            let text = format!("{}{text}", format.prefix.as_str());
            prop_assert_ne!(format.fit(&text), Fit::Fits);
        }
    }
}
