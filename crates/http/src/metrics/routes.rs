//! From a path to its template: the labels of metrics and the names of spans.

use std::collections::BTreeMap;

use crate::forward_auth;

/// The templates of all paths, in a tree of their segments.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    templates: Vec<Box<str>>,
    root: Node,
}

/// One of the templates, or none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route(usize);

#[derive(Debug, Default)]
struct Node {
    named: BTreeMap<Box<str>, Self>,
    /// What a segment of any other name leads to.
    any: Option<Box<Self>>,
    /// The template that ends here.
    template: Option<Route>,
    /// The template for everything below that has none of its own.
    rest: Option<Route>,
}

impl Routes {
    /// The paths of all handlers, and those that no document has.
    pub(crate) fn of<'p>(paths: impl Iterator<Item = &'p str>) -> Self {
        let mut routes = Self::default();
        for template in paths {
            // A gateway may append the path that it asks about.
            routes.add(template, forward_auth::is_path_of_gateway(template));
        }
        routes.add("/openapi.json", false);
        routes.add("/swagger-ui", true);
        routes
    }

    /// The template of a path, which may be any text. It takes no lock and makes no text.
    pub(crate) fn find(&self, path: &str) -> Route {
        let (mut node, mut rest) = (&self.root, None);
        for segment in path.split('/').skip(1) {
            rest = node.rest.or(rest);
            let any = node.any.as_deref().filter(|_| !segment.is_empty());
            match node.named.get(segment).or(any) {
                Some(next) => node = next,
                None => return rest.unwrap_or(self.unknown()),
            }
        }
        node.template.or(node.rest).or(rest).unwrap_or(self.unknown())
    }

    /// How many there are, that of unknown paths among them.
    pub(crate) fn count(&self) -> usize {
        self.templates.len() + 1
    }

    /// The text of a template.
    pub(crate) fn template(&self, route: Route) -> &str {
        self.templates.get(route.0).map_or(UNKNOWN, |template| template)
    }

    /// Every one of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = Route> {
        (0..self.count()).map(Route)
    }

    fn unknown(&self) -> Route {
        Route(self.templates.len())
    }

    fn add(&mut self, template: &str, with_rest: bool) {
        let route = self.unknown();
        self.templates.push(template.into());
        let mut node = &mut self.root;
        for segment in template.split('/').skip(1) {
            node = if segment.starts_with('{') {
                node.any.get_or_insert_default()
            } else {
                node.named.entry(segment.into()).or_default()
            };
        }
        node.template = Some(route);
        node.rest = with_rest.then_some(route);
    }
}

impl Route {
    /// Its place among all of them.
    pub(crate) fn place(self) -> usize {
        self.0
    }
}

/// What stands for every path that nobody knows.
const UNKNOWN: &str = "unknown";

#[cfg(test)]
mod tests {
    use super::*;

    fn template(path: &str) -> String {
        let routes = Routes::of(crate::document().paths.paths.keys().map(String::as_str));
        routes.template(routes.find(path)).to_owned()
    }

    #[test]
    fn a_path_has_the_template_of_the_document() {
        for (path, expected) in [
            ("/healthz", "/healthz"),
            ("/api/v1/api-keys", "/api/v1/api-keys"),
            ("/api/v1/api-keys/batch", "/api/v1/api-keys/batch"),
            ("/api/v1/api-keys/7/rotation/finish", "/api/v1/api-keys/{id}/rotation/finish"),
            ("/api/v1/users/7/tokens/8", "/api/v1/users/{id}/tokens/{token_id}"),
            ("/swagger-ui/index.html", "/swagger-ui"),
        ] {
            assert_eq!(template(path), expected, "{path}");
        }
    }

    #[test]
    fn what_a_gateway_appends_is_not_in_the_template() {
        let endpoint = "/api/v1/forward-auth/{gateway}";
        assert_eq!(template("/api/v1/forward-auth/nginx"), endpoint);
        assert_eq!(template("/api/v1/forward-auth/envoy/any/secret/path"), endpoint);
        let permission = "/api/v1/forward-auth/{gateway}/permission/{permission}";
        assert_eq!(template("/api/v1/forward-auth/envoy/permission/a.b/and/more"), permission);
    }

    #[test]
    fn every_other_path_is_unknown() {
        for path in ["", "/", "*", "//", "/api", "/api/v1/api-keys/", "/api/v1/ks_secret/x"] {
            assert_eq!(template(path), UNKNOWN, "{path}");
        }
    }
}
