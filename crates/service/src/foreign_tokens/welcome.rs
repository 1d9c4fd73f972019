//! Users who are seen for the first time.
//!
//! Who somebody is, is said by issuer and subject together (OpenID Connect Core, section 5.7). A
//! name or a mail address links nobody to a user who is there: whoever chooses it at the provider
//! would choose whom to be here.

use keystile_auth::jwt::Claims;
use keystile_domain::{Action, OidcSettings, Provider, Reason, User, UserId, Username, Version};
use keystile_storage::StoreError;

use super::with_settings;
use crate::change::Scope;
use crate::identify::outage;
use crate::{Keystile, LookupError, ServiceError, Unidentified, random};

impl Keystile {
    /// Makes a user of the subject, unless it is one or was one, or the provider makes none.
    pub(super) async fn welcome(
        &self,
        provider: &Provider,
        claims: &Claims,
    ) -> Result<(), Unidentified> {
        let known = async {
            let mut conn = self.store.read().await?;
            conn.knows_identity(claims.issuer(), claims.subject()).await
        };
        let known = known.await.map_err(outage::<StoreError>)?;
        let makes_users =
            with_settings(provider).is_some_and(|(_, settings)| settings.create_users);
        if known || !makes_users {
            return Ok(());
        }
        let (id, claims) = (provider.id, claims.clone());
        let made = self.change_unasked(None, move |scope| {
            Box::pin(async move {
                // As it is at this moment of the log: it may have been switched off meanwhile.
                let provider = scope.tx.find_provider(id).await?.filter(|it| it.enabled);
                match provider.as_ref().and_then(with_settings) {
                    Some((provider, settings)) if settings.create_users => {
                        make_user(scope, provider, settings, &claims).await
                    }
                    _ => Ok(()),
                }
            })
        });
        made.await.map_err(|error| outage(LookupError::Admission(Box::new(error))))
    }
}

async fn make_user(
    scope: &mut Scope,
    provider: &Provider,
    settings: &OidcSettings,
    claims: &Claims,
) -> Result<(), ServiceError> {
    let (issuer, subject) = (claims.issuer(), claims.subject());
    if scope.tx.knows_identity(issuer, subject).await? {
        // Another request of theirs was faster, or they were deleted.
        return Ok(());
    }
    let text = |name: &str| claims.claim(name).and_then(|value| value.as_str());
    let named = settings.username_claim.find(claims.all()).and_then(|value| value.as_str());
    let wanted = named.unwrap_or(subject);
    let id = random::id(UserId::new, scope.now)?;
    let username = free_name(scope, wanted, provider, id).await?;
    let reason = if username.as_str() == wanted {
        format!("first seen at {}", provider.identifier)
    } else {
        format!(
            "first seen at {}, where the name is one that is not free here",
            provider.identifier
        )
    };
    let user = User {
        id,
        username,
        display_name: text("name").and_then(|name| name.parse().ok()),
        email: text("email").and_then(|email| email.parse().ok()),
        enabled: true,
        is_service_account: false,
        roles: Default::default(),
        rate_limits: Default::default(),
        external_id: None,
        metadata: Default::default(),
        version: Version::FIRST,
        created_at: scope.now,
        updated_at: scope.now,
    };
    scope.tx.insert_user(&user, None).await?;
    scope.tx.insert_identity(issuer, subject, user.id, scope.now).await?;
    scope.record_user(Action::UserCreated, None, Some(&user), reason.parse::<Reason>().ok())
}

/// The name that is wanted, or if somebody has it or it is none, one with the provider's identifier.
async fn free_name(
    scope: &mut Scope,
    wanted: &str,
    provider: &Provider,
    id: UserId,
) -> Result<Username, ServiceError> {
    let identifier = &provider.identifier;
    for text in [wanted.to_owned(), format!("{wanted}@{identifier}")] {
        if let Ok(name) = text.parse::<Username>()
            && scope.tx.find_user_by_name(&name.key()).await?.is_none()
        {
            return Ok(name);
        }
    }
    let unique = format!("{identifier}-{id}").parse();
    unique.map_err(|rule| ServiceError::broken("/username", rule))
}
