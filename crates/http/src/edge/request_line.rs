//! The first line of a request, before the framework reads it.
//!
//! A target has no fragment (RFC 9112, section 3.2), but the framework drops what follows a `#`
//! without a word: a key with that character in it would be cut in two, and a proxy on the way,
//! which reads on, would see another request.

/// How far the first line of a request was read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum RequestLine {
    #[default]
    Method,
    Target,
    Past,
}

impl RequestLine {
    /// Reads on, and puts a character that no target has in the place of a `#`: the framework
    /// refuses that one.
    pub(super) fn refuse_fragment(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            *self = match (*self, *byte) {
                (Self::Past, _) => return,
                (Self::Method, b' ') => Self::Target,
                // Empty lines may stand before it (RFC 9112, section 2.2).
                (Self::Method, b'\r' | b'\n' | b'A'..=b'Z' | b'a'..=b'z' | b'-') => Self::Method,
                (Self::Target, b'#') => {
                    *byte = 0;
                    Self::Past
                }
                (Self::Method, _) | (Self::Target, b' ' | b'\n') => Self::Past,
                (Self::Target, _) => Self::Target,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(chunks: &[&str]) -> String {
        let mut line = RequestLine::default();
        let read = chunks.iter().map(|chunk| {
            let mut bytes = chunk.as_bytes().to_vec();
            line.refuse_fragment(&mut bytes);
            String::from_utf8(bytes).unwrap()
        });
        read.collect()
    }

    #[test]
    fn a_fragment_is_spoilt_wherever_the_line_is_cut() {
        let whole = "GET /a?apiKey=b#c HTTP/1.1\r\nx: #\r\n\r\n#";
        let spoilt = "GET /a?apiKey=b\0c HTTP/1.1\r\nx: #\r\n\r\n#";
        for at in 0..whole.len() {
            let (start, end) = whole.split_at(at);
            assert_eq!(read(&[start, end]), spoilt, "{at}");
        }
        assert_eq!(read(&["\r\n", "M-SEARCH # HTTP/1.1\r\n"]), "\r\nM-SEARCH \0 HTTP/1.1\r\n");
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        for text in ["GET / HTTP/1.1\r\nreferer: /#a\r\n\r\n#", "x: a #b\r\n", "{ #", "#", "GET\n"]
        {
            assert_eq!(read(&[text]), text);
        }
    }
}
