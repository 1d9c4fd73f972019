//! How a client is made: where the server is, what is shown there, and how long to wait.

use std::time::Duration;

use reqwest::Certificate;
use reqwest::header::{HeaderValue, InvalidHeaderValue};
use secrecy::{ExposeSecret, SecretString};
use url::Url;
use zeroize::Zeroizing;

use crate::Client;

/// A client to be made.
///
/// ```
/// use std::time::Duration;
///
/// use keystile_client::{Client, SecretString};
///
/// let client = Client::builder("https://keys.example.com")
///     .credential(SecretString::from("ks_0123456789abcdefghijABCDEFGHIJ0123456789xyz3A8jxH"))
///     .timeout(Duration::from_secs(10))
///     .build()?;
/// assert!(!format!("{client:?}").contains("ks_0123"));
/// # Ok::<(), keystile_client::BuilderError>(())
/// ```
#[derive(Debug)]
#[must_use]
pub struct ClientBuilder {
    url: String,
    credential: Option<SecretString>,
    authorities: Vec<Vec<u8>>,
    proxies: bool,
    timeout: Duration,
    patience: Duration,
    user_agent: String,
}

/// Why there is no client. Whether the server can be reached is no reason: nobody asks it yet.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuilderError {
    /// What was given is no certificate in PEM.
    #[error("the certificate of the authority cannot be read")]
    Authority(#[source] reqwest::Error),
    /// A credential has visible characters alone.
    #[error("the credential has characters that none may have")]
    Credential,
    /// There is no HTTP client, for want of certificates say.
    #[error("the HTTP client cannot be made")]
    Http(#[source] reqwest::Error),
    /// The text is no address of a server.
    #[error("the address of the server must be an http or https URL")]
    Url,
}

impl ClientBuilder {
    pub(crate) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            credential: None,
            authorities: Vec::new(),
            proxies: true,
            timeout: Duration::from_secs(30),
            patience: Duration::from_secs(30),
            user_agent: concat!("keystile-client/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }

    /// Shows this key or token with every request, as a bearer token. Without one only what is
    /// public can be asked.
    pub fn credential(self, credential: SecretString) -> Self {
        Self { credential: Some(credential), ..self }
    }

    /// Believes certificates of this authority too (one or more, in PEM), beside those that the
    /// system believes.
    pub fn authority(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.authorities.push(pem.into());
        self
    }

    /// Goes straight to the server, whatever `HTTPS_PROXY` and its kind say.
    pub fn no_proxy(self) -> Self {
        Self { proxies: false, ..self }
    }

    /// How long one attempt may take: 30 seconds unless told. Batches and the walk along the whole
    /// log have ten times as long, and a change that waits for the cluster has a minute more.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// For how long a call that may be repeated is repeated: 30 seconds unless told; nothing:
    /// each is sent once. A server that asks for a longer pause is left alone at once.
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// What the client calls itself; shown where the use of credentials is.
    pub fn user_agent(self, name: impl Into<String>) -> Self {
        Self { user_agent: name.into(), ..self }
    }

    /// Makes the client, which opens no connection yet.
    ///
    /// # Errors
    ///
    /// [`BuilderError`] if something of it is not what it should be.
    pub fn build(self) -> Result<Client, BuilderError> {
        let server = Url::parse(&self.url).or(Err(BuilderError::Url))?;
        if !matches!(server.scheme(), "http" | "https") || !server.has_host() {
            return Err(BuilderError::Url);
        }
        let mut http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT.min(self.timeout))
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .tcp_keepalive(Duration::from_secs(15))
            .user_agent(self.user_agent);
        if !self.proxies {
            http = http.no_proxy();
        }
        let mut authorities = Vec::new();
        for pem in &self.authorities {
            let bundle = Certificate::from_pem_bundle(pem).map_err(BuilderError::Authority)?;
            authorities.extend(bundle);
        }
        http = match server.scheme() {
            // Nobody is believed where nobody shows a certificate: a system without any will do.
            "http" => http.tls_certs_only([]),
            _ => http.tls_certs_merge(authorities),
        };
        let http = http.build().map_err(BuilderError::Http)?;
        let authorization = self.credential.as_ref().map(authorization).transpose()?;
        Ok(Client::new(http, server, authorization, self.timeout, self.patience))
    }
}

/// The header that shows a credential. Nothing prints it.
pub(crate) fn authorization(credential: &SecretString) -> Result<HeaderValue, BuilderError> {
    let text = Zeroizing::new(format!("Bearer {}", credential.expose_secret()));
    let value: Result<_, InvalidHeaderValue> = HeaderValue::from_str(&text);
    let mut value = value.or(Err(BuilderError::Credential))?;
    value.set_sensitive(true);
    Ok(value)
}

/// A server that is there answers sooner; one that is not says nothing at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_needs_the_address_of_a_server() {
        for url in ["", "keys.example.com", "ftp://keys.example.com", "http://"] {
            let built = Client::builder(url).build();
            assert!(matches!(built, Err(BuilderError::Url)), "{url}");
        }
        assert!(Client::builder("http://localhost:8080/behind/").build().is_ok());
    }

    #[test]
    fn what_cannot_stand_in_a_header_is_no_credential() {
        for text in ["ks_\n", "ks_\u{0}"] {
            let built = Client::builder("http://localhost").credential(text.into()).build();
            assert!(matches!(built, Err(BuilderError::Credential)), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_certificate_is_no_authority() {
        let broken = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
        let built = Client::builder("https://localhost").authority(broken).build();
        assert!(matches!(built, Err(BuilderError::Authority(_))), "{built:?}");
    }

    #[test]
    fn neither_a_builder_nor_a_client_shows_its_credential() {
        let builder = Client::builder("http://localhost").credential("ks_secret".into());
        assert!(!format!("{builder:?}").contains("ks_secret"));
        let client = builder.build().unwrap();
        assert!(!format!("{client:?} {:?}", client.api_keys()).contains("ks_secret"));
    }
}
