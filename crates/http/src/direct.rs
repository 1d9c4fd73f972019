//! The short way, for what is asked all the time: past the framework's router, its layers and its
//! extractors, which together take longer than a check.
//!
//! It decides nothing by itself. The handlers are those of the router, which has them too: for the
//! document, and for requests that are written in any other way.

use actix_web::dev::{Payload, RequestHead};
use actix_web::http::Method;
use actix_web::{HttpResponse, web};

use crate::asked::Asked;
use crate::authenticate::{Authentication, judge};
use crate::authorized::{Authorized, Needs};
use crate::error::ApiError;
use crate::limits::tell;
use crate::state::State;
use crate::{body, forward_auth, me, verify};

/// What is asked all the time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Direct {
    ForwardAuth,
    Me,
    Verify,
}

impl Direct {
    /// Which of them a request asks, if it is one of them and says no more than it must.
    pub(crate) fn find(head: &RequestHead) -> Option<Self> {
        let path = head.uri.path();
        if forward_auth::is_path_of_gateway(path) {
            return Some(Self::ForwardAuth);
        }
        match path {
            _ if head.uri.query().is_some() => None,
            me::PATH if head.method == Method::GET => Some(Self::Me),
            verify::PATH if head.method == Method::POST => Some(Self::Verify),
            _ => None,
        }
    }

    pub(crate) async fn answer(
        self,
        state: &web::Data<State>,
        asked: &Asked<'_>,
        payload: Payload,
    ) -> HttpResponse {
        match self {
            Self::ForwardAuth => forward_auth::answer(state, asked).await,
            Self::Me => authorized(state, asked, async |by| Ok(me::answer(&by))).await,
            Self::Verify => {
                let answer = async |by| {
                    let asked = body::read(asked.head, state.limits, payload).await?;
                    verify::answer(state, &by, asked).await
                };
                authorized(state, asked, answer).await
            }
        }
    }
}

/// As the layer of `authenticate` and the extractor of a policy, one after the other.
async fn authorized<N: Needs>(
    state: &State,
    asked: &Asked<'_>,
    answer: impl AsyncFnOnce(Authorized<N>) -> Result<HttpResponse, ApiError>,
) -> HttpResponse {
    let authentication = judge(state, asked).await.unwrap_or_else(Authentication::Refused);
    let caller = authentication.caller().cloned();
    let answered = match Authorized::by(authentication) {
        Ok(by) => answer(by).await,
        Err(error) => Err(error),
    };
    let mut response = answered.unwrap_or_else(ApiError::into_response);
    if let Some(caller) = caller {
        tell(response.headers_mut(), caller.limits());
    }
    response
}
