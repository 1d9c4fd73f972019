//! `Forwarded` (RFC 7239), read strictly.

use keystile_domain::Transport;

use super::OriginError;
use super::hop::{Hop, Node, parse_scheme};
use crate::RequestView;
use crate::token::is_token_byte;

/// The hops that all lines of the header tell of, the nearest first.
///
/// An element without `for`, an empty one too, is a hop that hides its client.
pub(super) fn hops(request: &impl RequestView) -> Result<Vec<Hop>, OriginError> {
    let mut hops = Vec::new();
    for line in request.headers("forwarded") {
        let line = str::from_utf8(line).or(Err(OriginError::Unreadable))?;
        for element in line.split(outside_quotes(',')) {
            hops.push(hop(element)?);
        }
    }
    hops.reverse();
    Ok(hops)
}

fn hop(element: &str) -> Result<Hop, OriginError> {
    let mut node = None;
    let mut transport = None;
    let pairs = element.split(outside_quotes(';')).map(|pair| pair.trim_matches([' ', '\t']));
    for pair in pairs.filter(|pair| !pair.is_empty()) {
        let (name, value) = read_pair(pair).ok_or(OriginError::Unreadable)?;
        let is_repeated = match name.to_ascii_lowercase().as_str() {
            "for" => node.replace(Node::parse(&value)?).is_some(),
            "proto" => transport.replace(parse_scheme(&value)?).is_some(),
            _ => false,
        };
        if is_repeated {
            return Err(OriginError::Unreadable);
        }
    }
    Ok(Hop {
        node: node.unwrap_or(Node::Hidden),
        transport: transport.unwrap_or(Transport::Insecure),
    })
}

fn read_pair(pair: &str) -> Option<(&str, String)> {
    let (name, value) = pair.split_once('=')?;
    is_token(name).then_some((name, unquote(value)?))
}

/// The text of a token or a quoted string (RFC 9110, section 5.6.4).
fn unquote(value: &str) -> Option<String> {
    let Some(quoted) = value.strip_prefix('"') else {
        return is_token(value).then(|| value.to_owned());
    };
    let mut text = String::new();
    let mut chars = quoted.chars();
    loop {
        match chars.next()? {
            '"' => return chars.as_str().is_empty().then_some(text),
            '\\' => text.push(chars.next()?),
            plain => text.push(plain),
        }
    }
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// Finds the separators that do not stand in a quoted string; for one walk from left to right.
fn outside_quotes(separator: char) -> impl FnMut(char) -> bool {
    let mut is_quoted = false;
    let mut is_escaped = false;
    move |c| {
        if is_escaped {
            is_escaped = false;
            return false;
        }
        match c {
            '"' => is_quoted = !is_quoted,
            '\\' => is_escaped = is_quoted,
            _ => {}
        }
        c == separator && !is_quoted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FakeRequest, address};

    fn nodes(line: &str) -> Result<Vec<Node>, OriginError> {
        let hops = hops(&FakeRequest::new().header("Forwarded", line))?;
        Ok(hops.into_iter().rev().map(|hop| hop.node).collect())
    }

    #[test]
    fn the_examples_of_the_standard_are_understood() {
        let v4 = |text| Node::Address(address(text));
        for (line, expected) in [
            ("for=\"_gazonk\"", vec![Node::Hidden]),
            ("For=\"[2001:db8:cafe::17]:4711\"", vec![v4("2001:db8:cafe::17")]),
            ("for=192.0.2.60;proto=http;by=203.0.113.43", vec![v4("192.0.2.60")]),
            ("for=192.0.2.43, for=198.51.100.17", vec![v4("192.0.2.43"), v4("198.51.100.17")]),
            ("for=_hidden, for=_SEVKISEK", vec![Node::Hidden, Node::Hidden]),
            ("for=\"192.0.2.43:47011\"", vec![v4("192.0.2.43")]),
        ] {
            assert_eq!(nodes(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn separators_in_a_quoted_string_separate_nothing() {
        let line = r#"ext="a\",b;for=_x";for=192.0.2.1;proto=https"#;
        assert_eq!(nodes(line), Ok(vec![Node::Address(address("192.0.2.1"))]));
    }

    #[test]
    fn an_escaped_character_stands_for_itself() {
        assert_eq!(nodes(r#"for="\19\2.0.2.1""#), Ok(vec![Node::Address(address("192.0.2.1"))]));
    }

    #[test]
    fn an_element_without_a_client_hides_it() {
        for line in ["proto=https", "", ";", "by=192.0.2.1;host=example.com"] {
            assert_eq!(nodes(line), Ok(vec![Node::Hidden]), "{line}");
        }
        assert_eq!(nodes("for=_a,").map(|nodes| nodes.len()), Ok(2));
    }

    #[test]
    fn what_breaks_the_grammar_is_unreadable() {
        for line in [
            "for",
            "for=",
            "=192.0.2.1",
            "for =192.0.2.1",
            "for= 192.0.2.1",
            "for=[::1]",
            "for=192.0.2.1:80",
            "for=\"192.0.2.1",
            "for=\"192.0.2.1\"x",
            "for=\"192.0.2.1\\\"",
            "for=192.0.2.1\"\"",
            "for=192.0.2.1;for=192.0.2.2",
            "for=192.0.2.1;FOR=192.0.2.1",
            "for=192.0.2.1;proto=https;proto=http",
            "for=192.0.2.1;proto=",
            "for=a",
            "192.0.2.1",
            "for=192.0.2.1;proto=\"https \"",
            "for=192.0.2.1 proto=https",
            "for=192.0.2.1;ä=b",
        ] {
            assert_eq!(nodes(line), Err(OriginError::Unreadable), "{line}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_unreadable() {
        let request = FakeRequest::new().header("Forwarded", b"for=192.0.2.1;x=\"\xff\"");
        assert!(matches!(hops(&request), Err(OriginError::Unreadable)));
    }
}
