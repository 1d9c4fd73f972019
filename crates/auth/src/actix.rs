//! The adapter for actix-web: a [`Guard`] is a middleware, and [`Granted`] tells a handler whom it
//! let in.
//!
//! ```
//! use actix_web::{App, HttpResponse, web};
//! use keystile_auth::actix::Granted;
//! # use keystile_auth::{Guard, Verify};
//!
//! async fn list_invoices(granted: Granted) -> HttpResponse {
//!     let name = &granted.credential().principal.name;
//!     HttpResponse::Ok().body(format!("The invoices of {name}"))
//! }
//!
//! # fn service(guard: Guard<impl Verify>) -> Result<(), Box<dyn std::error::Error>> {
//! let readers = guard.requiring("invoices.read")?;
//! let app = App::new().service(
//!     web::resource("/invoices").wrap(readers).route(web::get().to(list_invoices)),
//! );
//! # drop(app);
//! # Ok(())
//! # }
//! ```

use std::future::{Future, Ready, ready};
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Deref;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::{BoxBody, EitherBody};
use actix_web::dev::{Payload, Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::{StatusCode, header};
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError};
use keystile_domain::Grant;

use crate::{Guard, Problem, Refused, RequestView, Verify};

/// Whom the guard before a handler let in. Where no guard stands, everybody is refused with 401.
#[derive(Clone, Debug)]
pub struct Granted(Grant);

impl Deref for Granted {
    type Target = Grant;

    fn deref(&self) -> &Grant {
        &self.0
    }
}

impl FromRequest for Granted {
    type Error = Refused;
    type Future = Ready<Result<Self, Refused>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(request.extensions().get::<Self>().cloned().ok_or(Refused::Absent))
    }
}

impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.problem().status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
    }

    fn error_response(&self) -> HttpResponse {
        let problem = self.problem();
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((header::CONTENT_TYPE, Problem::CONTENT_TYPE));
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        if let Some(challenge) = problem.challenge() {
            response.insert_header((header::WWW_AUTHENTICATE, challenge));
        }
        if let Some(seconds) = problem.retry_after_seconds() {
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        response.body(problem.to_json())
    }
}

/// As a middleware, the guard judges a request before its body is read and before any handler runs.
///
/// A refused request is answered with a problem document; the response has the [`Refused`] in its
/// extensions as an `Arc`, for a logger.
impl<S, B, V> Transform<S, ServiceRequest> for Guard<V>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
    V: Verify,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = Guarded<S, V>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(Guarded { inner: Rc::new(inner), guard: self.clone() }))
    }
}

/// A service behind a guard.
#[derive(Debug)]
pub struct Guarded<S, V> {
    inner: Rc<S>,
    guard: Guard<V>,
}

impl<S, B, V> Service<ServiceRequest> for Guarded<S, V>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
    V: Verify,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    forward_ready!(inner);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let (inner, guard) = (Rc::clone(&self.inner), self.guard.clone());
        Box::pin(async move {
            let asked = guard.check(&View(&request), request.method().as_str(), request.path());
            match asked.await {
                Ok(grant) => {
                    request.extensions_mut().insert(Granted(grant));
                    Ok(inner.call(request).await?.map_into_left_body())
                }
                Err(refused) => Ok(request.into_response(refusal(refused)).map_into_right_body()),
            }
        })
    }
}

/// A request of actix, as the extractors see it.
struct View<'r>(&'r ServiceRequest);

impl RequestView for View<'_> {
    fn headers<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.0.headers().get_all(name).map(|value| value.as_bytes())
    }

    fn query(&self) -> &str {
        self.0.query_string()
    }

    fn peer(&self) -> IpAddr {
        // Only requests over a Unix socket, or made by hand, have none.
        self.0.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip())
    }

    fn is_tls(&self) -> bool {
        self.0.app_config().secure()
    }
}

fn refusal(refused: Refused) -> HttpResponse<BoxBody> {
    let mut response = refused.error_response();
    response.extensions_mut().insert(Arc::new(refused));
    response
}

#[cfg(test)]
mod tests;
