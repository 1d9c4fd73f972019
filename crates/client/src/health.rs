//! Whether the server is well.

use keystile_api::health::Health;

use crate::repeat::Repeat;
use crate::{Client, Error, Result, operations};

/// What a server says of itself. Nothing of it is asked twice: that it is not well is an answer.
#[derive(Clone, Debug)]
pub struct HealthChecks(pub(crate) Client);

impl HealthChecks {
    /// Whether the process lives.
    pub async fn live(&self) -> Result<Health> {
        let call = self.0.anonymous().call(operations::check_liveness, &[]);
        call.repeat(Repeat::Never).read().await
    }

    /// Whether it can answer, and what it does without at the moment.
    pub async fn ready(&self) -> Result<Health> {
        let call = self.0.anonymous().call(operations::check_readiness, &[]);
        call.repeat(Repeat::Never).read().await
    }

    /// Its metrics, in the text format of OpenMetrics.
    pub async fn metrics(&self) -> Result<String> {
        let heard = self.0.call(operations::show_metrics, &[]).hear(&mut false).await?;
        String::from_utf8(heard.body.into()).or(Err(Error::not_keystile()))
    }
}
