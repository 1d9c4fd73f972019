//! Reads forms, as OAuth wants them: a parameter once, unless it may be repeated; what is empty
//! counts as left out, and what nobody knows is ignored (RFC 6749, section 3.2).

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use keystile_api::problem::ErrorCode;
use zeroize::Zeroizing;

use super::{Reading, Size, limits, read_bytes};
use crate::error::ApiError;

/// The parameters of a form. Their values are wiped when they are dropped.
pub(crate) struct Form(Vec<(String, Zeroizing<String>)>);

impl Form {
    /// The one value of a parameter.
    pub(crate) fn take(&mut self, name: &str) -> Result<Option<Zeroizing<String>>, ApiError> {
        let mut values = self.take_all(name);
        match values.len() {
            0 | 1 => Ok(values.pop()),
            _ => Err(ApiError::oauth("invalid_request", format!("{name} is given twice"))),
        }
    }

    /// The one value of a parameter that cannot be left out.
    pub(crate) fn require(&mut self, name: &str) -> Result<Zeroizing<String>, ApiError> {
        let missing = || ApiError::oauth("invalid_request", format!("{name} is required"));
        self.take(name)?.ok_or_else(missing)
    }

    /// Every value of a parameter that may be repeated.
    pub(crate) fn take_all(&mut self, name: &str) -> Vec<Zeroizing<String>> {
        let taken = self.0.extract_if(.., |(known, _)| known == name);
        taken.map(|(_, value)| value).filter(|value| !value.is_empty()).collect()
    }
}

impl FromRequest for Form {
    type Error = ApiError;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = read_bytes(request.head(), limits(request), payload.take(), Size::Ordinary);
        let is_form = is_form(request);
        Box::pin(async move {
            let bytes = bytes.await?;
            if !is_form {
                let expected = format!("The body must be {FORM}.");
                return Err(ApiError::new(ErrorCode::UnsupportedMediaType).detail(expected));
            }
            let pairs = form_urlencoded::parse(&bytes);
            let owned = pairs.map(|(name, value)| (name.into_owned(), value.into_owned().into()));
            Ok(Self(owned.collect()))
        })
    }
}

fn is_form(request: &HttpRequest) -> bool {
    let value = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    essence.eq_ignore_ascii_case(FORM)
}

const FORM: &str = "application/x-www-form-urlencoded";
