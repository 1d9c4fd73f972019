//! One call: a request, sent until it has an answer or there is no hope, and how the answer is read.

use std::fmt::Display;
use std::time::{Duration, Instant};

use backon::{ExponentialBuilder, Retryable};
use bytes::Bytes;
use keystile_api::verifiers::Revocation;
use reqwest::header::IF_MATCH;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue,
};
use reqwest::{Method, Request, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use crate::error::{REQUEST_ID, retry_after, text};
use crate::operations::Operation;
use crate::repeat::Repeat;
use crate::{Answer, Change, Client, Error, Refusal, Result};

/// A request under construction. What cannot be put into one is told when it is sent.
#[must_use]
pub(crate) struct Call {
    client: Client,
    operation: Operation,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Bytes>,
    repeat: Repeat,
    timeout: Duration,
    dry_run: bool,
    wrong: Option<Error>,
}

/// A whole answer of the server that is no refusal.
pub(crate) struct Heard {
    operation: Operation,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Client {
    /// Begins a call, with the arguments that its path names, in order.
    pub(crate) fn call(&self, operation: Operation, arguments: &[&(dyn Display + Sync)]) -> Call {
        let method = operation.method();
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(credential) = self.authorization() {
            headers.insert(AUTHORIZATION, credential.clone());
        }
        Call {
            client: self.clone(),
            operation,
            url: operation.url(self.server(), arguments),
            headers,
            body: None,
            repeat: Repeat::of(&method),
            timeout: self.timeout(),
            dry_run: false,
            wrong: None,
            method,
        }
    }
}

impl Call {
    pub(crate) fn query(mut self, parameters: &impl Serialize) -> Self {
        let wrong = {
            let pairs = &mut self.url.query_pairs_mut();
            parameters.serialize(serde_urlencoded::Serializer::new(pairs)).err()
        };
        if self.url.query() == Some("") {
            self.url.set_query(None);
        }
        self.but(wrong.map(Error::request))
    }

    pub(crate) fn json(self, body: &impl Serialize) -> Self {
        let written = serde_json::to_vec(body);
        self.body("application/json", written)
    }

    pub(crate) fn form(self, body: &impl Serialize) -> Self {
        let written = serde_urlencoded::to_string(body).map(String::into_bytes);
        self.body("application/x-www-form-urlencoded", written)
    }

    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(value) => {
                self.headers.insert(name, value);
                self
            }
            Err(error) => self.but(Some(Error::request(error))),
        }
    }

    /// Says how the change is to be made.
    pub(crate) fn change(mut self, change: &Change) -> Self {
        self.dry_run = change.dry_run;
        if change.dry_run {
            self.repeat = Repeat::Always;
        } else if change.wait_for_cluster && self.method == Method::DELETE {
            // Sent again it finds nothing, and nobody says whether it is in force.
            self.repeat = Repeat::Unheard;
        }
        if change.wait_for_cluster {
            self.timeout += LONGEST_LEASE;
        }
        let parameters = ChangeParameters {
            dry_run: change.dry_run.then_some(true),
            wait: change.wait_for_cluster.then_some("cluster"),
            reason: change.reason.as_deref(),
        };
        let call = self.query(&parameters);
        match &change.if_match {
            Some(version) => call.header(IF_MATCH, version),
            None => call,
        }
    }

    /// The same for a create or a rotation, which is named so that it can be repeated.
    pub(crate) fn create(mut self, change: &Change) -> Self {
        self.repeat = Repeat::Always;
        let call = self.change(change);
        match &change.idempotency_key {
            Some(key) => call.header(IDEMPOTENCY_KEY, key),
            None if change.dry_run => call,
            None => call.header(IDEMPOTENCY_KEY, &Uuid::new_v4().to_string()),
        }
    }

    pub(crate) fn repeat(self, repeat: Repeat) -> Self {
        Self { repeat, ..self }
    }

    /// Waits longer than for others: there is much to do.
    pub(crate) fn patiently(self) -> Self {
        Self { timeout: self.timeout * 10, ..self }
    }

    /// The body of the answer.
    pub(crate) async fn read<T: DeserializeOwned>(self) -> Result<T> {
        self.hear(&mut false).await?.read()
    }

    /// The body of the answer, and what its headers tell.
    pub(crate) async fn answer<T: DeserializeOwned>(self) -> Result<Answer<T>> {
        let heard = self.hear(&mut false).await?;
        Ok(heard.answer(heard.read()?))
    }

    /// The answer to a deletion: what would be deleted, in a dry run.
    pub(crate) async fn deleted<T: DeserializeOwned>(self) -> Result<Answer<Option<T>>> {
        let (dry_run, mut in_doubt) = (self.dry_run, false);
        match self.hear(&mut in_doubt).await {
            Ok(heard) if dry_run => Ok(heard.answer(Some(heard.read()?))),
            Ok(heard) => Ok(heard.answer(None)),
            // An attempt before this one did it.
            Err(error) if in_doubt && error.is_not_found() => {
                let request_id = error.request_id().map(str::to_owned);
                Ok(Answer {
                    value: None,
                    version: None,
                    revocation: None,
                    replayed: false,
                    request_id,
                })
            }
            Err(error) => Err(error),
        }
    }

    /// The answer to something that has nothing to tell.
    pub(crate) async fn done(self) -> Result<()> {
        self.hear(&mut false).await.map(drop)
    }

    /// Sends the request, again and again if that is right. `in_doubt` is set when an attempt that
    /// got no answer may have been heard all the same.
    pub(crate) async fn hear(mut self, in_doubt: &mut bool) -> Result<Heard> {
        if let Some(wrong) = self.wrong.take() {
            return Err(wrong);
        }
        let (began, patience) = (Instant::now(), self.client.patience());
        (|| self.attempt())
            .retry(pauses())
            .when(|error| self.repeat.covers(error))
            .notify(|error, _| *in_doubt |= error.may_be_done())
            .adjust(|error, pause| {
                let pause = pause?.max(error.retry_after().unwrap_or_default());
                (began.elapsed() + pause < patience).then_some(pause)
            })
            .await
    }

    async fn attempt(&self) -> Result<Heard> {
        let mut request = self.request();
        *request.timeout_mut() = Some(self.timeout);
        let response = self.client.http().execute(request).await.map_err(Error::unanswered)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.map_err(Error::unanswered)?;
        if status.is_success() {
            return Ok(Heard { operation: self.operation, headers, body });
        }
        Err(refusal(status.as_u16(), &headers, &body))
    }

    /// Opens an answer that has no end.
    pub(crate) async fn open(self) -> Result<Response> {
        let response = self.client.http().execute(self.request()).await;
        let response = response.map_err(Error::unanswered)?;
        if response.status().is_success() {
            return Ok(response);
        }
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.map_err(Error::unanswered)?;
        Err(refusal(status, &headers, &body))
    }

    fn request(&self) -> Request {
        let mut request = Request::new(self.method.clone(), self.url.clone());
        *request.headers_mut() = self.headers.clone();
        *request.body_mut() = self.body.clone().map(Into::into);
        request
    }

    fn body<E>(self, kind: &'static str, written: std::result::Result<Vec<u8>, E>) -> Self
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let call = self.header(CONTENT_TYPE, kind);
        match written {
            Ok(body) => Self { body: Some(body.into()), ..call },
            Err(error) => call.but(Some(Error::request(error))),
        }
    }

    fn but(self, wrong: Option<Error>) -> Self {
        Self { wrong: self.wrong.or(wrong), ..self }
    }
}

