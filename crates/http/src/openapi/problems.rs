//! The answers that say no: once for each status, and in each operation a reference to those that
//! it can give.

use keystile_api::problem::{ErrorCode, Problem};
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{
    Components, Content, ContentBuilder, HeaderBuilder, Ref, RefOr, Response, ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use crate::error::ApiError;

/// Describes the answer to each status, with an example of each of its codes.
pub(super) fn add_answers(components: &mut Components) {
    let mut schemas = Vec::new();
    Problem::schemas(&mut schemas);
    schemas.push((Problem::name().into_owned(), Problem::schema()));
    components.schemas.extend(schemas);
    // No operation answers to a method that its path does not know.
    let of_operations = |code: &&ErrorCode| **code != ErrorCode::MethodNotAllowed;
    for code in ErrorCode::ALL.iter().filter(of_operations) {
        let answers = &mut components.responses;
        answers.entry(name(*code)).or_insert_with(|| answer(code.status()).into());
    }
}

/// Adds to an operation every refusal that it can answer with.
pub(super) fn refer(path: &str, operation: &mut Operation, public: bool) {
    for code in codes(path, operation, public) {
        let refusal = || Ref::from_response_name(name(code)).into();
        let status = code.status().to_string();
        operation.responses.responses.entry(status).or_insert_with(refusal);
    }
}

fn codes(path: &str, operation: &Operation, public: bool) -> Vec<ErrorCode> {
    let has = |name: &str| {
        operation.parameters.iter().flatten().any(|parameter| match parameter {
            RefOr::T(parameter) => parameter.name == name,
            RefOr::Ref(_) => false,
        })
    };
    let body = operation.request_body.is_some();
    let parameters = operation.parameters.iter().flatten().count() > 0;
    let mut codes = vec![
        ErrorCode::BadRequest,
        ErrorCode::UriTooLong,
        ErrorCode::HeadersTooLarge,
        ErrorCode::Internal,
        ErrorCode::Unavailable,
    ];
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
    if body || parameters {
        codes.push(ErrorCode::InvalidRequest);
    }
    if has("dry_run") {
        codes.push(ErrorCode::Conflict);
    }
    if has("If-Match") {
        codes.push(ErrorCode::PreconditionFailed);
    }
    codes.extend(of_sign_in(path));
    codes
}

/// What only signing in, and proving once more that one could, is refused for.
fn of_sign_in(path: &str) -> &'static [ErrorCode] {
    match path {
        "/api/v1/auth/login" => &[ErrorCode::InvalidLogin, ErrorCode::TooManyAttempts],
        "/api/v1/auth/refresh" => &[ErrorCode::InvalidRefreshToken],
        "/api/v1/me/password" => &[ErrorCode::TooManyAttempts],
        _ => &[],
    }
}

/// What a status is called among the components: `NotFound`.
fn name(code: ErrorCode) -> String {
    code.title().replace(' ', "")
}

fn answer(status: u16) -> Response {
    let codes: Vec<_> = ErrorCode::ALL.iter().filter(|code| code.status() == status).collect();
    let about: Vec<_> =
        codes.iter().map(|code| format!("- `{}`: {}", code.as_str(), code.text())).collect();
    let header = |about: &str| HeaderBuilder::new().description(Some(about)).build();
    let response = ResponseBuilder::new()
        .description(about.join("\n"))
        .content("application/problem+json", content(&codes));
    match status {
        401 => response.header("WWW-Authenticate", header("How to authenticate (RFC 6750).")),
        429 | 503 => response.header("Retry-After", header("When to try again, in seconds.")),
        _ => response,
    }
    .build()
}

fn content(codes: &[&ErrorCode]) -> Content {
    let examples = codes.iter().map(|code| {
        let problem = serde_json::to_value(example(**code)).ok();
        (code.as_str(), ExampleBuilder::new().summary(code.text()).value(problem).build())
    });
    ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .examples_from_iter(examples)
        .build()
}

fn example(code: ErrorCode) -> Problem {
    let error = match code {
        ErrorCode::InvalidRequest => {
            ApiError::field(code, "/expires_at", keystile_domain::ExpiryError::Past)
        }
        ErrorCode::UnknownFields => crate::body::unknown_fields(vec!["/expires".to_owned()]),
        code => ApiError::new(code),
    };
    error.problem(REQUEST)
}

const REQUEST: &str = "0199e7c4-5a34-7c80-8c1f-6a2b7f3d9e10";
