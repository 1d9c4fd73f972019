//! Trading a machine's token: a CI job, say, shows the ID token that its own system gave it, and
//! gets a short access token with the roles of the first rule that it meets.
//!
//! Each token is traded once. What it is traded for ends with it at the latest, and falls with the
//! session that the trade leaves behind.

use std::net::IpAddr;
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use keystile_auth::Rejection;
use keystile_auth::jwt::{Claims, TokenUse};
use keystile_domain::{
    Action, Actor, Credential, Jwt, Name, PermissionSet, ProviderId, Session, SessionHolder,
    SessionId, Target, TargetKind, Transport, TrustRule,
};
use keystile_storage::StoreError;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Vouched, with_settings};
use crate::access_tokens::{AccessTokenDraft, LONGEST};
use crate::change::Scope;
use crate::oauth::{Refusal, Wish, scopes_within};
use crate::token_proof::{Basis, of_session};
use crate::{AccessToken, Keystile, Origin, ServiceError, random};

/// A token that was verified and is about to be traded.
struct Offer {
    provider: ProviderId,
    claims: Claims,
    /// What tells it from every other token of its issuer.
    name: String,
    address: IpAddr,
    scope: Option<String>,
}

/// What it was traded for.
struct Deal {
    credential: Credential,
    session: SessionId,
    scopes: Option<PermissionSet>,
}

impl Keystile {
    /// An access token for a machine whose own issuer vouches for it.
    ///
    /// # Errors
    ///
    /// [`Refusal::Subject`] if the token is not valid, meets no rule, or was traded before;
    /// [`Refusal::Scope`], [`Refusal::ScopeBeyond`]; [`Refusal::Service`] if nobody can say.
    pub(crate) async fn trade_identity(
        &self,
        jwt: &Jwt,
        wish: Wish,
        origin: Origin,
    ) -> Result<AccessToken, Refusal> {
        let vouched = self.verify_foreign(jwt, TokenUse::Identity).await;
        let Vouched { provider, claims } = vouched.map_err(|rejection| match rejection {
            Rejection::Outdated => ServiceError::Behind.into(),
            Rejection::Store(error) => ServiceError::from(error).into(),
            other => Refusal::Subject(other.to_string()),
        })?;
        if origin.transport != Transport::Secure && !provider.allow_insecure_http {
            return Err(refused("came over plain HTTP"));
        }
        let Wish { scope, audiences } = wish;
        let name = claims.id().map_or_else(|| digest(jwt), str::to_owned);
        // Whatever will be refused is, before it holds up every change.
        let rules = with_settings(&provider).map(|(_, settings)| settings);
        if rules.and_then(|settings| settings.trust(claims.all())).is_none() {
            return Err(refused("meets no rule"));
        }
        let spent = async { self.store.read().await?.is_spent(claims.issuer(), &name).await };
        if spent.await.map_err(ServiceError::from)? {
            return Err(refused("was traded before"));
        }
        let address = origin.address;
        let offer = Offer { provider: provider.id, claims, name, address, scope };
        let dealt = self.change_unasked(Some(origin), |scope| Box::pin(deal(scope, offer)));
        let Deal { credential, session, scopes } = dealt.await??;
        let draft = AccessTokenDraft {
            credential: &credential,
            basis: Basis::Session(session),
            audiences,
            scopes,
            // It ends with its session.
            lifetime: LONGEST,
        };
        Ok(self.sign_access_token(draft).await?)
    }
}

/// Begins a session for the bearer of the token. What is refused writes no event, and so leaves
/// nothing behind: neither the session nor the memory of the token.
async fn deal(scope: &mut Scope, offer: Offer) -> Result<Result<Deal, Refusal>, ServiceError> {
    let claims = &offer.claims;
    // As the rules are at this moment of the log.
    let provider = scope.tx.find_provider(offer.provider).await?.filter(|it| it.enabled);
    let vouching = provider.as_ref().and_then(with_settings);
    let Some(rule) = vouching.and_then(|(_, settings)| settings.trust(claims.all())) else {
        return Ok(Err(refused("meets no rule")));
    };
    let session = session(scope, &offer, rule)?;
    if session.ends_at <= scope.now {
        return Ok(Err(refused("has expired")));
    }
    let forgotten_at = claims.expires_at().after(LEEWAY);
    if !scope.tx.spend_token(claims.issuer(), &offer.name, forgotten_at).await? {
        return Ok(Err(refused("was traded before")));
    }
    scope.tx.insert_session(&session).await?;
    let credential = of_session(&mut scope.tx, session.id).await?;
    let credential = credential.ok_or(StoreError::Corrupt("sessions.id"))?;
    let scopes = match scopes_within(&credential, offer.scope.as_deref()) {
        Ok(scopes) => scopes,
        Err(refusal) => return Ok(Err(refusal)),
    };
    record(scope, &session, &credential, claims, rule)?;
    Ok(Ok(Deal { credential, session: session.id, scopes }))
}

fn session(scope: &Scope, offer: &Offer, rule: &TrustRule) -> Result<Session, ServiceError> {
    let claims = &offer.claims;
    let id = random::id(SessionId::new, scope.now)?;
    let lifetime = Duration::from_secs(60 * u64::from(rule.max_minutes)).min(LONGEST);
    Ok(Session {
        id,
        holder: SessionHolder::Workload {
            name: name(claims.subject())?,
            roles: rule.roles.clone(),
        },
        provider: offer.provider,
        created_at: scope.now,
        ends_at: scope.now.after(lifetime).min(claims.expires_at()),
        address: Some(offer.address),
    })
}

fn record(
    scope: &mut Scope,
    session: &Session,
    credential: &Credential,
    claims: &Claims,
    rule: &TrustRule,
) -> Result<(), ServiceError> {
    let principal = credential.principal.clone();
    let target = Target {
        kind: TargetKind::Session,
        id: session.id.to_string(),
        name: principal.name.to_string(),
    };
    let state = json!({
        "provider_id": session.provider.to_string(),
        "issuer": claims.issuer(),
        "subject": claims.subject(),
        "role_ids": rule.roles.iter().map(|role| role.0).collect::<Vec<_>>(),
        "ends_at": session.ends_at.to_string(),
    });
    scope.actor = Actor::Principal { principal, credential: session.id.as_uuid() };
    scope.record(Action::SessionStarted, target, (None, Some(state)), None)
}

/// A subject as a name: without white space around it, and no longer than names are.
fn name(subject: &str) -> Result<Name, ServiceError> {
    let short: String = subject.trim().chars().take(Name::MAX).collect();
    let name = short.trim_end().parse().or_else(|_| NAMELESS.parse());
    name.map_err(|rule| ServiceError::broken("", rule))
}

/// The name of a token that has none.
fn digest(jwt: &Jwt) -> String {
    // Without the signature, of which ECDSA has two for one token.
    let signed = jwt.expose().rsplit_once('.').map_or("", |(signed, _)| signed);
    format!("sha256:{}", Base64UrlUnpadded::encode_string(&Sha256::digest(signed)))
}

fn refused(reason: &str) -> Refusal {
    Refusal::Subject(format!("the token {reason}"))
}

/// How long after its end a token may still be believed.
const LEEWAY: Duration = Duration::from_secs(60);
const NAMELESS: &str = "workload";
