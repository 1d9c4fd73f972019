//! What the OpenAPI document says of every operation alike.

use keystile_api::problem::{ErrorCode, Problem};
use utoipa::PartialSchema;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, Info, License, OpenApi, Ref, RefOr, ResponseBuilder,
    SecurityRequirement, Tag,
};
use utoipa::{ToSchema, openapi::HeaderBuilder};

/// Adds title, security, tags and the answers that every operation can give.
pub(crate) fn complete(document: &mut OpenApi) {
    let mut info = Info::new("Keystile", env!("CARGO_PKG_VERSION"));
    info.description = Some(ABOUT.to_owned());
    let mut license = License::new("Apache-2.0 OR MIT");
    license.identifier = Some("Apache-2.0 OR MIT".to_owned());
    info.license = Some(license);
    document.info = info;
    document.tags = Some(TAGS.iter().map(|(name, about)| tag(name, about)).collect());
    add_components(document.components.get_or_insert_with(Components::new));
    for (path, item) in &mut document.paths.paths {
        for (_, operation) in operations_mut(item) {
            complete_operation(path, operation);
        }
    }
}

/// The operations of a path with their methods.
pub(crate) fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    [
        ("GET", &item.get),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    [
        ("GET", &mut item.get),
        ("POST", &mut item.post),
        ("PUT", &mut item.put),
        ("PATCH", &mut item.patch),
        ("DELETE", &mut item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn complete_operation(path: &str, operation: &mut Operation) {
    let public = !path.starts_with("/api/");
    let body = operation.request_body.is_some();
    let has = |name: &str| {
        operation.parameters.iter().flatten().any(|parameter| match parameter {
            RefOr::T(parameter) => parameter.name == name,
            RefOr::Ref(_) => false,
        })
    };
    let changes = has("dry_run");
    let mut codes = vec![ErrorCode::BadRequest, ErrorCode::Internal, ErrorCode::Unavailable];
    if !public {
        codes.extend([ErrorCode::InvalidCredential, ErrorCode::InsufficientPermissions]);
    }
    if path.contains('{') {
        codes.push(ErrorCode::NotFound);
    }
    if body {
        codes.extend([
            ErrorCode::RequestTimeout,
            ErrorCode::BodyTooLarge,
            ErrorCode::UnsupportedMediaType,
        ]);
    }
    if body || operation.parameters.iter().flatten().count() > 0 {
        codes.push(ErrorCode::InvalidRequest);
    }
    if changes {
        codes.push(ErrorCode::Conflict);
    }
    if has("If-Match") {
        codes.push(ErrorCode::PreconditionFailed);
    }
    for code in codes {
        let status = code.status().to_string();
        operation.responses.responses.entry(status).or_insert_with(|| refused(code));
    }
    operation.security = Some(if public {
        Vec::new()
    } else {
        let none: [&str; 0] = [];
        vec![SecurityRequirement::new(HEADER, none), SecurityRequirement::new(BEARER, none)]
    });
}

fn refused(code: ErrorCode) -> RefOr<utoipa::openapi::Response> {
    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let mut response = ResponseBuilder::new()
        .description(code.title())
        .content("application/problem+json", problem);
    let header = |about: &str| HeaderBuilder::new().description(Some(about)).build();
    response = match code.status() {
        401 => response.header("WWW-Authenticate", header("How to authenticate (RFC 6750).")),
        503 => response.header("Retry-After", header("When to try again, in seconds.")),
        _ => response,
    };
    response.build().into()
}

fn add_components(components: &mut Components) {
    let mut schemas = Vec::new();
    Problem::schemas(&mut schemas);
    schemas.push((Problem::name().into_owned(), Problem::schema()));
    components.schemas.extend(schemas);
    let header = ApiKeyValue::with_description("X-API-Key", "An API key.");
    components.add_security_scheme(HEADER, SecurityScheme::ApiKey(ApiKey::Header(header)));
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An API key as a bearer token."))
        .build();
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
}

fn tag(name: &str, about: &str) -> Tag {
    let mut tag = Tag::new(name);
    tag.description = Some(about.to_owned());
    tag
}

const HEADER: &str = "api_key";
const BEARER: &str = "bearer";

const ABOUT: &str = "Issues, checks, rotates and revokes API keys.

Every error is a problem document (RFC 9457) with a `code` for programs. Changes take `dry_run=true`: \
all checks, nothing changed. Unknown members and parameters are refused.";

const TAGS: [(&str, &str); 6] = [
    ("api-keys", "Credentials with roles of their own."),
    ("roles", "Named access profiles."),
    ("verify", "Checking credentials on behalf of a service."),
    ("me", "Who a request acts as."),
    ("audit-events", "Who changed what, sealed."),
    ("health", "Whether the server lives, and whether it can answer."),
];
