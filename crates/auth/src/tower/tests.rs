use std::convert::Infallible;

use http_body_util::BodyExt;

use super::*;
use crate::testing::{BUSY, Judge, KEY};

/// Answers with whom the guard let in.
#[derive(Clone)]
struct Whose;

impl Service<Request<()>> for Whose {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        let grant = request.extensions().get::<keystile_domain::Grant>().unwrap();
        let name = grant.credential().principal.name.to_string();
        std::future::ready(Ok(Response::new(name.into())))
    }
}

type Answer = Response<Either<Full<Bytes>, Full<Bytes>>>;

async fn answer(layer: &GuardLayer<Judge>, headers: &[(&'static str, &str)]) -> Answer {
    let mut request = Request::new(());
    request.extensions_mut().insert(IpAddr::from([127, 0, 0, 1]));
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    layer.layer(Whose).call(request).await.unwrap()
}

fn layer() -> GuardLayer<Judge> {
    GuardLayer::new(Guard::new(Judge)).with_peer(|extensions| extensions.get().copied())
}

#[tokio::test]
async fn a_service_learns_whom_the_guard_let_in() {
    let response = answer(&layer(), &[("x-api-key", KEY)]).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "CI pipeline");
}

#[tokio::test]
async fn a_refused_request_gets_a_problem_document() {
    let response = answer(&layer(), &[]).await;
    assert_eq!(response.status(), 401);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert_eq!(response.headers()["www-authenticate"], r#"Bearer realm="keystile""#);
    assert!(matches!(
        response.extensions().get::<Arc<Refused>>().map(|it| &**it),
        Some(Refused::Absent)
    ));

    let busy = answer(&layer(), &[("x-api-key", BUSY)]).await;
    assert_eq!(
        (busy.status().as_u16(), &busy.headers()["retry-after"]),
        (429, &"2".parse().unwrap())
    );
}

#[tokio::test]
async fn a_grpc_call_is_refused_as_grpc_refuses() {
    for (key, status) in [("made-up", "16"), (BUSY, "8")] {
        let headers = [("x-api-key", key), ("content-type", "application/grpc+proto")];
        let response = answer(&layer(), &headers).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["grpc-status"], status, "{key}");
        assert_eq!(response.headers()["content-type"], "application/grpc");
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "");
    }
}

#[tokio::test]
async fn whose_address_is_unknown_is_not_taken_for_this_machine() {
    let layer = GuardLayer::new(Guard::new(Judge));
    assert_eq!(answer(&layer, &[("x-api-key", KEY)]).await.status(), 401);
    assert_eq!(answer(&layer.over_tls(), &[("x-api-key", KEY)]).await.status(), 200);
}
