//! What must not be seen in a log: clients put their secrets into paths and headers where none
//! belongs.

use std::borrow::Cow;

use keystile_domain::Jwt;
use percent_encoding::percent_decode_str;

use crate::Keystile;

impl Keystile {
    /// A text for the log, without what looks like a secret of ours.
    ///
    /// One that is percent-encoded goes with everything around it, and so does what is encoded so
    /// often that nobody means it.
    #[must_use]
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.hides_secret(text) { Cow::Borrowed(HIDDEN) } else { self.redact_plain(text) }
    }

    fn redact_plain<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let formats = self.verifier.formats();
        match Jwt::redact(text) {
            Cow::Borrowed(text) => formats.redact(text),
            Cow::Owned(text) => Cow::Owned(formats.redact(&text).into_owned()),
        }
    }

    /// Whether whoever decodes the text finds a secret that was none before.
    fn hides_secret(&self, text: &str) -> bool {
        let mut text = Cow::Borrowed(text);
        for _ in 0..MOST_LAYERS {
            if !text.contains('%') {
                return false;
            }
            let decoded = percent_decode_str(&text).decode_utf8_lossy().into_owned();
            if decoded == text {
                return false;
            }
            if self.redact_plain(&decoded) != decoded {
                return true;
            }
            text = Cow::Owned(decoded);
        }
        true
    }
}

const HIDDEN: &str = "[redacted]";
const MOST_LAYERS: usize = 4;
