//! Who judges credentials from memory, and how far each of them has followed what was changed.

use keystile_api::leases::{Lease, LeaseRequest, VerifierSettings};
use keystile_api::verifiers::Verifiers as Nodes;

use crate::{Client, Result, operations};

/// The verifiers of a server.
#[derive(Clone, Debug)]
pub struct Verifiers(pub(crate) Client);

impl Verifiers {
    /// The nodes of the cluster, and how far each of them is.
    pub async fn list(&self) -> Result<Nodes> {
        self.0.call(operations::list_verifiers, &[]).read().await
    }

    /// What a verifier must know before it reads a credential.
    pub async fn settings(&self) -> Result<VerifierSettings> {
        self.0.call(operations::show_verifier_settings, &[]).read().await
    }

    /// Asks how long a verifier may go on answering from memory.
    pub async fn extend_lease(&self, asked: &LeaseRequest) -> Result<Lease> {
        self.0.call(operations::extend_lease, &[]).json(asked).read().await
    }
}
