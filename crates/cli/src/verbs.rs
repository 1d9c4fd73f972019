//! The five verbs that every resource has, each written once.

mod get;
mod list;
mod new;
mod remove;
mod set;

use clap::{Args, Subcommand};

pub use get::Get;
pub use list::List;
pub use new::{New, print_made, print_what_if, refuse_to_lose_the_secret};
pub use remove::Remove;
pub use set::Set;

use crate::failure::Failure;
use crate::resource::Resource;
use crate::session::{Common, Session};

/// What can be done with the things of one kind.
#[derive(Subcommand)]
pub enum Verb<R: Resource> {
    #[command(about = format!("Show one or several {} with all that is known of them", R::MANY))]
    #[command(alias = "show", after_help = examples(R::EXAMPLES.get))]
    Get(Get<R>),
    #[command(about = format!("List {}, all or those that fit", R::MANY), visible_alias = "ls")]
    #[command(after_help = examples(R::EXAMPLES.list))]
    List(List<R>),
    #[command(about = format!("Make one of the {}", R::MANY))]
    #[command(aliases = ["create", "add"], after_help = examples(R::EXAMPLES.new))]
    New(New<R>),
    #[command(about = format!("Remove {} for ever", R::MANY), visible_alias = "rm")]
    #[command(alias = "delete", after_help = examples(R::EXAMPLES.remove))]
    Remove(Remove<R>),
    #[command(about = format!("Change {}", R::MANY))]
    #[command(alias = "update", after_help = examples(R::EXAMPLES.set))]
    Set(Set<R>),
}

/// Lines of examples, as the help of a command ends with them.
pub fn examples(lines: &[&str]) -> String {
    lines.iter().fold("Examples:".to_owned(), |text, line| text + "\n  keystile " + line)
}

/// The verbs of one kind of thing, and the flags that all of them have.
#[derive(Args)]
#[command(arg_required_else_help = true)]
pub struct Group<V: Subcommand> {
    /// What to do.
    #[command(subcommand)]
    pub verb: V,
    /// Which server, and how to print.
    #[command(flatten)]
    pub common: Common,
}

impl<R: Resource> Verb<R> {
    /// Does it.
    ///
    /// # Errors
    /// What went wrong.
    pub async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Get(get) => get.run(session).await,
            Self::List(list) => list.run(session).await,
            Self::New(new) => new.run(session).await,
            Self::Remove(remove) => remove.run(session).await,
            Self::Set(set) => set.run(session).await,
        }
    }
}
