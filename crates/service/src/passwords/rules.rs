//! Which new passwords are too weak: NIST SP 800-63B-4, section 3.1.1.2.
//!
//! What makes a password weak is that it is guessed early, and nothing else: there are no rules
//! about kinds of characters. The guessing is `zxcvbn`'s, which knows the most used passwords,
//! words and names, also doubled, reversed, with digits behind or for letters, and the walks along
//! a keyboard; the list that is compared as it stands is in `blocklist`.

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;
use zxcvbn::zxcvbn;

use super::{Password, blocklist};

/// What a new password must be. Whoever has an old one signs in with it, whatever the rules say now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordRules {
    min_length: u8,
}

impl PasswordRules {
    /// Rules with a least length, in code points: 8 to 64.
    ///
    /// # Errors
    ///
    /// [`MinLengthError`] if it is another.
    pub fn new(min_length: u8) -> Result<Self, MinLengthError> {
        if (LEAST_LENGTH..=GREATEST_LENGTH).contains(&min_length) {
            Ok(Self { min_length })
        } else {
            Err(MinLengthError)
        }
    }

    /// Judges a new password. `context` is what others know about it: the user's names, the e-mail
    /// address, the name of the host. They are taken out before the rest is judged, so they neither
    /// help a password nor spoil a good one.
    ///
    /// The guessing is about the first 40 characters, which are not wiped from memory afterwards.
    /// It can take some tenths of a second: not for the worker threads.
    ///
    /// # Errors
    ///
    /// [`WeakPassword`], whose text is for the user.
    pub fn judge(self, password: &Password, context: &[&str]) -> Result<(), WeakPassword> {
        let text = password.expose();
        if text.chars().count() < usize::from(self.min_length) {
            return Err(WeakPassword::TooShort(self.min_length));
        }
        let folded = Zeroizing::new(text.to_lowercase());
        if blocklist::has(&folded) {
            return Err(WeakPassword::Common);
        }
        let words = words(context);
        let rest = without(&folded, &words);
        let is_in_context = rest.len() < folded.len();
        let known: Vec<&str> = words.iter().map(String::as_str).collect();
        let judged = if is_in_context { &rest } else { text };
        let judged: Zeroizing<String> = judged.chars().take(JUDGED).collect::<String>().into();
        let estimate = zxcvbn(&judged, &known);
        if estimate.guesses() >= self.enough_guesses() {
            Ok(())
        } else if is_in_context {
            Err(WeakPassword::Context)
        } else {
            Err(WeakPassword::Guessable)
        }
    }

    /// What `zxcvbn` calls very unguessable, unless shorter passwords are allowed than can be that.
    fn enough_guesses(self) -> u64 {
        10_u64.pow(u32::from(self.min_length.min(10)))
    }
}

impl Default for PasswordRules {
    /// 15 code points, for a password without a second factor.
    fn default() -> Self {
        Self { min_length: 15 }
    }
}

/// The least length is out of range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the least length of a password is from {LEAST_LENGTH} to {GREATEST_LENGTH}")]
pub struct MinLengthError;

/// Why a password is too weak, in a sentence for the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WeakPassword {
    /// It is one of those that people use most.
    #[error(
        "This password is one of those that people use most, and that are guessed first. Take some \
         unrelated words, or let a password manager make one."
    )]
    Common,
    /// Without what others know, little is left of it.
    #[error(
        "This password is little more than a name that others know, such as yours or this \
         server's. Take some unrelated words, or let a password manager make one."
    )]
    Context,
    /// It is built like those that are guessed early.
    #[error(
        "This password is easy to guess: it is little more than a common password, word, name or \
         date, or repeats itself, or follows a simple sequence. Take some unrelated words, or let \
         a password manager make one."
    )]
    Guessable,
    /// It has fewer characters than that.
    #[error("A password needs at least {0} characters. Some unrelated words make a good one.")]
    TooShort(u8),
}

/// The words of the context, folded and normalised like the password, longest first, so that no
/// word leaves the end of a longer one behind.
fn words(context: &[&str]) -> Vec<String> {
    let folded: String = context.join(" ").nfc().collect::<String>().to_lowercase();
    let mut words: Vec<String> = folded
        .split(|c: char| !c.is_alphanumeric())
        .chain([PRODUCT])
        .filter(|word| word.chars().count() >= SHORTEST_WORD)
        .map(String::from)
        .collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    words
}

fn without(text: &str, words: &[String]) -> Zeroizing<String> {
    words.iter().fold(Zeroizing::new(text.to_owned()), |rest, word| rest.replace(word, "").into())
}

const LEAST_LENGTH: u8 = 8;
const GREATEST_LENGTH: u8 = 64;

/// Shorter ones are in too many other words.
const SHORTEST_WORD: usize = 4;

/// Of a text made to be slow, 100 characters take ten times as long: more than a second.
const JUDGED: usize = 40;

const PRODUCT: &str = "keystile";

#[cfg(test)]
mod tests;
