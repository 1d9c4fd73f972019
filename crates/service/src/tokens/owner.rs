//! Whose tokens a request is about, and what the caller needs for that: the one place that knows
//! the difference between one's own tokens, those of a service account and those of a person.

use keystile_domain::{
    Credential, KeySettings, Power, PrincipalKind, Rights, Role, Token, TokenId, User, UserId,
};
use keystile_storage::Conn;

use crate::change::Scope;
use crate::usage::Notes;
use crate::{Caller, ServiceError};

/// How a request names the owner of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenOwner {
    /// Whoever asks.
    Caller,
    /// The user or service account with this id.
    User(UserId),
}

/// What is to be done with the tokens of another.
#[derive(Clone, Copy, Debug)]
pub(super) enum Access {
    Read,
    Write,
}

/// An owner of tokens, as they are now.
pub(super) struct Owner {
    pub(super) user: User,
    pub(super) roles: Vec<Role>,
    /// Whether it is who asks.
    pub(super) is_caller: bool,
}

impl Owner {
    /// The owner, if the caller may do that with their tokens.
    pub(super) async fn find(
        conn: &mut Conn,
        (caller, notes): (&Credential, &Notes),
        asked: TokenOwner,
        access: Access,
    ) -> Result<Self, ServiceError> {
        let own = account(caller);
        let id = match asked {
            TokenOwner::Caller => own.ok_or(ServiceError::NoAccount)?,
            TokenOwner::User(id) => {
                access.require_any(&caller.rights)?;
                id
            }
        };
        let found = conn.find_user_with_roles(id).await?;
        let (user, roles) = found.ok_or(ServiceError::NotFound)?;
        if asked != TokenOwner::Caller {
            notes.power(access.require(&caller.rights, user.is_service_account)?);
        }
        Ok(Self { user, roles, is_caller: own == Some(id) })
    }

    /// A token of this owner; one of somebody else is as unknown here as any other.
    pub(super) async fn token(&self, conn: &mut Conn, id: TokenId) -> Result<Token, ServiceError> {
        let token = conn.find_token(id).await?;
        token.filter(|token| token.owner == self.user.id).ok_or(ServiceError::NotFound)
    }

    /// What a token of this owner allows now.
    pub(super) fn rights_of(&self, token: &Token) -> Rights {
        Rights::of(&self.roles).within(token.scopes.as_ref())
    }

    /// Whether the caller may be given a secret that acts as this owner.
    pub(super) fn hand_out(
        &self,
        scope: &Scope,
        settings: &KeySettings,
    ) -> Result<(), ServiceError> {
        if self.is_caller {
            return Ok(());
        }
        if !self.user.is_service_account && !settings.admin_may_create {
            return Err(ServiceError::NotForOthers);
        }
        Ok(self.roles.iter().try_for_each(|role| scope.rights.reach_role(role))?)
    }
}

impl Access {
    /// Refuses whoever could do it with nobody's tokens, before anybody is looked up.
    fn require_any(self, rights: &Rights) -> Result<(), ServiceError> {
        self.require(rights, false).or_else(|_| self.require(rights, true)).map(drop)
    }

    /// The power by which it may be done.
    fn require(self, rights: &Rights, is_service_account: bool) -> Result<Power, ServiceError> {
        let (power, or) = self.powers(is_service_account);
        let held = [Some(power), or].into_iter().flatten().find(|power| rights.hold(*power));
        held.ok_or_else(|| ServiceError::Lacking(power.permission()))
    }

    /// What is needed, and what does as well.
    fn powers(self, is_service_account: bool) -> (Power, Option<Power>) {
        let write = match is_service_account {
            true => Power::ServiceAccountsTokens,
            false => Power::UsersWrite,
        };
        match self {
            Self::Read => (Power::TokensRead, Some(write)),
            Self::Write => (write, None),
        }
    }
}

impl Caller {
    /// The account that they act as.
    ///
    /// # Errors
    ///
    /// [`ServiceError::NoAccount`] if it is neither a user nor a service account.
    pub fn account(&self) -> Result<UserId, ServiceError> {
        account(self.credential()).ok_or(ServiceError::NoAccount)
    }
}

fn account(caller: &Credential) -> Option<UserId> {
    match caller.principal.kind {
        PrincipalKind::ServiceAccount | PrincipalKind::User => Some(caller.principal.id.into()),
        _ => None,
    }
}
