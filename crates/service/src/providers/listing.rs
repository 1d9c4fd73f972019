//! Which providers a list shows, in which order. They are few: what a database does for other
//! things is done here.

use std::cmp::Ordering;

use keystile_domain::{
    Direction, Listing, Mark, MarkKey, NamePattern, PageRequest, Provider, ProviderKind, Start,
};
use keystile_storage::StoreError;

use crate::ServiceError;

/// Which providers a list shows; what is `None` is not asked.
#[derive(Clone, Debug, Default)]
pub struct ProviderFilter {
    /// Those whose name matches.
    pub name: Option<NamePattern>,
    /// Those of this kind.
    pub kind: Option<ProviderKind>,
    /// Those that are switched on, or off.
    pub enabled: Option<bool>,
}

/// What a list of providers can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderSort {
    /// By the time they were made.
    CreatedAt,
    /// By name, without case.
    Name,
    /// By their place.
    Priority,
}

impl ProviderFilter {
    fn lets_through(&self, provider: &Provider) -> bool {
        self.kind.is_none_or(|kind| provider.kind == kind)
            && self.enabled.is_none_or(|enabled| provider.enabled == enabled)
            && self.name.as_ref().is_none_or(|pattern| pattern.matches(&provider.name))
    }
}

/// One part of the list.
pub(super) fn page(
    providers: Vec<Provider>,
    filter: &ProviderFilter,
    page: &PageRequest<ProviderSort>,
) -> Result<Listing<Provider>, ServiceError> {
    let matching = providers.into_iter().filter(|provider| filter.lets_through(provider));
    let mut marked: Vec<(Mark, Provider)> =
        matching.map(|provider| (mark(&provider, page.sort), provider)).collect();
    let in_order = |one: &Mark, other: &Mark| match page.direction {
        Direction::Ascending => compare(one, other),
        Direction::Descending => compare(other, one),
    };
    marked.sort_by(|(one, _), (other, _)| in_order(one, other));
    let (total, skipped) = match &page.start {
        Start::Page(number) => {
            (i64::try_from(marked.len()).ok(), usize::try_from(number.offset(page.limit)).ok())
        }
        Start::After(mark) => {
            if !is_of(mark, page.sort) {
                return Err(StoreError::ForeignMark.into());
            }
            (None, Some(marked.partition_point(|(it, _)| in_order(it, mark) != Ordering::Greater)))
        }
    };
    let limit = usize::try_from(page.limit.rows()).unwrap_or(usize::MAX);
    let mut rest = marked.into_iter().skip(skipped.unwrap_or(usize::MAX));
    let part: Vec<_> = rest.by_ref().take(limit).collect();
    let next = rest.next().and_then(|_| part.last().map(|(mark, _)| mark.clone()));
    Ok(Listing { items: part.into_iter().map(|(_, provider)| provider).collect(), total, next })
}

fn mark(provider: &Provider, sort: ProviderSort) -> Mark {
    let key = match sort {
        ProviderSort::CreatedAt => MarkKey::Number(provider.created_at.as_millis()),
        ProviderSort::Name => MarkKey::Text(provider.name.folded()),
        ProviderSort::Priority => MarkKey::Number(provider.priority.into()),
    };
    Mark { key, id: provider.id.to_string() }
}

fn is_of(mark: &Mark, sort: ProviderSort) -> bool {
    matches!(mark.key, MarkKey::Text(_)) == (sort == ProviderSort::Name)
}

fn compare(one: &Mark, other: &Mark) -> Ordering {
    let keys = match (&one.key, &other.key) {
        (MarkKey::Number(one), MarkKey::Number(other)) => one.cmp(other),
        (MarkKey::Text(one), MarkKey::Text(other)) => one.cmp(other),
        (MarkKey::Number(_), MarkKey::Text(_)) => Ordering::Less,
        (MarkKey::Text(_), MarkKey::Number(_)) => Ordering::Greater,
    };
    keys.then_with(|| one.id.cmp(&other.id))
}
