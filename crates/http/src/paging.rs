//! Pages and cursors, alike for every list.

use actix_web::HttpRequest;
use keystile_api::lists::Page;
use keystile_api::problem::ErrorCode;
use keystile_domain::{Direction, Listing, Mark, PageLimit, PageNumber, PageRequest, Start};
use keystile_service::Keystile;

use crate::error::ApiError;
use crate::fields::broken_parameter;
use crate::params::query;

/// The parameters that every list has.
pub(crate) struct Paging<'p> {
    pub(crate) page: Option<i64>,
    pub(crate) limit: Option<i64>,
    pub(crate) sort: Option<&'p str>,
    pub(crate) cursor: Option<&'p str>,
}

/// Defines the parameters of a list: its own, and behind them those that every list has. serde could
/// flatten the latter in, but would then let unknown ones pass.
macro_rules! list_params {
    (
        $(#[$doc:meta])*
        $vis:vis struct $name:ident { $($(#[$about:meta])* $field:ident: $type:ty,)* }
    ) => {
        $(#[$doc])*
        #[derive(::serde::Deserialize, ::utoipa::IntoParams)]
        #[into_params(parameter_in = Query)]
        $vis struct $name {
            $($(#[$about])* $field: $type,)*
            /// Which page, counted from 1.
            #[param(minimum = 1, default = 1)]
            page: Option<i64>,
            /// How many to a page: 1 to 100, 20 unless given.
            #[param(minimum = 1, maximum = 100, default = 20)]
            limit: Option<i64>,
            /// `next_cursor` of the part before.
            cursor: Option<String>,
        }

        impl $name {
            fn paging(&self) -> $crate::paging::Paging<'_> {
                $crate::paging::Paging {
                    page: self.page,
                    limit: self.limit,
                    sort: self.sort.as_deref(),
                    cursor: self.cursor.as_deref(),
                }
            }
        }
    };
}

pub(crate) use list_params;

/// A list, named with its filters: what a cursor is bound to.
pub(crate) struct List {
    name: String,
}

impl List {
    /// The list that a request asks for, wherever in it the request begins.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        let query = query(request);
        let mut filters: Vec<_> = form_urlencoded::parse(query.as_bytes())
            .filter(|(name, _)| !matches!(&**name, "cursor" | "page" | "limit"))
            .collect();
        filters.sort();
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(filters).finish();
        Self { name: format!("{}?{query}", request.path()) }
    }

    /// Which part of the list is asked. `sorts` names what it can be sorted by; `default`
    /// is used where nothing is asked.
    pub(crate) fn request<S: Copy>(
        &self,
        keystile: &Keystile,
        paging: &Paging<'_>,
        sorts: &[(&str, S)],
        default: (S, Direction),
    ) -> Result<PageRequest<S>, ApiError> {
        let (sort, direction) = match paging.sort {
            None => default,
            Some(text) => parse_sort(text, sorts)?,
        };
        let limit = limit(paging.limit)?;
        let start = match (paging.cursor, paging.page) {
            (Some(_), Some(_)) => {
                return Err(broken_parameter("page", "cannot be given together with cursor"));
            }
            (Some(cursor), None) => Start::After(self.mark(keystile, cursor)?),
            (None, None) => Start::Page(PageNumber::default()),
            (None, Some(page)) => Start::Page(
                PageNumber::new(page)
                    .ok_or_else(|| broken_parameter("page", "must be 1 or more"))?,
            ),
        };
        Ok(PageRequest { sort, direction, limit, start })
    }

    /// Where a cursor of this list points to.
    pub(crate) fn mark(&self, keystile: &Keystile, cursor: &str) -> Result<Mark, ApiError> {
        let mark = keystile.mark(&self.name, cursor);
        mark.ok_or_else(|| ApiError::new(ErrorCode::InvalidCursor))
    }

    /// The cursor that continues this list behind a mark.
    pub(crate) fn cursor(&self, keystile: &Keystile, mark: &Mark) -> String {
        keystile.cursor(&self.name, mark)
    }

    /// The part of the list, as it is shown.
    pub(crate) fn page<T, S, V>(
        &self,
        keystile: &Keystile,
        request: &PageRequest<S>,
        listing: Listing<T>,
        view: impl Fn(T) -> V,
    ) -> Page<V> {
        let page = match request.start {
            Start::Page(page) => Some(page.number()),
            Start::After(_) => None,
        };
        Page {
            data: listing.items.into_iter().map(view).collect(),
            total: listing.total,
            page,
            limit: request.limit.rows(),
            next_cursor: listing.next.map(|mark| self.cursor(keystile, &mark)),
        }
    }
}

/// How many things to a part of a list.
pub(crate) fn limit(limit: Option<i64>) -> Result<PageLimit, ApiError> {
    let Some(limit) = limit else { return Ok(PageLimit::default()) };
    PageLimit::new(limit).ok_or_else(|| broken_parameter("limit", "must be from 1 to 100"))
}

fn parse_sort<S: Copy>(text: &str, sorts: &[(&str, S)]) -> Result<(S, Direction), ApiError> {
    let (name, direction) = match text.strip_prefix('-') {
        Some(name) => (name, Direction::Descending),
        None => (text, Direction::Ascending),
    };
    match sorts.iter().find(|(known, _)| *known == name) {
        Some((_, sort)) => Ok((*sort, direction)),
        None => {
            let names: Vec<_> = sorts.iter().map(|(name, _)| *name).collect();
            let names = names.join(", ");
            Err(broken_parameter(
                "sort",
                format_args!("must be one of {names}, with - for descending"),
            ))
        }
    }
}
