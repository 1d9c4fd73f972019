//! Parts of lists: the same filters, order, limits and marks for every resource.

use keystile_domain::{Direction, Mark, MarkKey, PageLimit};

use crate::columns::parameter;

/// Keeps the rows of a boxed query whose folded name matches a pattern.
macro_rules! named {
    ($query:expr, $name:expr, $pattern:expr) => {{
        let like = $crate::pattern::Like::new($pattern);
        let query = $query
            .filter($name.ge(like.from))
            .filter($name.like(like.pattern).escape($crate::pattern::ESCAPE));
        match like.below {
            Some(below) => query.filter($name.lt(below)),
            None => query,
        }
    }};
}

/// Keeps the rows of a boxed query whose credential was made before a moment, and not let in since.
macro_rules! unused {
    ($query:expr, $moment:expr, $table:ident) => {{
        use $crate::schema::last_uses;
        let moment = $moment;
        let used = last_uses::table
            .filter(last_uses::credential_id.eq($table::id))
            .filter(last_uses::at.ge(moment));
        let used = ::diesel::dsl::exists(used);
        $query.filter($table::created_at.lt(moment)).filter(::diesel::dsl::not(used))
    }};
}

/// Sorts a boxed query by a column and the id, and cuts the part out of it that a page asks for,
/// and one row more, which tells whether others follow.
///
/// What stands behind a mark is asked by comparing pairs, which diesel cannot write: only so does
/// an index lead there at once, however many rows are equal in the column.
macro_rules! part {
    ($query:expr, $page:expr, $key:path, $key_of:expr, $id:path, $id_of:expr) => {{
        use ::diesel::{Column, Expression};
        let query = match &$page.start {
            ::keystile_domain::Start::Page(number) => $query.offset(number.offset($page.limit)),
            ::keystile_domain::Start::After(mark) => {
                let key = $key_of(mark).ok_or($crate::StoreError::ForeignMark)?;
                let id = $id_of(mark).ok_or($crate::StoreError::ForeignMark)?;
                let pair = (<$key>::NAME, <$id>::NAME);
                let opening = $crate::listing::behind(pair, $page.direction);
                let behind = ::diesel::dsl::sql::<::diesel::sql_types::Bool>(&opening)
                    .bind::<<$key as Expression>::SqlType, _>(key)
                    .sql(", ")
                    .bind::<<$id as Expression>::SqlType, _>(id)
                    .sql(")");
                $query.filter(behind)
            }
        };
        let query = query.limit($page.limit.rows() + 1);
        match $page.direction {
            ::keystile_domain::Direction::Ascending => query.order(($key.asc(), $id.asc())),
            ::keystile_domain::Direction::Descending => query.order(($key.desc(), $id.desc())),
        }
    }};
}

pub(crate) use {named, part, unused};

/// The beginning of a comparison of two columns with two values that follow.
pub(crate) fn behind((key, id): (&str, &str), direction: Direction) -> String {
    let operator = match direction {
        Direction::Ascending => '>',
        Direction::Descending => '<',
    };
    format!("({key}, {id}) {operator} (")
}

/// The value of a mark in a list that is sorted by a number.
pub(crate) fn number(mark: &Mark) -> Option<i64> {
    match &mark.key {
        MarkKey::Number(number) => Some(*number),
        MarkKey::Text(_) => None,
    }
}

/// The value of a mark in a list that is sorted by a text.
pub(crate) fn text(mark: &Mark) -> Option<String> {
    match &mark.key {
        MarkKey::Number(_) => None,
        MarkKey::Text(text) => Some(parameter(text)),
    }
}

/// The id of a mark where ids are texts.
pub(crate) fn text_id(mark: &Mark) -> Option<String> {
    Some(parameter(&mark.id))
}

/// The id of a mark where ids are numbers.
pub(crate) fn number_id(mark: &Mark) -> Option<i64> {
    mark.id.parse().ok()
}

/// Drops the row that was read beyond the limit, and then marks the last one that stays.
pub(crate) fn cut<R>(
    rows: &mut Vec<R>,
    limit: PageLimit,
    mark: impl FnOnce(&R) -> Mark,
) -> Option<Mark> {
    let limit = usize::try_from(limit.rows()).unwrap_or(usize::MAX);
    let others_follow = rows.len() > limit;
    rows.truncate(limit);
    rows.last().filter(|_| others_follow).map(mark)
}
