//! What the OpenAPI document says of every operation alike.

mod examples;
mod problems;
mod waits;

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{ArrayItems, Schema};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Components, Info, License, OpenApi, Ref, RefOr, SecurityRequirement, Server, Tag,
};

/// Adds title, security, tags, the answers that every operation can give, and an example of each.
pub(crate) fn complete(document: &mut OpenApi) {
    document.info = info();
    document.servers = Some(vec![Server::new("/")]);
    document.tags = Some(TAGS.iter().map(|(name, about)| tag(name, about)).collect());
    let components = document.components.get_or_insert_with(Components::new);
    name_the_items_of_pages(components);
    add_security_schemes(components);
    problems::add_answers(components);
    for (path, item) in &mut document.paths.paths {
        let public = is_public(path);
        for (_, operation) in operations_mut(item) {
            problems::refer(path, operation, public);
            operation.security = Some(match path.starts_with(OAUTH) {
                _ if public => Vec::new(),
                true => [either_scheme(), vec![client_scheme()]].concat(),
                false => either_scheme(),
            });
        }
    }
    examples::add(document);
    waits::describe(document);
}

/// Whether nobody needs to show who they are. Signing in is how one begins to, and the token
/// endpoint reads its credential from the form.
fn is_public(path: &str) -> bool {
    let needs_a_credential =
        path.starts_with("/api/") || path.starts_with(OAUTH) || path == "/metrics";
    !needs_a_credential || path.starts_with("/api/v1/auth/") || path == "/oauth2/token"
}

/// The operations of a path with their methods.
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

fn info() -> Info {
    let mut info = Info::new("Keystile", env!("CARGO_PKG_VERSION"));
    info.description = Some(ABOUT.to_owned());
    let mut license = License::new("Apache-2.0 OR MIT");
    license.identifier = Some("Apache-2.0 OR MIT".to_owned());
    info.license = Some(license);
    info
}

/// utoipa writes the item of a generic type out in full: a copy that clients would take for a type
/// of its own.
fn name_the_items_of_pages(components: &mut Components) {
    for (name, schema) in &mut components.schemas {
        if let Some(item) = name.strip_prefix("Page_")
            && let RefOr::T(Schema::Object(page)) = schema
            && let Some(RefOr::T(Schema::Array(data))) = page.properties.get_mut("data")
        {
            data.items = ArrayItems::RefOrSchema(Box::new(Ref::from_schema_name(item).into()));
        }
    }
}

fn add_security_schemes(components: &mut Components) {
    let header = ApiKeyValue::with_description("X-API-Key", "An API key.");
    components.add_security_scheme(HEADER, SecurityScheme::ApiKey(ApiKey::Header(header)));
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An API key, a personal access token or an access token."))
        .build();
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
    let client = HttpBuilder::new()
        .scheme(HttpAuthScheme::Basic)
        .description(Some("The id of a key or token, and the key or token itself."))
        .build();
    components.add_security_scheme(CLIENT, SecurityScheme::Http(client));
}

fn either_scheme() -> Vec<SecurityRequirement> {
    [HEADER, BEARER].map(|scheme| SecurityRequirement::new(scheme, [""; 0])).into()
}

fn client_scheme() -> SecurityRequirement {
    SecurityRequirement::new(CLIENT, [""; 0])
}

fn tag(name: &str, about: &str) -> Tag {
    let mut tag = Tag::new(name);
    tag.description = Some(about.to_owned());
    tag
}

const HEADER: &str = "api_key";
const BEARER: &str = "bearer";
const CLIENT: &str = "client";
const OAUTH: &str = "/oauth2/";

const ABOUT: &str = "Issues, checks, rotates and revokes API keys.

Every error is a problem document (RFC 9457) with a `code` for programs; its answer has the header \
`X-Request-Id`, which finds it in the log. Changes take `dry_run=true`: all checks, nothing \
changed. Unknown members and parameters are refused. Times are RFC 3339 in UTC.";

const TAGS: &[(&str, &str)] = &[
    ("api-keys", "Credentials with roles of their own."),
    ("users", "People and service accounts."),
    ("tokens", "Personal access tokens: credentials that act as their owner."),
    ("tickets", "URLs for one request each, for clients that cannot set a header."),
    ("roles", "Named access profiles."),
    ("providers", "The configured ways to authenticate."),
    ("oauth", "Access tokens for services that verify them on their own."),
    ("verify", "Checking credentials on behalf of a service."),
    ("auth", "Signing in and out."),
    ("me", "Who a request acts as."),
    ("audit-events", "Who changed what, sealed."),
    ("health", "Whether the server lives, and whether it can answer."),
];
