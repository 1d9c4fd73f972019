//! What was proved of a credential whose own secret is not at hand, and the credential that it
//! stands for at a given moment.
//!
//! Verifying a JWT may take time: a signature, a question to another server. It is done once. What
//! the token is worth is read from the database each time, so that nothing outlives a revocation.

use std::sync::Arc;

use keystile_auth::jwt::Claims;
use keystile_domain::{
    Credential, CredentialKind, Expiry, Limits, PermissionSet, Principal, PrincipalKind, Provider,
    ProviderId, ProviderSettings, Rights, Role, SecretTag, Session, SessionHolder, SessionId,
    Timestamp, User,
};
use keystile_storage::{Conn, StoreError};
use uuid::Uuid;

/// A JWT that was verified, or what a ticket keeps in place of its maker's secret.
#[derive(Clone, Debug)]
pub(crate) enum ProvenToken {
    /// One of an OpenID provider.
    Foreign(Arc<ForeignToken>),
    /// One of ours.
    Own(Arc<OwnToken>),
    /// A key or token that was shown, as itself.
    Secret(Basis),
}

/// A token of ours, verified.
#[derive(Debug)]
pub(crate) struct OwnToken {
    /// Whose name it was made under.
    pub(crate) issuer: String,
    /// Its own name.
    pub(crate) id: String,
    /// What it stands on.
    pub(crate) basis: Basis,
    /// What it was narrowed to when it was made; `None`: everything that its basis may.
    pub(crate) scopes: Option<PermissionSet>,
    /// When it ends.
    pub(crate) ends_at: Timestamp,
}

/// What a token of ours stands on, and falls with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Basis {
    /// A session.
    Session(SessionId),
    /// The key or token that it was traded for, by the secret that was shown.
    Secret(CredentialKind, Uuid, SecretTag),
}

/// A token of an OpenID provider, verified.
#[derive(Debug)]
pub(crate) struct ForeignToken {
    /// The provider that vouches for it.
    pub(crate) provider: ProviderId,
    /// What it says.
    pub(crate) claims: Claims,
}

impl ProvenToken {
    /// What the feed calls the token when it is revoked by itself.
    pub(crate) fn id(&self) -> Option<&str> {
        match self {
            Self::Own(token) => Some(&token.id),
            Self::Foreign(_) | Self::Secret(_) => None,
        }
    }

    /// The credential that the token stands for, as the database has it now.
    pub(crate) async fn resolve(
        &self,
        conn: &mut Conn,
    ) -> Result<Option<Arc<Credential>>, StoreError> {
        let credential = match self {
            Self::Foreign(token) => token.resolve(conn).await?,
            Self::Own(token) => token.resolve(conn).await?,
            Self::Secret(basis) => basis.resolve(conn).await?,
        };
        Ok(credential.map(Arc::new))
    }
}

impl OwnToken {
    async fn resolve(&self, conn: &mut Conn) -> Result<Option<Credential>, StoreError> {
        if conn.is_spent(&self.issuer, &self.id).await? {
            return Ok(None);
        }
        let basis = self.basis.resolve(conn).await?;
        Ok(basis.map(|basis| self.narrow(basis)))
    }

    /// The basis, as this token shows it: never longer, never wider.
    fn narrow(&self, basis: Credential) -> Credential {
        let scopes = match (&basis.scopes, &self.scopes) {
            (Some(held), Some(scopes)) => Some(held.meet(scopes)),
            (held, scopes) => held.clone().or_else(|| scopes.clone()),
        };
        let expiry = basis.end().min(Expiry::At(self.ends_at));
        let rights = Rights::clone(&basis.rights).within(self.scopes.as_ref()).into();
        Credential { kind: CredentialKind::AccessToken, expiry, scopes, rights, ..basis }
    }
}

impl Basis {
    async fn resolve(self, conn: &mut Conn) -> Result<Option<Credential>, StoreError> {
        match self {
            Self::Secret(kind, id, tag) => conn.find_credential_by_tag(kind, id, tag).await,
            Self::Session(id) => of_session(conn, id).await,
        }
    }
}

impl ForeignToken {
    /// The user that the subject is known as. Whom nobody knows has no credential here.
    async fn resolve(&self, conn: &mut Conn) -> Result<Option<Credential>, StoreError> {
        let claims = &self.claims;
        let Some(provider) = conn.find_provider(self.provider).await? else { return Ok(None) };
        let ProviderSettings::Oidc(settings) = &provider.settings else { return Ok(None) };
        if !settings.trust_rules.is_empty() {
            return Ok(None);
        }
        let found = conn.find_user_by_identity(claims.issuer(), claims.subject()).await?;
        let Some(user) = found else { return Ok(None) };
        let held = &user.roles | &settings.roles(claims.all());
        let roles = conn.list_roles_by_id(&held).await?;
        let (id, end) = (user.id.as_uuid(), Expiry::At(claims.expires_at()));
        Ok(Some(Credential { id, expiry: end, ..acting_as(&user, roles, provider) }))
    }
}

/// Whoever has the session, as the database has them now.
pub(crate) async fn of_session(
    conn: &mut Conn,
    id: SessionId,
) -> Result<Option<Credential>, StoreError> {
    let Some(session) = conn.find_session(id).await? else { return Ok(None) };
    // A provider with sessions cannot be deleted, so there is one.
    let provider = conn.find_provider(session.provider).await?;
    let provider = provider.ok_or(StoreError::Corrupt("sessions.provider_id"))?;
    let credential = match &session.holder {
        SessionHolder::User(user) => {
            let found = conn.find_user_with_roles(*user).await?;
            found.map(|(user, roles)| acting_as(&user, roles, provider))
        }
        SessionHolder::Workload { name, roles } => {
            let principal = Principal {
                kind: PrincipalKind::Workload,
                id: session.id.as_uuid(),
                name: name.clone(),
            };
            let roles = conn.list_roles_by_id(roles).await?;
            Some(bare(principal, roles, provider))
        }
    };
    Ok(credential.map(|credential| within(credential, &session)))
}

fn within(credential: Credential, session: &Session) -> Credential {
    Credential { id: session.id.as_uuid(), expiry: Expiry::At(session.ends_at), ..credential }
}

/// A person who signed in.
fn acting_as(user: &User, roles: Vec<Role>, provider: Provider) -> Credential {
    let kind = match user.is_service_account {
        true => PrincipalKind::ServiceAccount,
        false => PrincipalKind::User,
    };
    let name = user.username.as_name().clone();
    let principal = Principal { kind, id: user.id.as_uuid(), name };
    Credential {
        owner_enabled: Some(user.enabled),
        signed_in: true,
        external_id: user.external_id.clone(),
        metadata: user.metadata.clone(),
        limits: Limits { rates: user.rate_limits.clone(), ..Limits::none(user.id.as_uuid()) },
        ..bare(principal, roles, provider)
    }
}

fn bare(principal: Principal, roles: Vec<Role>, provider: Provider) -> Credential {
    Credential {
        id: principal.id,
        kind: CredentialKind::AccessToken,
        name: principal.name.clone(),
        key_prefix: String::new(),
        enabled: true,
        expiry: Expiry::Never,
        secret_expiry: Expiry::Never,
        allowed_ips: Default::default(),
        limits: Limits::none(principal.id),
        external_id: None,
        metadata: Default::default(),
        principal,
        owner_enabled: None,
        signed_in: false,
        provider: Arc::new(provider),
        rights: Arc::new(Rights::of(&roles)),
        roles: roles.into(),
        scopes: None,
    }
}
