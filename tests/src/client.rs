//! The HTTP API as some caller.

use std::{fmt, fs, path::Path};

use reqwest::{Certificate, Client, Method, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::{Value, json};

/// Who calls, and where the credential rides.
#[derive(Clone, Debug)]
pub enum Caller {
    /// No credential.
    Anonymous,
    /// `Authorization: Bearer …`.
    Bearer(String),
    /// `X-API-Key: …`.
    Header(String),
    /// `?apiKey=…`.
    Query(String),
}

/// The API of one server for one caller. Paths are whole, as in the OpenAPI document.
#[derive(Clone, Debug)]
pub struct Api {
    base: String,
    caller: Caller,
    client: Client,
}

impl Api {
    /// The API at `base` (`http://127.0.0.1:8080`) for `caller`, on connections of its own.
    pub fn new(base: &str, caller: Caller) -> Self {
        let client = Client::builder().no_proxy().build().expect("a plain client");
        Self { base: base.to_owned(), caller, client }
    }

    /// The same over TLS, for whoever knows this authority and no other.
    pub fn over_tls(base: &str, caller: Caller, authority: &Path) -> Self {
        let authority = fs::read(authority).expect("the authority's certificate");
        let authority = Certificate::from_pem(&authority).expect("a certificate");
        let client = Client::builder().no_proxy().tls_certs_only([authority]);
        Self { base: base.to_owned(), caller, client: client.build().expect("a client") }
    }

    /// Who calls.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The same API for another caller.
    pub fn with(&self, caller: Caller) -> Self {
        Self { caller, ..self.clone() }
    }

    /// `GET path`.
    pub async fn get(&self, path: &str) -> Answer {
        answered(self.request(Method::GET, path)).await
    }

    /// `POST path` with a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        answered(self.request(Method::POST, path).json(&body)).await
    }

    /// `PATCH path` with a JSON merge patch.
    pub async fn patch(&self, path: &str, patch: Value) -> Answer {
        answered(self.request(Method::PATCH, path).json(&patch)).await
    }

    /// `DELETE path`.
    pub async fn delete(&self, path: &str) -> Answer {
        answered(self.request(Method::DELETE, path)).await
    }

    /// `PUT path` with a JSON body.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        answered(self.request(Method::PUT, path).json(&body)).await
    }

    /// A request with these headers and nothing else: whoever calls is among them, or nobody.
    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        let request = self.with(Caller::Anonymous).request(method, path);
        let add =
            |request: RequestBuilder, (name, value): &(&str, &str)| request.header(*name, *value);
        answered(headers.iter().fold(request, add)).await
    }

    /// What a gateway in front of another service is told about a request to it.
    pub async fn ask_at_gateway(
        &self,
        method: Method,
        uri: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let original = [("X-Forwarded-Method", method.as_str()), ("X-Forwarded-Uri", uri)];
        let headers = [&original, headers].concat();
        self.send(Method::GET, "/api/v1/forward-auth/traefik", &headers).await
    }

    /// Signs somebody in, whoever calls, and returns them with their access token.
    ///
    /// # Panics
    /// If they may not sign in.
    pub async fn sign_in(&self, username: &str, password: &str) -> Caller {
        let typed = json!({ "username": username, "password": password });
        let anybody = self.with(Caller::Anonymous);
        let signed_in = anybody.post("/api/v1/auth/login", typed).await.expect(200);
        Caller::Bearer(signed_in.text_of("access_token").to_owned())
    }

    /// A request that carries the caller's credential, for what the verbs above do not offer.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        match &self.caller {
            Caller::Anonymous => request,
            Caller::Bearer(key) => request.bearer_auth(key),
            Caller::Header(key) => request.header("X-API-Key", key),
            Caller::Query(key) => request.query(&[("apiKey", key)]),
        }
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as JSON; `null` if it is none.
    pub body: Value,
    /// The body as it came.
    pub text: String,
}

impl Answer {
    /// Sends the request and reads the whole answer.
    ///
    /// # Errors
    /// The connection failed, or was cut before the answer's end.
    pub async fn to(request: RequestBuilder) -> Result<Self, reqwest::Error> {
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or_default();
        Ok(Self { status, headers, body, text })
    }

    /// The answer, if it has this status.
    ///
    /// # Panics
    /// If not, with the answer.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self}");
        self
    }

    /// The answer, if it is a problem document with this code and all its members.
    ///
    /// # Panics
    /// If not, with the answer.
    #[track_caller]
    pub fn problem(self, code: &str) -> Self {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self}");
        assert_eq!(self.body["code"], code, "{self}");
        assert_eq!(self.body["status"], self.status.as_u16(), "{self}");
        for member in ["type", "title", "detail", "request_id"] {
            assert!(self.body[member].is_string(), "no {member} in {self}");
        }
        self
    }

    /// The answer, if it is the same refusal that every unknown credential gets.
    ///
    /// # Panics
    /// If not, with the answer.
    #[track_caller]
    pub fn refused(self) -> Self {
        self.expect(401).problem("invalid_credential")
    }

    /// A header's text; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// A member of the body that is text, such as `id` or `key`.
    ///
    /// # Panics
    /// If there is none, with the answer.
    #[track_caller]
    pub fn text_of(&self, member: &str) -> &str {
        self.body[member].as_str().unwrap_or_else(|| panic!("no {member} in {self}"))
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {:?}\n{}", self.status, self.headers, self.text)
    }
}

async fn answered(request: RequestBuilder) -> Answer {
    Answer::to(request).await.expect("the server answers")
}
