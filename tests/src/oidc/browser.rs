//! The authorization code flow (RFC 6749, section 4.1, with PKCE), walked by a browser without a
//! window.

use reqwest::{Client, Url, redirect::Policy};
use serde_json::Value;

/// A client that the provider knows.
#[derive(Debug)]
pub(super) struct Registered {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) callback: String,
}

impl Registered {
    /// Signs a user in with a fresh browser and exchanges the code; the token endpoint's answer.
    /// `extra` is sent to both endpoints beside what the flow needs.
    pub(super) async fn sign_in(
        &self,
        issuer: &str,
        subject: &str,
        scope: &str,
        extra: &[(&str, &str)],
    ) -> Value {
        let code = self.code(issuer, subject, scope, extra).await;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("code_verifier", VERIFIER),
            ("redirect_uri", &self.callback),
        ];
        form.extend(extra);
        self.tokens(issuer, &form).await
    }

    /// Asks the token endpoint as this client; its answer.
    ///
    /// # Panics
    /// If it refuses.
    pub(super) async fn tokens(&self, issuer: &str, form: &[(&str, &str)]) -> Value {
        let client = Client::builder().no_proxy().build().expect("a plain client");
        let request = client.post(format!("{issuer}/token"));
        let request = request.basic_auth(&self.id, Some(&self.secret)).form(form);
        crate::Answer::to(request).await.expect("the provider answers").expect(200).body
    }

    async fn code(
        &self,
        issuer: &str,
        subject: &str,
        scope: &str,
        extra: &[(&str, &str)],
    ) -> String {
        let mut query = vec![
            ("response_type", "code"),
            ("client_id", &self.id),
            ("redirect_uri", &self.callback),
            ("scope", scope),
            ("login_hint", subject),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        query.extend(extra);
        let request = self.browser().get(format!("{issuer}/auth")).query(&query);
        let answer = crate::Answer::to(request).await.expect("the provider answers");
        let back = Url::parse(answer.header("location"))
            .unwrap_or_else(|_| panic!("not sent back: {answer}"));
        let code = back.query_pairs().find(|(name, _)| name == "code");
        code.unwrap_or_else(|| panic!("no code: {back}")).1.into_owned()
    }

    /// Follows all redirects but the last, to the client itself.
    fn browser(&self) -> Client {
        let callback = self.callback.clone();
        let until_called_back = Policy::custom(move |attempt| {
            if attempt.url().as_str().starts_with(&callback) {
                attempt.stop()
            } else {
                attempt.follow()
            }
        });
        let browser = Client::builder().no_proxy().cookie_store(true).redirect(until_called_back);
        browser.build().expect("a plain browser")
    }
}

/// The example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
