//! `list`: the things that fit.

use std::num::NonZeroUsize;

use clap::Args;
use futures_util::{StreamExt, TryStreamExt};

use crate::failure::Failure;
use crate::output;
use crate::resource::Resource;
use crate::session::Session;

/// Lists things.
// Its members have groups of the same names.
#[derive(Args)]
#[group(skip)]
pub struct List<R: Resource> {
    #[command(flatten)]
    filter: R::Filter,
    #[command(flatten)]
    scope: R::Scope,
    /// What to sort by, as in `name`, or `-created_at` for descending
    #[arg(long, value_name = "MEMBER", allow_hyphen_values = true)]
    sort: Option<String>,
    /// No more than so many
    #[arg(long, value_name = "NUMBER")]
    limit: Option<NonZeroUsize>,
}

impl<R: Resource> List<R> {
    pub async fn run(self, session: &Session) -> Result<(), Failure> {
        let things = session.stop.unless_pressed(async {
            let resource = R::open(&session.client, self.scope).await?;
            let things = resource.list(&self.filter, self.sort.as_deref()).await?;
            let things = things.take(self.limit.unwrap_or(NonZeroUsize::MAX).get());
            Ok::<_, Failure>(things.try_collect::<Vec<_>>().await?)
        });
        let things = things.await?;
        if things.is_empty() && session.form.is_none() {
            session.note(&format!("no {} were found", R::MANY));
        }
        output::many(&things, session.form(), &session.look)
    }
}
