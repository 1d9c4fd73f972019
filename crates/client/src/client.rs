//! The client itself: a connection to one server, and the way to each of its resources.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderValue;
use secrecy::SecretString;
use url::Url;
use uuid::Uuid;

use crate::api_keys::ApiKeys;
use crate::audit_events::AuditEvents;
use crate::auth::Auth;
use crate::builder::authorization;
use crate::changes::Changes;
use crate::forward_auth::ForwardAuth;
use crate::health::HealthChecks;
use crate::insights::Insights;
use crate::lookups::Lookups;
use crate::me::Me;
use crate::oauth::OAuth;
use crate::providers::Providers;
use crate::roles::Roles;
use crate::tickets::Tickets;
use crate::tokens::{OwnTokens, UserTokens};
use crate::users::Users;
use crate::verifiers::Verifiers;
use crate::verify::Verify;
use crate::well_known::WellKnown;
use crate::{BuilderError, ClientBuilder};

/// A Keystile server, asked with one credential, or none. Cheap to clone: clones share their
/// connections.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
    authorization: Option<HeaderValue>,
}

#[derive(Debug)]
struct Shared {
    http: reqwest::Client,
    server: Url,
    timeout: Duration,
    patience: Duration,
}

macro_rules! resources {
    ($($(#[$doc:meta])* $name:ident: $resource:ident,)+) => {
        $($(#[$doc])* #[must_use] pub fn $name(&self) -> $resource { $resource(self.clone()) })+
    };
}

impl Client {
    /// A client for the server at this address, with or without a path in front of `/api`.
    pub fn builder(url: &str) -> ClientBuilder {
        ClientBuilder::new(url)
    }

    /// The same connections with another credential.
    ///
    /// # Errors
    ///
    /// [`BuilderError::Credential`] if it has characters that none may have.
    pub fn with_credential(&self, credential: &SecretString) -> Result<Self, BuilderError> {
        Ok(Self { authorization: Some(authorization(credential)?), ..self.clone() })
    }

    /// The same connections without a credential.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        Self { authorization: None, ..self.clone() }
    }

    /// Where the server is.
    #[must_use]
    pub fn server(&self) -> &Url {
        &self.shared.server
    }

    resources! {
        /// API keys.
        api_keys: ApiKeys,
        /// Who changed what.
        audit_events: AuditEvents,
        /// Signing in with a password.
        auth: Auth,
        /// The feed of changes.
        changes: Changes,
        /// What a gateway asks about the caller's own credential.
        forward_auth: ForwardAuth,
        /// Whether the server is well.
        health: HealthChecks,
        /// Which keys deserve attention.
        insights: Insights,
        /// What is known of a credential.
        lookups: Lookups,
        /// Who the caller is.
        me: Me,
        /// The endpoints of OAuth.
        oauth: OAuth,
        /// One's own personal access tokens.
        own_tokens: OwnTokens,
        /// Ways to authenticate.
        providers: Providers,
        /// Roles.
        roles: Roles,
        /// URLs for clients that cannot set headers.
        tickets: Tickets,
        /// Users and service accounts.
        users: Users,
        /// Who judges credentials, and how far each has followed.
        verifiers: Verifiers,
        /// Checking credentials.
        verify: Verify,
        /// What everybody may know of the server.
        well_known: WellKnown,
    }

    /// The tokens of a user or service account.
    #[must_use]
    pub fn user_tokens(&self, user: Uuid) -> UserTokens {
        UserTokens { client: self.clone(), user }
    }

    pub(crate) fn new(
        http: reqwest::Client,
        server: Url,
        authorization: Option<HeaderValue>,
        timeout: Duration,
        patience: Duration,
    ) -> Self {
        Self { shared: Arc::new(Shared { http, server, timeout, patience }), authorization }
    }

    pub(crate) fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.shared.http
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.shared.timeout
    }

    pub(crate) fn patience(&self) -> Duration {
        self.shared.patience
    }
}
