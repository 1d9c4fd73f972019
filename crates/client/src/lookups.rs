//! What is known of a credential, unjudged: for verifiers that judge by themselves.

use keystile_api::lookups::{Lookup, LookupRequest};

use crate::repeat::Repeat;
use crate::{Client, Result, operations};

/// Looking credentials up.
#[derive(Clone, Debug)]
pub struct Lookups(pub(crate) Client);

impl Lookups {
    /// Everything that a decision about a credential depends on.
    pub async fn look_up(&self, asked: &LookupRequest) -> Result<Lookup<'static>> {
        let call = self.0.call(operations::look_credential_up, &[]);
        call.json(asked).repeat(Repeat::Always).read().await
    }
}
