//! Letters that do something to a terminal, or cannot be seen there. Names are other people's: one
//! must not move the cursor, turn the line around, or look like another.

/// A text in one line, with each such letter escaped as in JSON (RFC 8259, section 7).
pub fn plain(text: &str) -> String {
    escaped(text, |letter| letter.is_control() || is_hidden(letter))
}

/// The same of several lines. A document in JSON stays what it is, since line feeds stand between
/// its texts and never in them.
pub fn plain_lines(text: &str) -> String {
    escaped(text, |letter| letter != '\n' && (letter.is_control() || is_hidden(letter)))
}

fn escaped(text: &str, is_told: impl Fn(char) -> bool) -> String {
    let mut told = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_told(letter) {
            let units = letter.encode_utf16(&mut [0; 2]).to_vec();
            told.extend(units.iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            told.push(letter);
        }
    }
    told
}

/// Whether a letter has no form of its own: it changes the direction of others, or is nothing.
fn is_hidden(letter: char) -> bool {
    HIDDEN.iter().any(|(first, last)| (*first..=*last).contains(&letter))
}

/// Of the format characters of Unicode, and of those that are drawn as nothing.
const HIDDEN: &[(char, char)] = &[
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180e}', '\u{180e}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff9}', '\u{fffb}'),
    ('\u{e0000}', '\u{e0fff}'),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_turns_or_hides_is_told_and_not_done() {
        for (text, told) in [
            ("CI pipeline – für José 👩", "CI pipeline – für José 👩"),
            ("\u{1b}[2J\u{7}\u{9b}\u{7f}", r"\u001b[2J\u0007\u009b\u007f"),
            ("a\u{202e}b\u{2066}c\u{200b}d", r"a\u202eb\u2066c\u200bd"),
            ("\u{e0041}", r"\udb40\udc41"),
            ("two\nlines", r"two\u000alines"),
        ] {
            assert_eq!(plain(text), told);
        }
        assert_eq!(plain_lines("two\nlines\u{85}"), "two\nlines\\u0085");
    }

    #[test]
    fn a_document_in_json_stays_what_it_is() {
        let value = serde_json::json!({"name": "a\u{202e}b\n\u{e0041}\u{9b}"});
        let told = plain_lines(&serde_json::to_string_pretty(&value).unwrap());
        assert!(told.is_ascii(), "{told}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&told).unwrap(), value);
    }
}
