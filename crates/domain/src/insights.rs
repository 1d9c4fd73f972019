//! What a credential needed when it was let in, and what it holds beyond that.
//!
//! A module of its own because it looks back: `decide` says what a credential may, this says what
//! of it was ever needed.
//!
//! - [`Exercise`]: one thing that a check rested on, in memory and as it is kept
//! - [`Excess`]: what a key holds and did not need, and what would have been enough

mod excess;

use std::fmt;

pub use self::excess::Excess;
use crate::{Context, Rights};

/// What a check that let a credential in rested on.
///
/// Its text is what is kept of it, and reads back as the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there are two kinds of rights, and no knowledge")]
pub enum Exercise<'a> {
    /// An endpoint rule.
    Endpoint {
        /// The method that was asked: `GET` for a `HEAD` that `GET` includes, and `*` for one that
        /// no rule can name.
        method: &'a str,
        /// The path of the rule.
        path: &'a str,
    },
    /// A permission, as it was asked.
    Permission(&'a str),
    /// Nobody knows: it was let in without being asked for anything, so whoever let it in may have
    /// judged by rights that Keystile never heard of.
    Untold,
}

impl<'a> Exercise<'a> {
    /// Tells each thing that a check rests on which `rights` let pass; nothing if nothing was asked.
    ///
    /// Of several rights that would each have been enough it tells one: of the sides of an `or`
    /// the first that is met, of endpoint rules the first that allows.
    pub fn tell_each(rights: &'a Rights, context: &Context<'a>, tell: &mut impl FnMut(Self)) {
        if let Some(query) = context.permission {
            let held = &rights.permissions;
            query.tell_needed(held, &mut |it| tell(Exercise::Permission(it.as_str())));
        }
        if let Some(Some(asked)) = context.endpoint {
            let rule = rights.endpoints.iter().find(|rule| rule.allows(asked));
            rule.into_iter().for_each(|rule| {
                tell(Exercise::Endpoint { method: rule.method_for(asked), path: rule.path() });
            });
        }
    }

    /// Whether a text is that of this one. Nothing is made for it: this stands in the way of checks.
    #[must_use]
    pub fn reads(&self, text: &str) -> bool {
        match self {
            Self::Endpoint { method, path } => {
                let rest = text.strip_prefix(method).and_then(|rest| rest.strip_prefix(' '));
                rest == Some(path)
            }
            Self::Permission(permission) => text == *permission,
            Self::Untold => text.is_empty(),
        }
    }

    /// Reads the text of one.
    #[must_use]
    pub fn read(text: &'a str) -> Self {
        match text.split_once(' ') {
            Some((method, path)) => Self::Endpoint { method, path },
            None if text.is_empty() => Self::Untold,
            None => Self::Permission(text),
        }
    }
}

impl fmt::Display for Exercise<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint { method, path } => write!(f, "{method} {path}"),
            Self::Permission(permission) => f.write_str(permission),
            Self::Untold => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Endpoint, EndpointRule, PermissionQuery};

    fn rights() -> Rights {
        let permissions = ["a.*", "b", "c"].map(|text| text.parse().unwrap());
        let rule = |methods: &[&str], path| {
            let methods: Vec<_> = methods.iter().map(ToString::to_string).collect();
            EndpointRule::new(&methods, path).unwrap()
        };
        Rights {
            permissions: permissions.into_iter().collect(),
            endpoints: vec![rule(&["GET", "PUT"], "/a/*"), rule(&["*"], "/**")],
            ..Rights::default()
        }
    }

    fn told(query: Option<&str>, endpoint: Option<(&str, &str)>) -> Vec<String> {
        let rights = rights();
        let query = query.map(|query| query.parse::<PermissionQuery>().unwrap());
        let endpoint = endpoint.map(|(method, path)| Endpoint::new(method, path).unwrap());
        let context = Context {
            permission: query.as_ref(),
            endpoint: endpoint.as_ref().map(Some),
            ..Context::default()
        };
        let mut told = Vec::new();
        Exercise::tell_each(&rights, &context, &mut |it| told.push(it.to_string()));
        told
    }

    #[test]
    fn a_permission_is_told_as_it_was_asked_and_not_as_it_is_held() {
        assert_eq!(told(Some("a.read"), None), ["a.read"]);
        assert_eq!(told(Some("b and a.read"), None), ["b", "a.read"]);
    }

    #[test]
    fn of_the_sides_of_an_or_the_first_that_is_met_is_told() {
        assert_eq!(told(Some("x or b or c"), None), ["b"]);
        assert_eq!(told(Some("(c and x) or (b and c)"), None), ["b", "c"]);
        assert_eq!(told(Some("c and (x or a.y)"), None), ["c", "a.y"]);
    }

    #[test]
    fn an_endpoint_is_told_by_its_method_and_the_path_of_the_first_rule_that_opens_it() {
        assert_eq!(told(None, Some(("GET", "/a/1?q"))), ["GET /a/*"]);
        assert_eq!(told(None, Some(("HEAD", "/a/1"))), ["GET /a/*"], "GET includes HEAD");
        assert_eq!(told(None, Some(("DELETE", "/a/1"))), ["DELETE /**"]);
        assert_eq!(told(None, Some(("purge", "/x"))), ["* /**"], "no rule can name it");
    }

    #[test]
    fn who_is_asked_for_nothing_tells_nothing() {
        assert_eq!(told(None, None), [""; 0]);
    }

    #[test]
    fn what_is_told_reads_back_as_the_same() {
        for exercise in [
            Exercise::Endpoint { method: "GET", path: "/a/**" },
            Exercise::Permission("a.**"),
            Exercise::Untold,
        ] {
            let text = exercise.to_string();
            assert_eq!(Exercise::read(&text), exercise);
            assert!(exercise.reads(&text) && !exercise.reads(&format!("{text}x")), "{text}");
        }
    }
}
