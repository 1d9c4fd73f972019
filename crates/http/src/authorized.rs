//! The policy of a handler, in its signature.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use keystile_api::problem::ErrorCode;
use keystile_domain::Power;
use keystile_service::{Caller, ServiceError};

use crate::authenticate::Authentication;
use crate::error::ApiError;

/// Proof that the caller showed a valid credential that holds what `N` names.
///
/// It must be the first argument of its handler, so that it is judged before the body is read.
pub(crate) struct Authorized<N> {
    caller: Arc<Caller>,
    needs: PhantomData<N>,
}

/// What a handler needs of its caller.
pub(crate) trait Needs: 'static {
    /// The power over Keystile; `None`: any valid credential will do.
    const POWER: Option<Power>;
    /// Powers of which each does as well: the use case knows which, once it knows about what.
    const OR: &[Power] = &[];

    /// Refuses whoever may not.
    fn judge(caller: &Caller) -> Result<(), ServiceError> {
        if Self::OR.iter().any(|power| caller.holds(*power)) {
            return Ok(());
        }
        Self::POWER.map_or(Ok(()), |power| caller.require(power))
    }
}

macro_rules! needs {
    ($($(#[$doc:meta])* $name:ident = $power:expr $(, or $or:expr)?;)+) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl Needs for $name {
            const POWER: Option<Power> = $power;
            $(const OR: &[Power] = &$or;)?
        }
    )+};
}

needs! {
    /// Any valid credential.
    Anybody = None;
    /// `keystile.api_keys.read`
    ApiKeysRead = Some(Power::ApiKeysRead);
    /// `keystile.api_keys.write`
    ApiKeysWrite = Some(Power::ApiKeysWrite);
    /// `keystile.audit.read`
    AuditRead = Some(Power::AuditRead);
    /// `keystile.cluster.read`
    ClusterRead = Some(Power::ClusterRead);
    /// `keystile.keys.verify`
    KeysVerify = Some(Power::KeysVerify);
    /// `keystile.metrics.read`
    MetricsRead = Some(Power::MetricsRead);
    /// `keystile.providers.read`
    ProvidersRead = Some(Power::ProvidersRead);
    /// `keystile.providers.write`
    ProvidersWrite = Some(Power::ProvidersWrite);
    /// `keystile.roles.read`
    RolesRead = Some(Power::RolesRead);
    /// `keystile.roles.write`
    RolesWrite = Some(Power::RolesWrite);
    /// `keystile.tokens.read`, or what changes the tokens of some users.
    TokensOfUsersRead = Some(Power::TokensRead), or [Power::ServiceAccountsTokens, Power::UsersWrite];
    /// `keystile.service_accounts.tokens`, or `keystile.users.write` for those of people.
    TokensOfUsersWrite = Some(Power::ServiceAccountsTokens), or [Power::UsersWrite];
    /// `keystile.users.read`
    UsersRead = Some(Power::UsersRead);
    /// `keystile.users.write`
    UsersWrite = Some(Power::UsersWrite);
}

/// Any valid credential of a user or service account.
pub(crate) struct Account;

impl Needs for Account {
    const POWER: Option<Power> = None;

    fn judge(caller: &Caller) -> Result<(), ServiceError> {
        caller.account().map(drop)
    }
}

impl<N> Authorized<N> {
    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }
}

impl<N: Needs> Authorized<N> {
    /// The proof, by what was found out about the credential.
    pub(crate) fn by(authentication: Authentication) -> Result<Self, ApiError> {
        match authentication {
            Authentication::Known(caller) => {
                N::judge(&caller)?;
                Ok(Self { caller, needs: PhantomData })
            }
            Authentication::Refused(error) => Err(error),
            Authentication::Nobody => Err(ApiError::new(ErrorCode::MissingCredential)),
        }
    }
}

impl<N: Needs> FromRequest for Authorized<N> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        // Taken and not copied: a handler has one policy, and asks once.
        let authentication = request.extensions_mut().remove::<Authentication>();
        ready(Self::by(authentication.unwrap_or(Authentication::Nobody)))
    }
}
