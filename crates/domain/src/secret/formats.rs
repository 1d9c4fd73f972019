//! All formats in use at once: whether a text is junk, whether a new key can be mistaken for junk,
//! and what must not be seen in a log are questions to all of them together.

use std::borrow::Cow;

use rand_core::TryCryptoRng;
use uuid::Uuid;

use super::{Fit, Secret, SecretFormat};

/// The formats that live keys may have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Formats {
    known: Vec<SecretFormat>,
    any: bool,
}

impl Formats {
    /// Takes the formats of all providers, and those that live keys still have from before.
    #[must_use]
    pub const fn new(formats: Vec<SecretFormat>) -> Self {
        Self { known: formats, any: false }
    }

    /// The same formats where live keys may also have any other one, as keys have that were not
    /// drawn here. What looks like a mistyped key of a known format is malformed all the same.
    #[must_use]
    pub fn and_any(self) -> Self {
        Self { any: true, ..self }
    }

    /// The formats that are known.
    #[must_use]
    pub fn known(&self) -> &[SecretFormat] {
        &self.known
    }

    /// Whether live keys may have any other format.
    #[must_use]
    pub const fn has_any(&self) -> bool {
        self.any
    }

    /// Whether a format is among them.
    #[must_use]
    pub fn contains(&self, format: &SecretFormat) -> bool {
        self.known.contains(format)
    }

    /// The format that a text fits, if it fits one.
    #[must_use]
    pub fn fitting(&self, text: &str) -> Option<&SecretFormat> {
        self.known.iter().find(|format| format.fit(text) == Fit::Fits)
    }

    /// Says whether a secret fits one of the formats.
    ///
    /// This is no proof of anything: it only spares a look-up.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if it fits none of them.
    pub fn recognise(&self, secret: &Secret) -> Result<(), Malformed> {
        let mut malformed = Malformed::Shape;
        for format in &self.known {
            match format.fit(secret.expose()) {
                Fit::Fits => return Ok(()),
                Fit::Other => {}
                Fit::WrongChecksum => malformed = Malformed::Checksum,
            }
        }
        if malformed == Malformed::Shape && self.any { Ok(()) } else { Err(malformed) }
    }

    /// A new secret of `format` that no other format takes for a mistyped one.
    ///
    /// Only a key in base64url can be taken so, by a format in base62: two formats in base62 have
    /// the same checksum for the same text.
    ///
    /// # Errors
    ///
    /// [`DrawError::Generator`] if the generator fails, and [`DrawError::Clash`] if one draw after
    /// the other is taken so, which no sound generator brings about.
    pub fn draw<R: TryCryptoRng + ?Sized>(
        &self,
        format: &SecretFormat,
        rng: &mut R,
    ) -> Result<Secret, DrawError<R::Error>> {
        for _ in 0..MAX_DRAWS {
            let secret = format.generate(rng).map_err(DrawError::Generator)?;
            if !self.known.iter().any(|other| other.fit(secret.expose()) == Fit::WrongChecksum) {
                return Ok(secret);
            }
        }
        Err(DrawError::Clash)
    }

    /// Replaces what looks like a secret, for texts that are going to be logged.
    ///
    /// Within each run of letters, digits, `_` and `-` everything from a prefix on goes, when it is
    /// followed by at least half as many characters as a secret has: a mistyped or cut secret is
    /// too much to show, and so is one with something glued to it.
    ///
    /// For a format without a prefix a whole run goes, when it fits, or is longer than a secret and
    /// has both capital and small letters, as practically every secret has. UUIDs stay, and so do
    /// longer hashes, ULIDs and words in one case.
    #[must_use]
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if !runs(text).any(|(run, _)| self.before_secret(run).is_some()) {
            return Cow::Borrowed(text);
        }
        let mut shown = String::with_capacity(text.len());
        for (run, separator) in runs(text) {
            match self.before_secret(run) {
                Some(before) => shown.extend([before, REDACTED]),
                None => shown.push_str(run),
            }
            shown.push_str(separator);
        }
        Cow::Owned(shown)
    }

    /// What stands before the first secret of a run, if there is one.
    fn before_secret<'r>(&self, run: &'r str) -> Option<&'r str> {
        if run.len() < SHORTEST_HIDDEN {
            return None;
        }
        let starts = self.known.iter().filter_map(|format| before_secret(format, run));
        starts.min_by_key(|before| before.len())
    }
}

/// Why a text is no secret of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// It looks like a secret in all but the checksum: mistyped or made up.
    #[error("the checksum is wrong")]
    Checksum,
    /// It looks like no secret.
    #[error("the text has no known format")]
    Shape,
}

/// Why no new secret can be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DrawError<E> {
    /// Every draw looked like a mistyped secret of another format.
    #[error("every draw looked like a mistyped secret of another format")]
    Clash,
    /// The generator failed.
    #[error("the random generator failed")]
    Generator(#[source] E),
}

