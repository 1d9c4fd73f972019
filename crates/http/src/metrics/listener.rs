//! The metrics on an address of their own, for whoever can reach it.

use std::net::TcpListener;

use actix_web::dev::Server;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use keystile_api::problem::ErrorCode;

use super::show;
use crate::edge::new_name;
use crate::error::ApiError;
use crate::state::State;

/// Shows the metrics to whoever connects to `listener`, over plain HTTP and without a credential,
/// and nothing else. Its handle stops it.
///
/// # Errors
///
/// The listener cannot be used.
pub fn serve_metrics(listener: TcpListener, state: web::Data<State>) -> std::io::Result<Server> {
    let server = HttpServer::new(move || {
        App::new()
            .app_data(state.clone())
            .route("/metrics", web::get().to(show_to_anybody))
            .default_service(web::to(|| async { refused(ApiError::new(ErrorCode::NotFound)) }))
    });
    Ok(server.workers(1).disable_signals().listen(listener)?.run())
}

async fn show_to_anybody(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    show(&request, &state).unwrap_or_else(refused)
}

/// No edge stands before this listener.
fn refused(error: ApiError) -> HttpResponse {
    let status = error.status();
    let (kind, body) = error.body(new_name().as_str());
    HttpResponse::build(status).content_type(kind).body(body)
}
