//! Tokens of OpenID providers: which provider vouches for one, and whether it is believed.
//!
//! The issuer that a token names only chooses among the providers that are configured: nothing is
//! fetched for any other, and each issuer's tokens are verified by its own keys alone. Users who are
//! seen for the first time are made in `welcome`; what machines' tokens are traded for is in `trade`.

mod trade;
mod welcome;

use keystile_auth::Rejection;
use keystile_auth::jwt::{
    Audiences, Claims, Expectations, KeySet, Leeway, TokenError, TokenUse, Unverified,
};
use keystile_domain::{Jwt, JwtAlgorithm, OidcSettings, Provider, ProviderSettings, Timestamp};
use keystile_storage::StoreError;

use crate::identify::outage;
use crate::token_proof::ForeignToken;
use crate::{Keystile, Unidentified};

/// A token that a provider vouches for.
struct Vouched {
    provider: Provider,
    claims: Claims,
}

impl Keystile {
    /// Verifies a bearer token of an OpenID provider. Its subject is a user from then on, if the
    /// provider makes users.
    pub(crate) async fn prove_foreign(&self, jwt: &Jwt) -> Result<ForeignToken, Unidentified> {
        let Vouched { provider, claims } = self.verify_foreign(jwt, TokenUse::Access).await?;
        self.welcome(&provider, &claims).await?;
        Ok(ForeignToken { provider: provider.id, claims })
    }

    /// Verifies a token by the first provider of its issuer, in order of priority, that it is
    /// addressed to.
    async fn verify_foreign(
        &self,
        jwt: &Jwt,
        token_use: TokenUse,
    ) -> Result<Vouched, Unidentified> {
        let token = Unverified::parse(jwt).map_err(Rejection::Untrusted)?;
        let providers = self.vouching(token.unverified_issuer(), token_use).await?;
        let Some((_, settings)) = providers.first().and_then(with_settings) else {
            return Err(Rejection::Untrusted(TokenError::Issuer));
        };
        let now = self.clock.now();
        let source = self.issuers.source(&settings.authority);
        let keys = source.keys(token.unverified_key_id(), now).await;
        let keys = keys.map_err(outage)?;
        let mut refusal = TokenError::Issuer;
        for (provider, settings) in providers.iter().filter_map(with_settings) {
            match verify(jwt, &keys, settings, token_use, now) {
                Ok(claims) => return Ok(Vouched { provider: provider.clone(), claims }),
                Err(error) => refusal = error,
            }
            if !is_for_another(refusal) {
                break;
            }
        }
        Err(Rejection::Untrusted(refusal))
    }

    /// The providers of an issuer that are switched on and take tokens of this use: those with trust
    /// rules are for machines alone, the others for people.
    async fn vouching(
        &self,
        issuer: &str,
        token_use: TokenUse,
    ) -> Result<Vec<Provider>, Unidentified> {
        let listed = async { self.store.read().await?.list_providers().await };
        let mut providers = listed.await.map_err(outage::<StoreError>)?;
        providers.retain(|provider| {
            provider.enabled
                && with_settings(provider).is_some_and(|(_, settings)| {
                    let is_for_machines = !settings.trust_rules.is_empty();
                    settings.authority.as_str() == issuer
                        && is_for_machines == (token_use == TokenUse::Identity)
                })
        });
        Ok(providers)
    }
}

fn with_settings(provider: &Provider) -> Option<(&Provider, &OidcSettings)> {
    match &provider.settings {
        ProviderSettings::Oidc(settings) => Some((provider, settings)),
        _ => None,
    }
}

fn verify(
    jwt: &Jwt,
    keys: &KeySet,
    settings: &OidcSettings,
    token_use: TokenUse,
    now: Timestamp,
) -> Result<Claims, TokenError> {
    let algorithms: Vec<JwtAlgorithm> = settings.algorithms.iter().copied().collect();
    let expectations = Expectations {
        issuer: settings.authority.as_str(),
        audiences: Audiences::OneOf(&[settings.audience.as_str()]),
        authorized_party: settings.client_id.as_ref().map(|id| id.as_str()),
        algorithms: &algorithms,
        types: if settings.require_typ { &["at+jwt"] } else { &["at+jwt", "JWT"] },
        token_use,
        leeway: Leeway::MAX,
    };
    let claims = Unverified::parse(jwt)?.verify(keys, &expectations, now)?;
    match &settings.required_scope {
        Some(required) if !claims.scopes().any(|scope| scope == required.as_str()) => {
            Err(TokenError::ScopeMissing)
        }
        _ => Ok(claims),
    }
}

/// Whether a token may be meant for another provider of the same issuer.
fn is_for_another(refusal: TokenError) -> bool {
    matches!(refusal, TokenError::Algorithm | TokenError::Audience | TokenError::Type)
}
