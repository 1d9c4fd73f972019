//! JWTs: what is proved of one is remembered, and so is what it stands for, as long as a decision
//! may believe it.

use std::sync::Arc;
use std::time::Duration;

use keystile_auth::jwt::Unverified;
use keystile_auth::{Deciding, Rejection, Remember};
use keystile_domain::{Credential, Fingerprint, Found, Jwt, Subject};
use tracing::Instrument;

use super::{LookupError, Unidentified};
use crate::Keystile;
use crate::access_tokens::Audience;
use crate::spans::span;
use crate::token_proof::ProvenToken;

/// A JWT that was verified, and the credential that it stands for.
#[derive(Clone, Debug)]
pub(crate) struct Proven {
    credential: Arc<Credential>,
    token: ProvenToken,
    /// When, by the clock that goes on.
    proved_at: Duration,
    /// How long the token is, in bytes.
    length: usize,
}

pub(crate) type Tokens = keystile_auth::Recall<Proven, Arc<LookupError>>;

impl Keystile {
    pub(super) async fn identify_jwt(
        &self,
        deciding: &Deciding<'_>,
        jwt: &Jwt,
    ) -> Result<(Arc<Credential>, ProvenToken), Unidentified> {
        let fingerprint = jwt.fingerprint();
        if let Some(Some(proven)) = self.tokens.recall(&self.trust, deciding, &fingerprint)
            && self.is_still_proof(&proven)
        {
            return Ok((proven.credential, proven.token));
        }
        // Boxed, so that other checks are not made to carry what a signature takes.
        Box::pin(self.read_jwt(jwt)).await
    }

    /// As [`identify_jwt`](Self::identify_jwt), out of no memory.
    pub(crate) async fn read_jwt(
        &self,
        jwt: &Jwt,
    ) -> Result<(Arc<Credential>, ProvenToken), Unidentified> {
        let reading = async {
            let learnt = self.trust.learning();
            let proved_at = self.clock.elapsed();
            let token = self.prove(jwt).await?;
            let credential = self.resolve(&token).await?;
            let proven = Proven {
                credential: Arc::clone(&credential),
                token: token.clone(),
                proved_at,
                length: jwt.expose().len(),
            };
            self.tokens.learn(&jwt.fingerprint(), learnt, proven);
            Ok((credential, token))
        };
        reading.instrument(span!("look up a token")).await
    }

    /// What was proved of a JWT that this node has verified, as far as it may believe that.
    pub(crate) fn recall_proof(&self, fingerprint: &Fingerprint) -> Option<ProvenToken> {
        let deciding = self.verifier.begin();
        let proven = self.tokens.recall(&self.trust, &deciding, fingerprint)?;
        let proven = proven.filter(|proven| self.is_still_proof(proven));
        proven.map(|proven| proven.token)
    }

    /// Whether the key that a token was signed with is still known to be its issuer's: no event
    /// tells of a key that an OpenID provider withdraws.
    fn is_still_proof(&self, proven: &Proven) -> bool {
        let is_foreign = matches!(proven.token, ProvenToken::Foreign(_));
        !is_foreign || self.clock.elapsed().saturating_sub(proven.proved_at) < FOREIGN_PROOF
    }

    /// Verifies a JWT: by our own keys if it says that it is ours, else by those of the OpenID
    /// provider that it names.
    async fn prove(&self, jwt: &Jwt) -> Result<ProvenToken, Unidentified> {
        let issuer = Unverified::parse(jwt).map_err(Rejection::Untrusted)?;
        if issuer.unverified_issuer() == self.issuer {
            let (token, _) = self.verify_own(jwt, Audience::Ourselves).await?;
            return Ok(ProvenToken::Own(Arc::new(token)));
        }
        Ok(ProvenToken::Foreign(Arc::new(self.prove_foreign(jwt).await?)))
    }
}

impl Remember for Proven {
    fn subjects(&self) -> Vec<Subject> {
        let mut subjects = Found::Credential(Arc::clone(&self.credential)).subjects();
        subjects.extend(self.token.id().map(Subject::named));
        subjects
    }

    fn bytes(&self) -> usize {
        // What a token says takes more room than its text: names, numbers and lists of their own.
        self.credential.bytes() + size_of::<Self>() + 4 * self.length
    }
}

/// How long what another issuer has signed is not verified again. Its keys are asked for anew as
/// often, at most.
const FOREIGN_PROOF: Duration = Duration::from_secs(5 * 60);
