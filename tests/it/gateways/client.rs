//! A client of a gateway that sends what it is told, byte for byte.

use std::{fmt, time::Duration};

use acceptance::{Connection, Gateway};

/// One connection to a gateway, for many requests.
pub struct Client {
    connection: Connection,
}

impl Client {
    pub async fn to(gateway: &Gateway) -> Self {
        Self { connection: gateway.connect().await }
    }

    pub async fn get(&mut self, target: &str, headers: &[(&str, &str)]) -> Reply {
        self.send("GET", target, headers, "").await
    }

    pub async fn send(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        let mut request = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n");
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() {
            request += &format!("Content-Length: {}\r\n", body.len());
        }
        self.connection.send(format!("{request}\r\n{body}")).await;
        let name = format!("{method} {target}");
        let head = self.connection.read_until(END, DEADLINE).await;
        let Some((head, body)) = head.split_once(END) else { panic!("{name}: {head}") };
        let mut reply = Reply { name, head: head.to_owned(), body: body.to_owned() };
        let length = reply.header("content-length").parse().unwrap_or(0);
        while method != "HEAD" && reply.body.len() < length {
            let more = self.connection.read_some(DEADLINE).await;
            assert!(!more.is_empty(), "{reply}");
            reply.body += &more;
        }
        reply
    }
}

/// What comes back.
pub struct Reply {
    /// The answer to what.
    name: String,
    head: String,
    /// What the service saw, if it is its answer.
    pub body: String,
}

impl Reply {
    pub fn status(&self) -> u16 {
        let status = self.head.split(' ').nth(1).and_then(|status| status.parse().ok());
        status.unwrap_or_else(|| panic!("no status in {self}"))
    }

    /// The answer, if it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status(), status, "{self}");
        self
    }

    /// A header's text; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        header(&self.head, name)
    }

    /// The first line of what the service saw.
    pub fn seen_line(&self) -> &str {
        self.body.lines().next().unwrap_or_default()
    }

    /// A header that the service saw; empty if it did not.
    pub fn seen(&self, name: &str) -> &str {
        header(&self.body, name)
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}\n{}\n{}", self.name, self.head, self.body)
    }
}

fn header<'h>(head: &'h str, name: &str) -> &'h str {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    let mut values = lines.filter(|(each, _)| each.eq_ignore_ascii_case(name));
    values.next().map(|(_, value)| value.trim()).unwrap_or_default()
}

const END: &str = "\r\n\r\n";
const DEADLINE: Duration = Duration::from_secs(30);
