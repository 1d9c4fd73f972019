//! What everybody may know of the server, at places that standards name.

use keystile_api::well_known::{JwkSet, ServerMetadata};

use crate::{Client, Result, operations};

/// What a server tells everybody.
#[derive(Clone, Debug)]
pub struct WellKnown(pub(crate) Client);

impl WellKnown {
    /// The public keys that access tokens are signed with (RFC 7517).
    pub async fn signing_keys(&self) -> Result<JwkSet> {
        self.0.anonymous().call(operations::list_signing_keys, &[]).read().await
    }

    /// How the server issues tokens (RFC 8414).
    pub async fn server_metadata(&self) -> Result<ServerMetadata> {
        self.0.anonymous().call(operations::show_server_metadata, &[]).read().await
    }
}
