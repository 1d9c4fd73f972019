//! Swagger UI, and the document that it shows.
//!
//! The only pages of the API that a browser runs: they have a content security policy of their own,
//! beside the one that everything else is under.

use std::sync::LazyLock;

use actix_web::guard::Get;
use actix_web::http::header::{self, ContentType};
use actix_web::middleware::DefaultHeaders;
use actix_web::web::Bytes;
use actix_web::{HttpResponse, web};
use keystile_api::problem::ErrorCode;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::error::ApiError;

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    let policy = DefaultHeaders::new().add((header::CONTENT_SECURITY_POLICY, POLICY));
    config
        .service(web::resource(DOCUMENT).guard(Get()).to(show_document))
        .service(web::redirect("/swagger-ui", "/swagger-ui/"))
        .service(web::scope("/swagger-ui").wrap(policy).service(swagger_ui()));
}

async fn show_document() -> Result<HttpResponse, ApiError> {
    let text = TEXT.as_ref().ok_or(ApiError::new(ErrorCode::Internal))?;
    Ok(HttpResponse::Ok().content_type(ContentType::json()).body(text.clone()))
}

fn swagger_ui() -> SwaggerUi {
    let config = Config::from(DOCUMENT)
        .persist_authorization(false)
        .try_it_out_enabled(true)
        // Otherwise the document would be sent to a validator on the Internet.
        .validator_url("none");
    SwaggerUi::new("/{_:.*}").config(config)
}

/// Made when somebody asks for the first time, and kept.
static TEXT: LazyLock<Option<Bytes>> =
    LazyLock::new(|| serde_json::to_vec(&crate::document()).ok().map(Bytes::from));

const DOCUMENT: &str = "/openapi.json";

/// Our own files and our own API, and nobody else. Swagger UI writes styles into its elements.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";
