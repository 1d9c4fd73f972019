//! Formats that no key has any more are forgotten: a text that looks so is junk again.

use keystile_domain::{
    Action, Provider, ProviderSettings, SecretFormat, Target, TargetKind, Timestamp,
};
use keystile_storage::{Conn, StoreError};
use serde_json::json;

use crate::change::Scope;
use crate::{Keystile, ServiceError};

impl Keystile {
    /// Forgets every format that no provider uses and no secret has that works, or could work again.
    ///
    /// Where a few old secrets are left, finding out reads through all of them: once an hour is
    /// often enough. Any number of nodes may be at it at once.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Store`] if the store did not answer; the next time makes up for it.
    pub async fn forget_unused_formats(&self) -> Result<(), ServiceError> {
        let mut conn = self.store.read().await?;
        let unused = unused(&mut conn, self.clock.now()).await?;
        drop(conn);
        if unused.is_empty() {
            return Ok(());
        }
        self.change_unasked(None, |scope| Box::pin(forget_unused(scope))).await?;
        self.learn_providers().await
    }
}

/// Looks once more, now that nothing changes meanwhile: a provider may have come back to a format.
async fn forget_unused(scope: &mut Scope) -> Result<(), ServiceError> {
    for format in unused(&mut scope.tx, scope.now).await? {
        scope.tx.forget_format(&format).await?;
        let SecretFormat { prefix, encoding, key_length } = &format;
        let state = json!({
            "prefix": prefix.as_str(),
            "encoding": encoding.as_str(),
            "key_length": key_length.bytes(),
        });
        let name = format.to_string();
        let target = Target { kind: TargetKind::Format, id: name.clone(), name };
        scope.record(Action::FormatForgotten, target, (Some(state), None), None)?;
    }
    Ok(())
}

async fn unused(conn: &mut Conn, now: Timestamp) -> Result<Vec<SecretFormat>, StoreError> {
    let providers = conn.list_providers().await?;
    let mut unused = Vec::new();
    for format in conn.list_formats().await? {
        let is_used = providers.iter().any(|provider| format_of(provider) == Some(&format));
        if !is_used && !conn.is_format_alive(&format, now).await? {
            unused.push(format);
        }
    }
    Ok(unused)
}

fn format_of(provider: &Provider) -> Option<&SecretFormat> {
    match &provider.settings {
        ProviderSettings::Keys(settings) => Some(&settings.format),
        _ => None,
    }
}
