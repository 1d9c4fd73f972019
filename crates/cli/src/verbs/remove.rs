//! `remove`: things end for ever, and somebody is asked first.

use clap::Args;

use crate::deed::{ChangeFlags, Outcome, Words, each};
use crate::failure::Failure;
use crate::resource::Resource;
use crate::session::Session;
use crate::targets::Targets;

/// Removes things.
// Its members have groups of the same names.
#[derive(Args)]
#[group(skip)]
pub struct Remove<R: Resource> {
    #[command(flatten)]
    targets: Targets,
    #[command(flatten)]
    removal: R::Removal,
    /// Do not ask
    #[arg(long, short)]
    force: bool,
    #[command(flatten)]
    scope: R::Scope,
    #[command(flatten)]
    flags: ChangeFlags,
}

impl<R: Resource> Remove<R> {
    pub async fn run(self, session: &Session) -> Result<(), Failure> {
        let asks = (!self.force && !self.flags.what_if).then_some(INSTEAD);
        if asks.is_some() || self.flags.confirm {
            self.targets.leave_the_terminal_free(INSTEAD)?;
        }
        let resource = session.stop.unless_pressed(R::open(&session.client, self.scope)).await?;
        let things = self.targets.find(&resource, session).await?;
        let things = self.targets.spare_oneself::<R>(things, session).await?;
        let words = Words { one: R::ONE, many: R::MANY, verb: "remove", done: "removed" };
        each(session, &self.flags, words, asks, things, async |thing, change| {
            resource.remove(thing, &self.removal, change).await?;
            Ok(Outcome::Gone)
        })
        .await
    }
}

const INSTEAD: &str = "--force removes without asking";
