//! `get`: all that is known of some things.

use clap::Args;

use crate::failure::Failure;
use crate::output;
use crate::resource::Resource;
use crate::session::Session;
use crate::targets::Targets;

/// Shows things.
// Its members have groups of the same names.
#[derive(Args)]
#[group(skip)]
pub struct Get<R: Resource> {
    #[command(flatten)]
    targets: Targets,
    #[command(flatten)]
    scope: R::Scope,
}

impl<R: Resource> Get<R> {
    pub async fn run(self, session: &Session) -> Result<(), Failure> {
        let resource = session.stop.unless_pressed(R::open(&session.client, self.scope)).await?;
        let mut found = self.targets.find(&resource, session).await?;
        if self.targets.is_one()
            && let Some(thing) = found.pop()
        {
            return output::one(&thing?, session.form(), &session.look);
        }
        let all = found.len();
        let (mut things, mut failures) = (Vec::new(), Vec::new());
        for thing in found {
            match thing {
                Ok(thing) => things.push(thing),
                Err(failure) => failures.push(failure),
            }
        }
        output::even_if_closed(output::many(&things, session.form(), &session.look))?;
        let Some(last) = failures.pop() else { return Ok(()) };
        failures.iter().for_each(|failure| output::say(format_args!("keystile: {failure}")));
        if all == 1 || things.is_empty() {
            return Err(last);
        }
        output::say(format_args!("keystile: {last}"));
        Err(Failure::Partly(format!("{} of {all} {} shown", things.len(), R::MANY)))
    }
}
