//! What all lists share: which part of one is asked, and how the parts become one stream.

use std::future::Future;

use futures_util::{Stream, TryStreamExt, stream};
use keystile_api::lists::Page;
use serde::Serialize;

use crate::Result;

/// Which part of a list is asked, and in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Paging {
    /// What to sort by, with `-` in front for descending; `None`: as the list is by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    /// The page, counted from 1. Not together with a cursor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<i64>,
    /// How many things: 1 to 100; `None`: 20, or 100 of a stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// `next_cursor` of the part before: at any depth as fast as at the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// The things of a whole list, part by part, as they are asked for.
pub(crate) fn all<T, F>(
    paging: Paging,
    list: impl Fn(Paging) -> F + Send + 'static,
) -> impl Stream<Item = Result<T>> + Send + 'static
where
    T: Send + 'static,
    F: Future<Output = Result<Page<T>>> + Send,
{
    let first = Paging { limit: paging.limit.or(Some(LARGEST)), ..paging };
    let parts = stream::try_unfold((Some(first), list), |(paging, list)| async move {
        let Some(paging) = paging else { return Ok(None) };
        let part = list(paging.clone()).await?;
        let next =
            part.next_cursor.map(|cursor| Paging { cursor: Some(cursor), page: None, ..paging });
        let things = stream::iter(part.data.into_iter().map(Ok));
        Ok(Some((things, (next, list))))
    });
    parts.try_flatten()
}

/// The largest part that the server gives.
const LARGEST: i64 = 100;
