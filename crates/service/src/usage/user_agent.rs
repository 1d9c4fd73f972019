//! What a client calls itself: text from a stranger, which costs a check nothing but a copy, and is
//! made fit to be kept and shown when it is written.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// What a client calls itself (RFC 9110, section 10.1.5), as it came.
///
/// It may be anything, a secret too: nothing shows it before it has been made fit for that. Cheap
/// to clone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UserAgent(Arc<[u8]>);

impl UserAgent {
    /// The value of the header, or its beginning if it is longer than anybody would read.
    #[must_use]
    pub fn new(value: &[u8]) -> Self {
        Self(value.get(..MAX_BYTES).unwrap_or(value).into())
    }

    /// One line of at most 200 characters, for everybody to read; nothing if that is nothing.
    /// `redact` takes out what looks like a secret, and is given more than is shown: of a secret
    /// that is cut off it might leave a part.
    pub(super) fn shown(&self, redact: impl FnOnce(&str) -> Cow<'_, str>) -> Option<String> {
        let text = String::from_utf8_lossy(&self.0);
        let line: String = redact(&text).chars().filter(|it| !breaks_a_line(*it)).collect();
        let shown: String = line.trim().chars().take(MAX_CHARACTERS).collect();
        (!shown.is_empty()).then_some(shown)
    }
}

impl fmt::Debug for UserAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserAgent(..)")
    }
}

/// Control characters, and the separators that some programs take for the end of a line.
fn breaks_a_line(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

const MAX_CHARACTERS: usize = 200;

/// More than the longest line takes in UTF-8, by more than it takes to recognise a secret.
const MAX_BYTES: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: &[u8]) -> Option<String> {
        UserAgent::new(value).shown(|text| text.into())
    }

    #[test]
    fn a_line_is_shown_as_it_is() {
        for text in ["curl/8.5.0", "Mozilla/5.0 (X11; Linux x86_64)", "é 🚀"] {
            assert_eq!(shown(text.as_bytes()).as_deref(), Some(text));
        }
    }

    #[test]
    fn nothing_that_breaks_a_line_is_shown() {
        let agent = shown(" a\tb\r\nc\0d\u{7f}e\u{85}f\u{2028}g \u{1}".as_bytes());
        assert_eq!(agent.as_deref(), Some("abcdefg"));
        for text in ["", "  ", "\r\n", "\0"] {
            assert_eq!(shown(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn no_more_than_two_hundred_characters_are_shown() {
        for character in ["a", "🚀"] {
            let agent = shown(character.repeat(10_000).as_bytes()).unwrap();
            assert_eq!(agent, character.repeat(200));
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        assert_eq!(shown(b"a\xffb").as_deref(), Some("a\u{fffd}b"));
    }

    #[test]
    fn what_looks_like_a_secret_is_taken_out_before_the_line_is_cut() {
        let agent = UserAgent::new(format!("{}{SECRET}", "a".repeat(190)).as_bytes());
        let shown = agent.shown(|text| text.replace(SECRET, "[redacted]").into());
        assert_eq!(shown.unwrap(), format!("{}[redacted]", "a".repeat(190)));
    }

    #[test]
    fn debugging_shows_nothing() {
        assert_eq!(format!("{:?}", UserAgent::new(SECRET.as_bytes())), "UserAgent(..)");
    }

    const SECRET: &str = "ks_0123456789abcdefghijABCDEFGHIJ0123456789xyz3A8jxH";
}
