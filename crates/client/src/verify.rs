//! Checking credentials.

use keystile_api::verify::{Verdict, Verdicts, VerifyBatch, VerifyRequest};

use crate::repeat::Repeat;
use crate::{Client, Result, operations};

/// Checking credentials at a server.
///
/// A check counts against the limits of the credential, so it is sent again only if the server
/// certainly has not heard it.
#[derive(Clone, Debug)]
pub struct Verify(pub(crate) Client);

impl Verify {
    /// Checks a credential. One that is not valid is a verdict too, and a refusal only of a
    /// question that is `strict`.
    pub async fn check(&self, asked: &VerifyRequest) -> Result<Verdict<'static>> {
        let call = self.0.call(operations::verify_credential, &[]).json(asked);
        // Asked strictly, that a limit is used up is the answer.
        let call = if asked.strict { call.repeat(Repeat::Never) } else { call };
        call.read().await
    }

    /// Checks up to 1,000 credentials at once.
    pub async fn check_batch(&self, asked: &VerifyBatch) -> Result<Verdicts<'static>> {
        self.0.call(operations::verify_credentials, &[]).json(asked).patiently().read().await
    }
}
