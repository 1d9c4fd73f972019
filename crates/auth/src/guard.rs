//! Judging whole requests: from what a framework received to a grant or a refusal, in one way for
//! every adapter.

use std::future::Future;
use std::sync::Arc;

use keystile_domain::{
    Context, CredentialStore, CredentialText, Decision, Denial, Endpoint, Grant, PermissionQuery,
    PermissionQueryError, Rule, Source,
};

use crate::{
    Chain, ClientOrigin, Clock, Networks, Presented, Refused, Rejection, RequestView, TokenError,
    TrustedProxies, Verifier,
};

/// Whoever answers "may it?" for a [`Guard`].
///
/// A [`Verifier`] over a store of your own is one. It knows no issuer, so it believes no JWT.
pub trait Verify: Send + Sync + 'static {
    /// Judges a credential.
    ///
    /// # Errors
    ///
    /// [`Refused`] if there is no credential to judge, a limit is used up, or nobody can say. A
    /// rule's no is a [`Decision`].
    fn verify(
        &self,
        text: &CredentialText,
        context: &Context<'_>,
    ) -> impl Future<Output = Result<Decision, Refused>> + Send;

    /// Where in a request a credential may stand.
    fn chain(&self) -> Arc<Chain> {
        Arc::new(Chain::default())
    }
}

/// What stands before a service, or a part of it: it lets a request in or refuses it.
///
/// A new guard lets in whoever shows a valid credential; [`requiring`](Self::requiring) asks for
/// more. It is cheap to clone, and meant to be: one for each part of a service.
///
/// Plain HTTP counts as secure from the loopback interface alone. Behind a proxy that ends TLS, say
/// so [`with_proxies`](Self::with_proxies); otherwise every credential is refused whose provider
/// does not accept plain HTTP, as none does by default.
#[derive(Debug)]
pub struct Guard<V>(Arc<Post<V>>);

#[derive(Debug)]
struct Post<V> {
    verifier: Arc<V>,
    /// Where a credential may stand; `None`: where the verifier says.
    chain: Option<Arc<Chain>>,
    proxies: TrustedProxies,
    insecure_http_from: Networks,
    permission: Option<PermissionQuery>,
    asks_endpoint: bool,
}

impl<V: Verify> Guard<V> {
    /// A guard for whoever shows a valid credential.
    #[must_use]
    pub fn new(verifier: impl Into<Arc<V>>) -> Self {
        Self(Arc::new(Post {
            verifier: verifier.into(),
            chain: None,
            proxies: TrustedProxies::default(),
            insecure_http_from: Networks::loopback(),
            permission: None,
            asks_endpoint: false,
        }))
    }

    /// The same guard, for credentials at these places and no others.
    #[must_use]
    pub fn with_chain(&self, chain: Chain) -> Self {
        self.but(|post| post.chain = Some(Arc::new(chain)))
    }

    /// The same guard, which believes these proxies about their clients.
    #[must_use]
    pub fn with_proxies(&self, proxies: TrustedProxies) -> Self {
        self.but(|post| post.proxies = proxies)
    }

    /// The same guard, for which plain HTTP from these networks is secure: a container network,
    /// say.
    #[must_use]
    pub fn with_insecure_http_from(&self, networks: Networks) -> Self {
        self.but(|post| post.insecure_http_from = networks)
    }

    /// The same guard, for those alone who hold a permission, or what an expression such as
    /// `"invoices.read and (a.b or c.d)"` asks.
    ///
    /// # Errors
    ///
    /// [`PermissionQueryError`] if the text is no such expression.
    pub fn requiring(&self, permission: &str) -> Result<Self, PermissionQueryError> {
        let permission = permission.parse()?;
        Ok(self.but(|post| post.permission = Some(permission)))
    }

    /// The same guard, for those alone whose roles open the endpoint that is asked: its method and
    /// its whole path.
    #[must_use]
    pub fn requiring_endpoint(&self) -> Self {
        self.but(|post| post.asks_endpoint = true)
    }

    /// Judges a request for this method and this path.
    ///
    /// The request is read before this returns: the future holds nothing of it.
    ///
    /// # Errors
    ///
    /// [`Refused`] says why it is not let in, and [`Refused::problem`] what its client is told.
    pub fn check<R: RequestView>(
        &self,
        request: &R,
        method: &str,
        path: &str,
    ) -> impl Future<Output = Result<Grant, Refused>> + Send + use<'_, V, R> {
        let read = self.read(request);
        let endpoint = self.0.asks_endpoint.then(|| Endpoint::new(method, path).ok());
        async move {
            let (Presented { text, place }, origin) = read?;
            let known = !origin.address.is_unspecified();
            let context = Context {
                source: Some(Source { carrier: place.carrier(), name: Some(place.name()) }),
                transport: Some(origin.transport),
                address: known.then_some(origin.address),
                permission: self.0.permission.as_ref(),
                endpoint: endpoint.as_ref().map(Option::as_ref),
            };
            match self.0.verifier.verify(&text, &context).await? {
                Decision::Allow(grant) => Ok(grant),
                Decision::Deny(denial) => Err(self.denied(denial)),
            }
        }
    }

    fn read(&self, request: &impl RequestView) -> Result<(Presented, ClientOrigin), Refused> {
        let origin = self.0.proxies.origin(request, &self.0.insecure_http_from)?;
        let presented = match &self.0.chain {
            Some(chain) => chain.extract(request)?,
            None => self.0.verifier.chain().extract(request)?,
        };
        Ok((presented.ok_or(Refused::Absent)?, origin))
    }

    fn denied(&self, denial: Denial) -> Refused {
        let asked = self.0.permission.as_ref().filter(|_| denial.rule() == Rule::PermissionsHeld);
        let held = &denial.credential().rights.permissions;
        let missing = asked.map(|asked| asked.missing(held)).unwrap_or_default();
        Refused::Denied { denial, missing }
    }

    fn but(&self, change: impl FnOnce(&mut Post<V>)) -> Self {
        let mut post = Post::clone(&self.0);
        change(&mut post);
        Self(Arc::new(post))
    }
}

impl<V> Clone for Guard<V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<V> Clone for Post<V> {
    fn clone(&self) -> Self {
        Self {
            verifier: Arc::clone(&self.verifier),
            chain: self.chain.clone(),
            proxies: self.proxies.clone(),
            insecure_http_from: self.insecure_http_from.clone(),
            permission: self.permission.clone(),
            asks_endpoint: self.asks_endpoint,
        }
    }
}

impl<S, C> Verify for Verifier<S, C>
where
    S: CredentialStore + 'static,
    C: Clock + 'static,
{
    async fn verify(
        &self,
        text: &CredentialText,
        context: &Context<'_>,
    ) -> Result<Decision, Refused> {
        match text {
            CredentialText::Secret(secret) => Ok(self.check(secret, context).await?),
            CredentialText::Jwt(_) => {
                Err(Rejection::<S::Error>::Untrusted(TokenError::Issuer).into())
            }
        }
    }
}

#[cfg(test)]
mod tests;
