//! Who asks at an OAuth endpoint: a credential as everywhere, or a client with its id and secret in
//! `Authorization: Basic` (RFC 6749, section 2.3.1).

use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, web};
use base64ct::{Base64, Encoding};
use keystile_api::problem::ErrorCode;
use keystile_domain::Secret;
use percent_encoding::percent_decode_str;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::asked::Asked;
use crate::authenticate::{Authentication, judge, origin};
use crate::error::ApiError;
use crate::limits::Attempt;
use crate::state::State;

/// A client's id and secret.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) id: Uuid,
    pub(super) secret: Secret,
}

pub(super) async fn authenticate_client(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    // The token endpoint reads its client itself: there it may stand in the body too.
    let reads_its_own = request.path().ends_with("/token");
    if let Some(state) = request.app_data::<web::Data<State>>().cloned()
        && !reads_its_own
    {
        let authentication = find(&state, request.request()).await;
        request.extensions_mut().insert(authentication.unwrap_or_else(Authentication::Refused));
    }
    next.call(request).await
}

async fn find(state: &State, request: &HttpRequest) -> Result<Authentication, ApiError> {
    let asked = Asked::of(request);
    let other = judge(state, &asked).await?;
    let Some(client) = basic(request).transpose() else { return Ok(other) };
    if !matches!(other, Authentication::Nobody) {
        return Err(ApiError::new(ErrorCode::AmbiguousCredentials));
    }
    let origin = origin(state, &asked)?;
    let attempt = Attempt::begin(state, origin.address)?;
    let judged = match client {
        Ok(Client { id, secret }) => {
            let judged = state.keystile.authenticate_client(id, secret, origin).await;
            judged.map_err(ApiError::from)
        }
        Err(error) => Err(error),
    };
    Ok(Authentication::Known(Arc::new(attempt.end(judged)?)))
}

/// The client in the header, if its scheme is `Basic`.
pub(super) fn basic(request: &HttpRequest) -> Result<Option<Client>, ApiError> {
    let mut values = request.headers().get_all(header::AUTHORIZATION);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(ApiError::new(ErrorCode::AmbiguousCredentials));
    }
    let text = value.to_str().unwrap_or_default();
    let Some((scheme, encoded)) = text.split_once(' ') else { return Ok(None) };
    if !scheme.eq_ignore_ascii_case("basic") {
        return Ok(None);
    }
    read(encoded.trim_start_matches(' ')).map(Some).ok_or_else(invalid)
}

/// A client whose two halves are texts.
pub(super) fn client(id: &str, secret: &str) -> Option<Client> {
    Some(Client { id: Uuid::try_parse(id).ok()?, secret: Secret::parse(secret).ok()? })
}

pub(super) fn invalid() -> ApiError {
    ApiError::oauth("invalid_client", "The client could not be authenticated.")
}

fn read(encoded: &str) -> Option<Client> {
    let decoded = Zeroizing::new(Base64::decode_vec(encoded).ok()?);
    let (id, secret) = str::from_utf8(&decoded).ok()?.split_once(':')?;
    client(&unescaped(id)?, &unescaped(secret)?)
}

/// Both halves are encoded as in a form before they are joined; neither can hold a space.
fn unescaped(text: &str) -> Option<Zeroizing<String>> {
    let text = percent_decode_str(text).decode_utf8().ok()?;
    Some(Zeroizing::new(text.into_owned()))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    const ID: &str = "0199e7c4-5a34-7c80-8c1f-6a2b7f3d9e10";

    fn basic_of(value: &str) -> Result<Option<Client>, ApiError> {
        basic(
            &TestRequest::default().insert_header((header::AUTHORIZATION, value)).to_http_request(),
        )
    }

    #[test]
    fn a_client_is_read_from_the_scheme_basic_whatever_its_case() {
        let encoded = Base64::encode_string(format!("{ID}:ks_a%2Eb").as_bytes());
        for scheme in ["Basic", "basic", "BASIC"] {
            let client = basic_of(&format!("{scheme} {encoded}")).unwrap().unwrap();
            assert_eq!((client.id.to_string().as_str(), client.secret.expose()), (ID, "ks_a.b"));
        }
        assert!(basic_of(&format!("Bearer {encoded}")).unwrap().is_none());
    }

    #[test]
    fn what_is_no_client_is_refused_and_not_taken_for_nobody() {
        for text in ["", "x", ":", &format!("{ID}:"), "no-uuid:ks_a", &format!("{ID}ks_a")] {
            let error = basic_of(&format!("Basic {}", Base64::encode_string(text.as_bytes())));
            assert_eq!(error.unwrap_err().word, Some("invalid_client"), "{text}");
        }
        assert_eq!(basic_of("Basic !!").unwrap_err().word, Some("invalid_client"));
    }
}
