//! Passwords: what one is, which are too weak, and how one is kept and checked.
//!
//! Everything about them is decided here, so that the form in which a password is set and the form
//! in which it is checked cannot drift apart.
//!
//! - [`Password`] is a password in its one form; [`PasswordRules`] judges a new one.
//! - [`Hasher`] computes hashes beside the worker threads, few at once; [`hash_now`] is for where
//!   there are none. What a hash costs is for the provider to say:
//!   [`HashCost`](keystile_domain::HashCost).

mod blocklist;
mod hash;
mod hasher;
mod memory;
mod queue;
mod rules;
mod settings;
mod threads;

use std::fmt;
use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

pub use hash::hash_now;
pub use hasher::{HashError, Hasher, Hashing, Verified};
pub(crate) use queue::{Queue, Turn};
pub use rules::{MinLengthError, PasswordRules, WeakPassword};
pub(crate) use settings::find_provider;

/// A password in the one form in which it is set and checked.
///
/// The form is that of the profile `OpaqueString` (RFC 8265, section 4.2): every Unicode space
/// becomes U+0020, and then all is normalised to NFC, so that it does not matter which keyboard
/// typed it. Nothing is trimmed, folded or cut off. More generous than the profile, it takes the
/// joiners and selectors that emoji are made of, and characters newer than this build.
#[derive(Clone)]
pub struct Password(SecretString);

impl Password {
    /// A new password of 24 letters and digits, 120 bits, without those that look alike.
    ///
    /// # Errors
    ///
    /// If the operating system gives no random numbers.
    pub fn draw() -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0; DRAWN_LENGTH]);
        getrandom::fill(bytes.as_mut())?;
        let letters = bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte % 32)));
        let mut text = Zeroizing::new(String::with_capacity(DRAWN_LENGTH));
        text.extend(letters.copied().map(char::from));
        Ok(Self(SecretString::from(text.as_str())))
    }

    /// The text, in its one form.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl FromStr for Password {
    type Err = PasswordError;

    fn from_str(text: &str) -> Result<Self, PasswordError> {
        if text.is_empty() {
            return Err(PasswordError::Empty);
        }
        if text.chars().any(is_forbidden) {
            return Err(PasswordError::Control);
        }
        // As large as it may ever become: growing would leave a copy behind, which nobody wipes.
        let mut normal = Zeroizing::new(String::with_capacity(MAX_BYTES));
        for c in text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).nfc() {
            if normal.len() + c.len_utf8() > MAX_BYTES {
                return Err(PasswordError::TooLong);
            }
            normal.push(c);
        }
        Ok(Self(SecretString::from(normal.as_str())))
    }
}

/// To show a drawn password once.
impl From<Password> for SecretString {
    fn from(password: Password) -> Self {
        password.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// Why a text cannot be a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// It holds a control character, such as a tab or a line break.
    #[error("a password has no control characters, such as tabs and line breaks")]
    Control,
    /// It is empty.
    #[error("a password cannot be empty")]
    Empty,
    /// It has too many bytes.
    #[error("a password has at most {MAX_BYTES} bytes in UTF-8")]
    TooLong,
}

/// What only lays text out: no keyboard types it into a password on purpose.
fn is_forbidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// The longest password in bytes, normalised.
const MAX_BYTES: usize = 1024;

const DRAWN_LENGTH: usize = 24;

/// 32 of them, so that each byte draws one without favour.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        text.parse().unwrap()
    }

    #[test]
    fn composed_and_decomposed_letters_are_one_password() {
        let composed = password("zw\u{f6}lf Boxk\u{e4}mpfer");
        let decomposed = password("zwo\u{308}lf Boxka\u{308}mpfer");
        assert_eq!(composed.expose(), decomposed.expose());
    }

    #[test]
    fn every_kind_of_space_is_one_space() {
        assert_eq!(password("a\u{a0}b\u{3000}c\u{202f}d").expose(), "a b c d");
    }

    #[test]
    fn nothing_is_trimmed_or_folded() {
        assert_eq!(password("  Correct  Horse ").expose(), "  Correct  Horse ");
    }

    #[test]
    fn letters_that_only_look_alike_stay_different() {
        assert_ne!(password("\u{ff4a}ohn").expose(), password("john").expose());
    }

    #[test]
    fn emoji_and_their_joiners_are_taken() {
        let text = "\u{1f469}\u{200d}\u{1f4bb} \u{2764}\u{fe0f} \u{1fae0}";
        assert_eq!(password(text).expose(), text);
    }

    #[test]
    fn a_control_character_is_refused() {
        for text in ["a\tb", "a\nb", "a\0b", "a\u{7f}b", "a\u{85}b", "a\u{2028}b", "a\u{2029}b"] {
            assert_eq!(text.parse::<Password>().unwrap_err(), PasswordError::Control, "{text:?}");
        }
    }

    #[test]
    fn an_empty_text_is_no_password() {
        assert_eq!("".parse::<Password>().unwrap_err(), PasswordError::Empty);
    }

    #[test]
    fn the_longest_password_has_1024_bytes() {
        assert_eq!(password(&"a".repeat(1024)).expose().len(), 1024);
        assert_eq!("a".repeat(1025).parse::<Password>().unwrap_err(), PasswordError::TooLong);
        assert_eq!("\u{e9}".repeat(513).parse::<Password>().unwrap_err(), PasswordError::TooLong);
    }

    #[test]
    fn the_length_is_that_of_the_normal_form() {
        let decomposed = "e\u{301}".repeat(512);
        assert_eq!(password(&decomposed).expose(), "\u{e9}".repeat(512));
        let expanding = "\u{1d160}".repeat(100);
        assert_eq!(expanding.parse::<Password>().unwrap_err(), PasswordError::TooLong);
    }

    #[test]
    fn debugging_a_password_prints_nothing_of_it() {
        assert_eq!(format!("{:?}", password("correct horse")), "Password(..)");
    }

    #[test]
    fn drawn_passwords_are_long_readable_and_never_the_same() {
        let (one, other) = (Password::draw().unwrap(), Password::draw().unwrap());
        assert_eq!(one.expose().len(), 24);
        assert!(one.expose().bytes().all(|byte| ALPHABET.contains(&byte)));
        assert_ne!(one.expose(), other.expose());
        assert_eq!(password(one.expose()).expose(), one.expose());
    }

    #[test]
    fn each_drawn_letter_is_as_likely_as_any() {
        let different: std::collections::BTreeSet<_> = ALPHABET.iter().collect();
        assert_eq!(different.len(), 32);
    }
}
