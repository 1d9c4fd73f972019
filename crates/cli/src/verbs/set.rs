//! `set`: other values for some members, in each of some things.

use clap::Args;
use serde_json::json;

use crate::deed::{ChangeFlags, Outcome, Words, each};
use crate::failure::Failure;
use crate::resource::Resource;
use crate::session::Session;
use crate::targets::Targets;

/// Changes things.
// Its members have groups of the same names.
#[derive(Args)]
#[group(skip)]
pub struct Set<R: Resource> {
    #[command(flatten)]
    targets: Targets,
    #[command(flatten)]
    set: R::Set,
    #[command(flatten)]
    scope: R::Scope,
    #[command(flatten)]
    flags: ChangeFlags,
}

impl<R: Resource> Set<R> {
    pub async fn run(self, session: &Session) -> Result<(), Failure> {
        if self.flags.confirm {
            self.targets.leave_the_terminal_free("leave --confirm out")?;
        }
        let resource = session.stop.unless_pressed(R::open(&session.client, self.scope)).await?;
        let patch = session.stop.unless_pressed(resource.patch(self.set, session)).await?;
        let asked = serde_json::to_value(&patch)?;
        if asked == json!({}) {
            return Err(Failure::Usage("say what to change: --help has the flags".into()));
        }
        let mut things = self.targets.find(&resource, session).await?;
        let members = asked.as_object().into_iter().flatten();
        let mut members = members.filter(|(name, value)| {
            !HARMLESS.contains(&name.as_str())
                && (name.as_str(), *value) != ("enabled", &json!(true))
        });
        if members.next().is_some() {
            things = self.targets.spare_oneself::<R>(things, session).await?;
        }
        let words = Words { one: R::ONE, many: R::MANY, verb: "change", done: "changed" };
        each(session, &self.flags, words, None, things, async |thing, change| {
            Ok(Outcome::Now(resource.update(thing, &patch, change).await?))
        })
        .await
    }
}

/// What may be changed of whoever asks without taking anything from them.
const HARMLESS: [&str; 5] = ["description", "display_name", "external_id", "metadata", "name"];
