//! Swagger UI, and the document that it shows.
//!
//! The only pages of the API that a browser runs: they have a content security policy of their own,
//! beside the one that everything else is under.

use std::sync::Arc;

use actix_web::guard::Get;
use actix_web::http::header;
use actix_web::middleware::DefaultHeaders;
use actix_web::{HttpResponse, web};
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

pub(crate) fn routes(config: &mut web::ServiceConfig, document: Arc<OpenApi>) {
    let show = move || {
        let document = Arc::clone(&document);
        async move { HttpResponse::Ok().json(&*document) }
    };
    let policy = DefaultHeaders::new().add((header::CONTENT_SECURITY_POLICY, POLICY));
    config
        .service(web::resource(DOCUMENT).guard(Get()).to(show))
        .service(web::redirect("/swagger-ui", "/swagger-ui/"))
        .service(web::scope("/swagger-ui").wrap(policy).service(swagger_ui()));
}

fn swagger_ui() -> SwaggerUi {
    let config = Config::from(DOCUMENT)
        .persist_authorization(false)
        .try_it_out_enabled(true)
        // Otherwise the document would be sent to a validator on the Internet.
        .validator_url("none");
    SwaggerUi::new("/{_:.*}").config(config)
}

const DOCUMENT: &str = "/openapi.json";

/// Our own files and our own API, and nobody else. Swagger UI writes styles into its elements.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";
