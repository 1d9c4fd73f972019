//! The audit log: who changed what.

use futures_util::Stream;
use keystile_api::audit_events::{AuditEvent, ChainReport};
use keystile_api::lists::Page;
use serde::Serialize;
use uuid::Uuid;

use crate::{Client, Paging, Result, lists, operations};

/// The audit log of a server.
#[derive(Clone, Debug)]
pub struct AuditEvents(pub(crate) Client);

/// Which events are listed. The default: all, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AuditEventFilter {
    /// Only events that say this was done: `api_key.created`, say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Only events of this principal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<Uuid>,
    /// Only events made with this credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<Uuid>,
    /// Only events about this kind of thing: `api_key`, say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_kind: Option<String>,
    /// Only events about the thing with this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_id: Option<String>,
    /// Only events of this request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Only events at or after this time (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Only events before this time (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Which part of the list; sorted by `seq`.
    #[serde(flatten)]
    pub paging: Paging,
}

impl AuditEvents {
    /// One part of the list.
    pub async fn list(&self, filter: &AuditEventFilter) -> Result<Page<AuditEvent>> {
        self.0.call(operations::list_audit_events, &[]).query(filter).read().await
    }

    /// The whole list.
    pub fn stream(
        &self,
        filter: AuditEventFilter,
    ) -> impl Stream<Item = Result<AuditEvent>> + Send + use<> {
        let this = self.clone();
        lists::all(filter.paging.clone(), move |paging| {
            let (this, filter) = (this.clone(), AuditEventFilter { paging, ..filter.clone() });
            async move { this.list(&filter).await }
        })
    }

    /// Has the server walk along the sealed log, from its beginning to its end.
    pub async fn verify(&self) -> Result<ChainReport> {
        self.0.call(operations::verify_audit_events, &[]).patiently().read().await
    }
}
