//! `whoami`: who asks, where, and with what.

use clap::Args;
use keystile_api::me::{Me, RoleName};

use crate::failure::Failure;
use crate::output::{self, Form, moment, plain};
use crate::session::{Common, Session};

/// Shows who asks.
#[derive(Args)]
pub struct Whoami {
    #[command(flatten)]
    common: Common,
}

impl Whoami {
    /// Does it.
    ///
    /// # Errors
    /// What went wrong.
    pub async fn run(self) -> Result<(), Failure> {
        let session = self.common.open()?;
        let me = session.stop.unless_pressed(session.client.me().show()).await?;
        match session.form() {
            Form::Table => output::lines(told(&me, &session)),
            Form::Id => output::lines([me.principal.id.to_string()]),
            Form::Name => output::lines([plain(&me.principal.name)]),
            form => output::value(&me, form, &session.look),
        }
    }
}

fn told(me: &Me<'_>, session: &Session) -> Vec<String> {
    let list = |texts: Vec<String>| if texts.is_empty() { "none".into() } else { texts.join(", ") };
    let role = |role: &RoleName<'_>| format!("{} ({})", plain(&role.name), role.id);
    let (principal, credential) = (&me.principal, &me.credential);
    let kind = |kind: &str| plain(&kind.replace('_', " "));
    let ends = moment(credential.expires_at.as_deref(), "never", &session.look);
    vec![
        format!("server       {}", session.client.server()),
        format!("name         {} ({})", plain(&principal.name), kind(&principal.kind)),
        format!("credential   {} {}", kind(&credential.kind), plain(&credential.key_prefix)),
        format!("kept in      {}", session.source),
        format!("expires      {ends}"),
        format!("roles        {}", list(me.roles.iter().map(role).collect())),
        format!(
            "permissions  {}",
            plain(&list(me.permissions.iter().map(ToString::to_string).collect()))
        ),
    ]
}