fn before_secret<'r>(format: &SecretFormat, run: &'r str) -> Option<&'r str> {
    let prefix = format.prefix.as_str();
    if prefix.is_empty() {
        let is_longer = run.len() > format.secret_length();
        let might_hold = format.fit(run) != Fit::Other || (is_longer && has_both_cases(run));
        return (might_hold && Uuid::try_parse(run).is_err()).then_some("");
    }
    let (before, after) = run.split_once(prefix)?;
    (after.len() >= format.secret_length() / 2).then_some(before)
}

fn has_both_cases(run: &str) -> bool {
    let has = |case: fn(&u8) -> bool| run.as_bytes().iter().any(case);
    has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)
}

/// The runs of characters that secrets consist of, each with the one character that ends it.
fn runs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let is_separator = |c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-');
    text.split_inclusive(is_separator).map(move |piece| match piece.find(is_separator) {
        Some(end) => piece.split_at(end),
        None => (piece, ""),
    })
}

const REDACTED: &str = "[redacted]";

/// Half of the shortest secret, which is 16 bytes in base64url: most words of a log are shorter.
const SHORTEST_HIDDEN: usize = 11;

/// A draw clashes at most half of the time, when all of the shortest key happens to be letters and
/// digits; that all of these do is less likely than 1 in 10¹⁸.
const MAX_DRAWS: usize = 64;

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use getrandom::SysRng;
    use proptest::prelude::*;
    use rand_core::TryRng;

    use super::super::Encoding::{Base62, Base64Url};
    use super::super::Prefix;
    use super::super::format::samples::{any_format, drawn, format};
    use super::*;

    fn defaults() -> Formats {
        Formats::new(vec![format("ks_", Base62, 32), format("ks_pat_", Base62, 32)])
    }

    fn recognised(formats: &Formats, text: &str) -> Option<Malformed> {
        formats.recognise(&Secret::parse(text).unwrap()).err()
    }

    #[test]
    fn a_text_that_fits_any_format_is_recognised() {
        let formats = Formats::new(vec![format("ks_", Base62, 32), format("", Base64Url, 16)]);
        for format in &formats.known {
            assert_eq!(formats.recognise(&drawn(format)), Ok(()));
        }
    }

    #[test]
    fn a_text_that_fits_none_is_malformed() {
        let mistyped = "ks_0123456789abcdefghijABCDEFGHIJ0123456789xyz3A8jxh";
        assert_eq!(recognised(&defaults(), mistyped), Some(Malformed::Checksum));
        for text in ["ks_", "junk", &"k".repeat(512)] {
            assert_eq!(recognised(&defaults(), text), Some(Malformed::Shape));
        }
        assert_eq!(recognised(&Formats::default(), mistyped), Some(Malformed::Shape));
    }

    #[test]
    fn where_any_format_goes_a_mistyped_key_of_a_known_one_is_still_malformed() {
        let mistyped = "ks_0123456789abcdefghijABCDEFGHIJ0123456789xyz3A8jxh";
        assert_eq!(recognised(&defaults().and_any(), mistyped), Some(Malformed::Checksum));
        assert_eq!(recognised(&Formats::default().and_any(), mistyped), None);
    }

    #[test]
    fn a_wrong_checksum_in_one_format_does_not_hide_a_fit_in_another() {
        let (outer, inner) = (format("", Base62, 16), format("", Base64Url, 21));
        assert_eq!(outer.secret_length(), inner.secret_length(), "made for each other");
        let text = "A".repeat(inner.secret_length());
        assert_eq!((outer.fit(&text), inner.fit(&text)), (Fit::WrongChecksum, Fit::Fits));
        for formats in [vec![outer.clone(), inner.clone()], vec![inner, outer]] {
            assert_eq!(recognised(&Formats::new(formats), &text), None);
        }
    }

    #[test]
    fn a_new_key_never_looks_like_a_mistyped_one_of_another_format() {
        let (outer, inner) = (format("", Base62, 16), format("", Base64Url, 21));
        let formats = Formats::new(vec![outer.clone(), inner.clone()]);
        for _ in 0..200 {
            let secret = formats.draw(&inner, &mut SysRng).unwrap();
            assert_eq!(outer.fit(secret.expose()), Fit::Other);
        }
    }

    /// A generator that is stuck.
    struct Zeros;

    impl TryRng for Zeros {
        type Error = Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            Ok(0)
        }

        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            Ok(0)
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
            bytes.fill(0);
            Ok(())
        }
    }

    impl TryCryptoRng for Zeros {}

    #[test]
    fn a_generator_that_only_clashes_is_an_error_and_no_endless_loop() {
        let (outer, inner) = (format("", Base62, 16), format("", Base64Url, 21));
        let formats = Formats::new(vec![outer, inner.clone()]);
        assert_eq!(formats.draw(&inner, &mut Zeros).unwrap_err(), DrawError::Clash);
    }

    #[test]
    fn base62_formats_of_one_length_agree_about_a_key() {
        let (long, short) = (format("", Base62, 32), format("a", Base62, 31));
        assert_eq!(long.fit(drawn(&short).expose()), Fit::Fits);
    }

    #[test]
    fn redaction_takes_what_looks_like_a_secret_and_nothing_else() {
        let secret = drawn(&defaults().known[0]);
        let secret = secret.expose();
        for (text, shown) in [
            (format!("GET /?apiKey={secret}&page=2"), "GET /?apiKey=[redacted]&page=2"),
            (format!("({secret})({secret})"), "([redacted])([redacted])"),
            (format!("%3D{secret}%20x"), "%3D[redacted]%20x"),
            (format!("{secret}-more"), "[redacted]"),
            (secret[..40].to_owned(), "[redacted]"),
            ("tasks_done ks_ é".to_owned(), "tasks_done ks_ é"),
            (
                "01890a5d-ac96-774b-bcce-b302099a8057".to_owned(),
                "01890a5d-ac96-774b-bcce-b302099a8057",
            ),
        ] {
            assert_eq!(defaults().redact(&text), shown);
        }
    }

    #[test]
    fn ids_stay_readable_where_secrets_have_no_prefix() {
        // The bytes are those that make a secret as long as a UUID, with hyphens and without.
        let formats = [16, 24, 27].map(|bytes| format("", Base64Url, bytes));
        let formats = Formats::new([&formats[..], &[format("", Base62, 16)]].concat());
        for id in [
            "01890a5d-ac96-774b-bcce-b302099a8057",
            "01890A5D-AC96-774B-BCCE-B302099A8057",
            "01890a5dac96774bbcceb302099a8057",
            "01KAQ3V5T9ZXR8N2M4C6H7J0WE",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "a-report-of-the-year-2026",
        ] {
            assert_eq!(formats.redact(&format!("GET /a/{id}/b")), format!("GET /a/{id}/b"));
        }
    }

    #[test]
    fn a_text_without_secrets_is_not_copied() {
        assert!(matches!(defaults().redact("GET /api/v1/me"), Cow::Borrowed(_)));
    }

    #[test]
    fn debugging_formats_shows_no_secret() {
        let secret = drawn(&defaults().known[0]);
        let shown = format!("{:?} {:?}", defaults().recognise(&secret), defaults());
        assert!(!shown.contains(&secret.expose()["ks_".len()..]));
    }

    proptest! {
        #[test]
        fn where_any_format_goes_every_secret_is_recognised_unless_it_is_mistyped(
            format in prop_oneof![any_format(Base62), any_format(Base64Url)],
            text in "[!-~]{1,512}",
            at in any::<prop::sample::Index>(),
        ) {
            let mut mistyped = drawn(&format).expose().to_owned();
            let at = at.index(mistyped.len());
            mistyped.replace_range(at..=at, "0");
            let formats = Formats::new(vec![format.clone()]).and_any();
            for text in [text, mistyped] {
                let expected = match format.fit(&text) {
                    Fit::WrongChecksum => Some(Malformed::Checksum),
                    Fit::Fits | Fit::Other => None,
                };
                prop_assert_eq!(recognised(&formats, &text), expected);
            }
        }

        #[test]
        fn no_secret_survives_redaction(
            format in prop_oneof![any_format(Base62), any_format(Base64Url)],
            before in "(.*[^0-9A-Za-z_-])?",
            after in "([^0-9A-Za-z_-].*)?",
        ) {
            let secret = drawn(&format);
            let text = format!("{before}{}{after}", secret.expose());
            let formats = Formats::new(vec![format]);
            prop_assert!(!formats.redact(&text).contains(secret.expose()));
        }

        #[test]
        fn no_secret_survives_redaction_with_something_glued_to_it(
            format in prop_oneof![any_format(Base62), any_format(Base64Url)],
            has_prefix in any::<bool>(),
            before in "[0-9A-Za-z_-]{0,8}",
            after in "[0-9A-Za-z_-]{0,8}",
        ) {
            let prefix = if has_prefix { format.prefix } else { Prefix::default() };
            let format = SecretFormat { prefix, ..format };
            let secret = drawn(&format);
            // Two in 100,000 of the shortest lack one case.
            prop_assume!(has_both_cases(secret.expose()));
            let text = format!("GET /{before}{}{after}", secret.expose());
            let formats = Formats::new(vec![format]);
            prop_assert!(!formats.redact(&text).contains(secret.expose()));
        }
    }
}
