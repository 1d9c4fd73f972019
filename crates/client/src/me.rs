//! Whoever calls.

use keystile_api::auth::{PasswordChange, PasswordChanged};
use keystile_api::me::Me as Caller;

use crate::{Answer, Change, Client, Result, operations};

/// Whoever calls, and their own password.
#[derive(Clone, Debug)]
pub struct Me(pub(crate) Client);

impl Me {
    /// Who the caller is, what they may do, and the credential that they showed.
    pub async fn show(&self) -> Result<Caller<'static>> {
        self.0.call(operations::show_me, &[]).read().await
    }

    /// Sets a new password for whoever has signed in.
    pub async fn change_password(
        &self,
        new: &PasswordChange,
        change: &Change,
    ) -> Result<Answer<PasswordChanged>> {
        self.0.call(operations::change_password, &[]).json(new).change(change).answer().await
    }
}