impl Heard {
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T> {
        let kind = text(&self.headers, &CONTENT_TYPE).unwrap_or_default();
        if !kind.starts_with("application/json") {
            return Err(Error::not_keystile());
        }
        let mut json = serde_json::Deserializer::from_slice(&self.body);
        serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let place = error.path().to_string();
            Error::unreadable(self.operation, &place, &error.into_inner())
        })
    }

    fn answer<T>(&self, value: T) -> Answer<T> {
        let waited = serde_json::from_slice::<Waited>(&self.body).ok();
        let header = |name| text(&self.headers, name).map(str::to_owned);
        Answer {
            value,
            version: header(&ETAG),
            revocation: waited.and_then(|waited| waited.revocation),
            replayed: self.headers.contains_key(REPLAYED),
            request_id: header(&REQUEST_ID),
        }
    }
}

fn refusal(status: u16, headers: &HeaderMap, body: &[u8]) -> Error {
    match Refusal::read(status, headers, body) {
        Some(refusal) => Error::Refused(refusal),
        None => Error::NotKeystile { status, retry_after: retry_after(headers) },
    }
}

/// Longer and longer pauses, no two clients alike: how often is a matter of time alone.
fn pauses() -> ExponentialBuilder {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(Duration::from_secs(5))
        .without_max_times()
        .with_jitter()
}

#[derive(Serialize)]
struct ChangeParameters<'c> {
    #[serde(skip_serializing_if = "Option::is_none")]
    dry_run: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wait: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'c str>,
}

/// What `wait=cluster` adds to an answer, whatever else is in it.
#[derive(Deserialize)]
struct Waited {
    #[serde(default)]
    revocation: Option<Revocation>,
}

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// How long a lease may be at most, and so how long everybody is waited for.
const LONGEST_LEASE: Duration = Duration::from_secs(60);
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use backon::BackoffBuilder;

    use super::*;

    #[test]
    fn no_two_clients_come_back_at_the_same_time() {
        let first = |_| pauses().build().next().unwrap();
        let first: BTreeSet<_> = (0..20).map(first).collect();
        assert!(first.len() > 10, "{first:?}");
        let bounds = Duration::from_millis(100)..Duration::from_millis(200);
        assert!(first.iter().all(|pause| bounds.contains(pause)), "{first:?}");
    }
}
