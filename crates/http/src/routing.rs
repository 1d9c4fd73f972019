//! Where handlers are put: into the router of a worker, and into the OpenAPI document.
//!
//! Each worker has a router of its own. The document takes megabytes to make, and most servers are
//! never asked for it: so a worker only notes which paths there are.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use actix_web::dev::{HttpServiceFactory, ResourceDef};
use actix_web::{Scope, web};
use utoipa::Path;
use utoipa::openapi::path::HttpMethod;
use utoipa::openapi::{Components, OpenApi, Paths};
use utoipa_actix_web::OpenApiFactory;

/// What the routes of a resource are put into.
pub(crate) struct Routing<'a> {
    router: &'a mut web::ServiceConfig,
    /// What stands before every path.
    prefix: &'static str,
    known: &'a mut KnownPaths,
    document: Option<&'a mut OpenApi>,
}

impl<'a> Routing<'a> {
    pub(crate) fn new(router: &'a mut web::ServiceConfig, known: &'a mut KnownPaths) -> Self {
        Self { router, prefix: "", known, document: None }
    }

    /// The same, which also writes the document.
    pub(crate) fn documented(self, document: &'a mut OpenApi) -> Self {
        Self { document: Some(document), ..self }
    }

    pub(crate) fn configure(&mut self, routes: impl FnOnce(&mut Self)) -> &mut Self {
        routes(self);
        self
    }

    /// Adds a handler.
    pub(crate) fn service<H>(&mut self, handler: H) -> &mut Self
    where
        H: HttpServiceFactory + OpenApiFactory + Path + 'static,
    {
        self.mention(&handler).unmentioned(handler)
    }

    /// Adds routes below a path; `guard` puts into the scope what stands before them. There is no
    /// scope within another.
    pub(crate) fn scope<S: HttpServiceFactory + 'static>(
        &mut self,
        path: &'static str,
        guard: impl FnOnce(Scope) -> S,
        routes: impl FnOnce(&mut Routing<'_>),
    ) -> &mut Self {
        let (known, document) = (&mut *self.known, self.document.as_deref_mut());
        let scope = web::scope(path)
            .configure(|router| routes(&mut Routing { router, prefix: path, known, document }));
        self.unmentioned(guard(scope))
    }

    /// Adds what is mentioned by others.
    pub(crate) fn unmentioned(&mut self, handler: impl HttpServiceFactory + 'static) -> &mut Self {
        self.router.service(handler);
        self
    }

    /// Says that there is such a handler.
    pub(crate) fn mention<H: OpenApiFactory + Path>(&mut self, handler: &H) -> &mut Self {
        let whole = |path: &str| format!("{}{path}", self.prefix);
        self.known.add(whole(&H::path()), H::methods());
        if let Some(document) = &mut self.document {
            let mut paths = Paths::new();
            paths
                .paths
                .extend(handler.paths().paths.into_iter().map(|(path, item)| (whole(&path), item)));
            document.paths.merge(paths);
            let mut schemas = Vec::new();
            handler.schemas(&mut schemas);
            let components = document.components.get_or_insert_with(Components::new);
            components.schemas.extend(schemas);
        }
        self
    }
}

/// Which methods each path knows.
#[derive(Default)]
pub(crate) struct KnownPaths {
    methods: BTreeMap<String, Vec<HttpMethod>>,
    /// Made when the first request finds no handler.
    patterns: OnceCell<Vec<(ResourceDef, String)>>,
}

impl KnownPaths {
    /// Every path, with its parameters in braces.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.methods.keys().map(String::as_str)
    }

    /// The methods of the path that a request has; nothing if there is no such path.
    pub(crate) fn allow(&self, path: &str) -> Option<&str> {
        let patterns = self.patterns.get_or_init(|| {
            let each = self.methods.iter();
            each.map(|(path, methods)| (ResourceDef::new(path.as_str()), names(methods))).collect()
        });
        let found = patterns.iter().find(|(pattern, _)| pattern.is_match(path));
        found.map(|(_, methods)| methods.as_str())
    }

    fn add(&mut self, path: String, methods: Vec<HttpMethod>) {
        self.methods.entry(path).or_default().extend(methods);
    }
}

fn names(methods: &[HttpMethod]) -> String {
    let known = METHODS.iter().filter(|(method, _)| methods.contains(method));
    known.map(|(_, name)| *name).collect::<Vec<_>>().join(", ")
}

const METHODS: [(HttpMethod, &str); 6] = [
    (HttpMethod::Get, "GET"),
    (HttpMethod::Get, "HEAD"),
    (HttpMethod::Post, "POST"),
    (HttpMethod::Put, "PUT"),
    (HttpMethod::Patch, "PATCH"),
    (HttpMethod::Delete, "DELETE"),
];
