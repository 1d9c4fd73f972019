//! From plain members to the domain's types, with every broken rule in one answer.

use std::fmt;
use std::str::FromStr;

use keystile_api::patch::Patch;
use keystile_api::problem::{ErrorCode, FieldError};
use keystile_domain::{IdError, Timestamp};
use keystile_service::{Broken, ServiceError};

use crate::error::ApiError;

/// Reads members one by one and remembers what is wrong with each.
#[derive(Default)]
pub(crate) struct Fields {
    /// Where in the body the members are.
    at: String,
    broken: Vec<Broken>,
}

impl Fields {
    /// Reads the members of a part of the body.
    pub(crate) fn below(at: &str) -> Self {
        Self { at: at.to_owned(), broken: Vec::new() }
    }

    /// The value, or nothing and a note that the member breaks a rule.
    pub(crate) fn read<T, E: fmt::Display>(
        &mut self,
        pointer: &str,
        value: Result<T, E>,
    ) -> Option<T> {
        match value {
            Ok(value) => Some(value),
            Err(rule) => {
                self.refuse(pointer, rule);
                None
            }
        }
    }

    /// Notes that a member breaks a rule.
    pub(crate) fn refuse(&mut self, pointer: &str, rule: impl fmt::Display) {
        if self.broken.len() == MAX_ITEMS {
            return;
        }
        let pointer = format!("{}{pointer}", self.at);
        self.broken.push(Broken { pointer, detail: rule.to_string() });
    }

    /// A member that may be left out.
    pub(crate) fn optional<W, T, E: fmt::Display>(
        &mut self,
        pointer: &str,
        value: Option<W>,
        parse: impl FnOnce(W) -> Result<T, E>,
    ) -> Option<T> {
        value.and_then(|value| self.read(pointer, parse(value)))
    }

    /// Each item of a list of at most 200.
    pub(crate) fn list<W, T, E: fmt::Display>(
        &mut self,
        pointer: &str,
        values: Vec<W>,
        parse: impl Fn(W) -> Result<T, E>,
    ) -> Vec<T> {
        if values.len() > MAX_ITEMS {
            self.refuse(pointer, format_args!("must have at most {MAX_ITEMS} items"));
            return Vec::new();
        }
        let items = values.into_iter().enumerate();
        items.filter_map(|(at, item)| self.read(&format!("{pointer}/{at}"), parse(item))).collect()
    }

    /// A member of a merge patch that `null` clears: `None` if it stays.
    pub(crate) fn clearable<W, T, E: fmt::Display>(
        &mut self,
        pointer: &str,
        patch: Patch<W>,
        parse: impl FnOnce(W) -> Result<T, E>,
    ) -> Option<Option<T>> {
        match patch {
            Patch::Absent => None,
            Patch::Null => Some(None),
            Patch::Value(value) => self.read(pointer, parse(value)).map(Some),
        }
    }

    /// A member of a merge patch that cannot be cleared.
    pub(crate) fn replaceable<W, T, E: fmt::Display>(
        &mut self,
        pointer: &str,
        patch: Patch<W>,
        parse: impl FnOnce(W) -> Result<T, E>,
    ) -> Option<T> {
        match patch {
            Patch::Absent => None,
            Patch::Null => {
                self.refuse(pointer, "cannot be cleared");
                None
            }
            Patch::Value(value) => self.read(pointer, parse(value)),
        }
    }

    /// A list in a merge patch: replaced as a whole, emptied by `null`; `None` if it stays.
    pub(crate) fn replaced_list<W, T, E: fmt::Display>(
        &mut self,
        pointer: &str,
        patch: Patch<Vec<W>>,
        parse: impl Fn(W) -> Result<T, E>,
    ) -> Option<Vec<T>> {
        match patch {
            Patch::Absent => None,
            Patch::Null => Some(Vec::new()),
            Patch::Value(values) => Some(self.list(pointer, values, parse)),
        }
    }

    /// What was built of the members, if none of them breaks a rule.
    ///
    /// `build` gives nothing only where a member was refused.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T, ServiceError> {
        match value {
            Some(value) if self.broken.is_empty() => Ok(value),
            _ => Err(ServiceError::Broken(self.broken)),
        }
    }
}

/// The value of a word, or which words there are.
pub(crate) fn word<T: Copy + ToString + FromStr<Err = IdError>>(
    text: &str,
    all: &[T],
) -> Result<T, String> {
    let words: Vec<_> = all.iter().map(ToString::to_string).collect();
    let known = words.iter().any(|word| word == text);
    let value = text.parse().ok().filter(|_| known);
    value.ok_or_else(|| format!("must be one of {}", words.join(", ")))
}

/// The name of a query parameter that breaks a rule.
pub(crate) fn broken_parameter(name: &str, rule: impl fmt::Display) -> ApiError {
    let error = FieldError { pointer: name.to_owned(), detail: rule.to_string() };
    ApiError::new(ErrorCode::InvalidRequest).errors(vec![error])
}

/// A query parameter that names a moment.
pub(crate) fn moment(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, ApiError> {
    let moment = text.map(str::parse::<Timestamp>).transpose();
    moment.map_err(|rule| broken_parameter(name, rule))
}

const MAX_ITEMS: usize = 200;
