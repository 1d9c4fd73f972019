//! What the framework refuses below the application: a bare status, which is found among the bytes
//! of an answer and given its problem document.

use actix_web::http::StatusCode;
use keystile_api::problem::ErrorCode;

use super::{ALWAYS, HSTS, PROBLEM, REQUEST_ID, by_status, new_name};

/// A refusal without a body, at the end of what is written: the framework closes after it.
pub(crate) struct Bare<'b> {
    /// The answers to earlier requests.
    pub(crate) before: &'b [u8],
    head: &'b str,
    status: StatusCode,
}

impl<'b> Bare<'b> {
    /// Finds it. The application names the request in every answer of its own, so an error without
    /// that name is none.
    pub(crate) fn find(bytes: &'b [u8]) -> Option<Self> {
        let heads = bytes.strip_suffix(END)?;
        // Answers of the application without a body end so too: their heads are longer.
        let near = heads.len().saturating_sub(LONGEST);
        let start = near + heads.get(near..)?.windows(VERSION.len()).rposition(is_version)?;
        let (before, head) = heads.split_at_checked(start)?;
        let head = str::from_utf8(head).ok()?;
        let status = head.get(VERSION.len() + 2..)?.get(..3)?.parse().ok()?;
        let status = StatusCode::from_u16(status).ok()?;
        let is_bare = head.lines().any(|line| line.eq_ignore_ascii_case(NO_BODY))
            && !head.lines().any(|line| line.starts_with(REQUEST_ID.as_str()));
        let is_error = status.is_client_error() || status.is_server_error();
        (is_bare && is_error).then_some(Self { before, head, status })
    }

    /// What it is called.
    pub(crate) fn code(&self) -> ErrorCode {
        by_status(self.status).code
    }
}

/// The same refusal as everybody else's, and its line in the log.
pub(crate) fn document(bare: &Bare<'_>, over_tls: bool) -> Vec<u8> {
    let (id, error) = (new_name(), by_status(bare.status));
    let (code, status) = (error.code.as_str(), error.code.status());
    tracing::info!(request.id = id.as_str(), status, code, "what is no request was refused");
    let body = serde_json::to_string(&error.problem(id.as_str())).unwrap_or_default();
    let lines = bare.head.lines().filter(|line| !line.eq_ignore_ascii_case(NO_BODY));
    let mut answer: String = lines.map(|line| format!("{line}\r\n")).collect();
    for (name, value) in ALWAYS.into_iter().chain(over_tls.then_some(HSTS)) {
        answer += &format!("{name}: {}\r\n", value.to_str().unwrap_or_default());
    }
    answer += &format!("content-length: {}\r\ncontent-type: {PROBLEM}\r\n", body.len());
    answer += &format!("{REQUEST_ID}: {id}\r\n\r\n{body}");
    answer.into_bytes()
}

fn is_version(window: &[u8]) -> bool {
    window == VERSION
}

const VERSION: &[u8] = b"HTTP/1.";
/// More than the head of a bare refusal has: a status, a date, and what becomes of the connection.
const LONGEST: usize = 256;
const END: &[u8] = b"\r\n\r\n";
const NO_BODY: &str = "content-length: 0";

#[cfg(test)]
mod tests {
    use super::*;

    const BARE: &str = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";

    #[test]
    fn a_bare_refusal_is_found_behind_other_answers() {
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 1\r\nx-request-id: a\r\n\r\nx";
        let bytes = [answer, BARE].concat();
        let bare = Bare::find(bytes.as_bytes()).unwrap();
        assert_eq!((bare.before, bare.status.as_u16()), (answer.as_bytes(), 400));
    }

    #[test]
    fn what_the_application_answers_is_left_alone() {
        for bytes in [
            "",
            "\r\n\r\n",
            "HTTP/1.1 \r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nx-request-id: a\r\n\r\n",
            "HTTP/1.1 401 Unauthorized\r\ncontent-length: 7\r\n\r\n",
            &BARE[1..],
            &BARE[..BARE.len() - 1],
            &[BARE, "x"].concat(),
        ] {
            assert!(Bare::find(bytes.as_bytes()).is_none(), "{bytes:?}");
        }
    }

    #[test]
    fn the_document_has_what_every_refusal_has() {
        let answer =
            String::from_utf8(document(&Bare::find(BARE.as_bytes()).unwrap(), true)).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{head}");
        assert!(head.contains("\r\ncontent-type: application/problem+json"), "{head}");
        assert!(head.contains(&format!("\r\ncontent-length: {}", body.len())), "{head}");
        assert!(head.contains("\r\nx-content-type-options: nosniff"), "{head}");
        assert!(head.contains("\r\nstrict-transport-security: max-age="), "{head}");
        assert!(!head.contains(NO_BODY), "{head}");
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["code"], "bad_request");
        assert!(head.contains(&format!("x-request-id: {}", body["request_id"].as_str().unwrap())));
    }
}
