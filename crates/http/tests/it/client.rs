//! Requests by somebody, and what comes back.

use std::fmt;

use actix_web::{
    body::{BoxBody, to_bytes},
    dev::Response,
    http::{Method, header::HeaderMap},
    test::TestRequest,
};
use serde_json::Value;

use crate::stage::Stage;

/// Somebody with a key.
pub struct Client<'s> {
    stage: &'s Stage,
    key: String,
}

impl<'s> Client<'s> {
    pub fn new(stage: &'s Stage, key: &str) -> Self {
        Self { stage, key: key.to_owned() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).set_json(body)).await
    }

    pub async fn patch(&self, path: &str, patch: Value) -> Answer {
        self.send(self.request(Method::PATCH, path).set_json(patch)).await
    }

    /// Makes an API key, and returns its path and its secret.
    pub async fn new_key(&self, body: Value) -> (String, String) {
        let made = self.post("/api/v1/api-keys", body).await.expect(201);
        (format!("/api/v1/api-keys/{}", made.text("id")), made.text("key").to_owned())
    }

    /// Gives a key a new secret, and returns it.
    pub async fn rotate(&self, path: &str, body: Value) -> String {
        self.post(&format!("{path}/rotate"), body).await.expect(200).text("key").to_owned()
    }

    pub fn request(&self, method: Method, path: &str) -> TestRequest {
        let key = ("X-API-Key", self.key.as_str());
        TestRequest::default().method(method).uri(path).insert_header(key)
    }

    pub async fn send(&self, request: TestRequest) -> Answer {
        self.stage.answer(request).await
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// `null` if there is none.
    pub body: Value,
}

impl Answer {
    pub async fn read(response: Response<BoxBody>) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = to_bytes(response.into_body()).await.unwrap();
        Self { status, headers, body: serde_json::from_slice(&body).unwrap_or_default() }
    }

    /// The answer, if it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// The answer, if it refuses one member because of this rule.
    #[track_caller]
    pub fn refuses(self, pointer: &str, rule: &str) -> Self {
        let answer = self.expect(422);
        let error = &answer.body["errors"][0];
        assert_eq!((&error["pointer"], &error["detail"]), (&pointer.into(), &rule.into()));
        answer
    }

    /// A member of the body that is text.
    #[track_caller]
    pub fn text(&self, member: &str) -> &str {
        self.body[member].as_str().unwrap_or_else(|| panic!("no {member} in {self}"))
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.status, self.body)
    }
}
