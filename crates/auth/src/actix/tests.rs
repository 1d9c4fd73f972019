use actix_web::body::MessageBody;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, web};

use super::*;
use crate::testing::{BUSY, Judge, KEY};

async fn whose(granted: Granted) -> String {
    granted.credential().principal.name.to_string()
}

/// What a service behind a guard answers to a request with this key.
async fn answer(guard: Guard<Judge>, key: Option<&str>) -> ServiceResponse<impl MessageBody> {
    let service = init_service(App::new().wrap(guard).route("/", web::get().to(whose))).await;
    let mut request = TestRequest::get().uri("/").peer_addr(([127, 0, 0, 1], 1).into());
    if let Some(key) = key {
        request = request.insert_header(("X-API-Key", key));
    }
    call_service(&service, request.to_request()).await
}

#[tokio::test]
async fn a_handler_learns_whom_the_guard_let_in() {
    let response = answer(Guard::new(Judge), Some(KEY)).await;
    assert_eq!(response.status(), 200);
    assert_eq!(read_body(response).await, "CI pipeline");
}

#[tokio::test]
async fn a_refused_request_gets_a_problem_document_and_no_handler() {
    let response = answer(Guard::new(Judge), None).await;
    assert_eq!(response.status(), 401);
    let headers = response.headers();
    assert_eq!(headers.get("Content-Type").unwrap(), "application/problem+json");
    assert_eq!(headers.get("WWW-Authenticate").unwrap(), r#"Bearer realm="keystile""#);
    let reason = response.response().extensions().get::<Arc<Refused>>().cloned();
    assert!(matches!(reason.as_deref(), Some(Refused::Absent)));

    let lacking = Guard::new(Judge).requiring("invoices.write").unwrap();
    assert_eq!(answer(lacking, Some(KEY)).await.status(), 403);
    let busy = answer(Guard::new(Judge), Some(BUSY)).await;
    assert_eq!(busy.status(), 429);
    assert_eq!(busy.headers().get("Retry-After").unwrap(), "2");
}

#[tokio::test]
async fn a_handler_without_a_guard_refuses_everybody() {
    let service = init_service(App::new().route("/", web::get().to(whose))).await;
    let request = TestRequest::get().uri("/").insert_header(("X-API-Key", KEY)).to_request();
    assert_eq!(call_service(&service, request).await.status(), 401);
}
