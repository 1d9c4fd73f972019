//! Tickets on the wire.

use serde::{Deserialize, Serialize};

/// A ticket to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "method": "GET",
    "path": "/reports/2026/november.pdf",
    "expires_in_seconds": 120
})))]
pub struct NewTicket {
    /// The method that it is for, in upper case. `GET` includes `HEAD`.
    pub method: String,
    /// The path that it is for, without a query: up to 2,048 bytes.
    pub path: String,
    /// How long it can be used: 1 to 300; left out: 60. Never longer than the credential that asks.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 300, default = 60))]
    pub expires_in_seconds: Option<i64>,
}

/// A ticket: the one answer that has it. A dry run leaves it out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "ticket": "ks_tk_0123456789abcdefghijABCDEFGHIJ0123456789xyz37N1VK",
    "url": "/reports/2026/november.pdf?ticket=ks_tk_0123456789abcdefghijABCDEFGHIJ0123456789xyz37N1VK",
    "expires_at": "2026-11-22T09:02:00Z"
})))]
pub struct Ticket {
    /// The ticket itself; left out of a dry run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// The path with the ticket behind it; left out of a dry run. More parameters may follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// When it ends.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub expires_at: String,
}
