//! Which keys deserve somebody's attention.

use futures_util::Stream;
use keystile_api::insights::{Insights as Report, OverGrantedKey};
use keystile_api::lists::Page;
use serde::Serialize;

use crate::{Client, Paging, Result, lists, operations};

/// The insights of a server.
#[derive(Clone, Debug)]
pub struct Insights(pub(crate) Client);

/// What counts as old, unused and expiring. The default: 7, 90 and 30 days.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct InsightFilter {
    /// A key that was not let in for so many days is unused: 0 to 3,650.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unused_days: Option<i64>,
    /// A key that ends within so many days is expiring: 0 to 3,650.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiring_days: Option<i64>,
    /// Only a key that was made so many days ago is one that was never used, or that was granted too
    /// much: 0 to 3,650.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub older_than_days: Option<i64>,
}

/// Which keys that were granted too much are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OverGrantedFilter {
    /// Only keys that were made so many days ago: 0 to 3,650; `None`: 7.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub older_than_days: Option<i64>,
    /// Which part of the list; it has neither pages nor another order.
    #[serde(flatten)]
    pub paging: Paging,
}

impl Insights {
    /// All of them: how many keys of each kind, and the first ten.
    pub async fn show(&self, filter: &InsightFilter) -> Result<Report> {
        self.0.call(operations::show_insights, &[]).query(filter).read().await
    }

    /// One part of the list of keys that may do more than they were ever needed for.
    pub async fn over_granted(&self, filter: &OverGrantedFilter) -> Result<Page<OverGrantedKey>> {
        self.0.call(operations::list_over_granted_keys, &[]).query(filter).read().await
    }

    /// The whole list of them.
    pub fn stream_over_granted(
        &self,
        filter: OverGrantedFilter,
    ) -> impl Stream<Item = Result<OverGrantedKey>> + Send + use<> {
        let this = self.clone();
        lists::all(filter.paging.clone(), move |paging| {
            let (this, filter) = (this.clone(), OverGrantedFilter { paging, ..filter.clone() });
            async move { this.over_granted(&filter).await }
        })
    }
}
