//! What all lists share.

use serde::{Deserialize, Serialize};

/// One part of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// The things.
    pub data: Vec<T>,
    /// How many there are in the whole list; `null` when a cursor was given.
    #[cfg_attr(feature = "openapi", schema(example = 1))]
    pub total: Option<i64>,
    /// Which page this is, counted from 1; `null` when a cursor was given.
    #[cfg_attr(feature = "openapi", schema(example = 1))]
    pub page: Option<i64>,
    /// How many things were asked for.
    #[cfg_attr(feature = "openapi", schema(example = 20))]
    pub limit: i64,
    /// What to give as `cursor` for the next part; `null` at the end.
    pub next_cursor: Option<String>,
}
