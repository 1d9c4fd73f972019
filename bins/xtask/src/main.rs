//! The project's chores: `cargo xtask test` is all that a change must pass, `cargo xtask bench`
//! measures, `cargo xtask model` searches the model of revocation deeply, `cargo xtask api` and
//! `cargo xtask openapi` rewrite what is generated.
//!
//! It shares no crate with the server, so that it is built in seconds.

mod api;
mod bench;
mod model;
mod parts;
mod step;
mod test;

use anyhow::Result;
use clap::{Parser, Subcommand};

fn main() -> Result<()> {
    if let Some(rustdoc) = api::rustdoc() {
        return api::stand_for(&rustdoc);
    }
    match Arguments::parse().task {
        Task::Api => {
            api::document()?;
            api::write()
        }
        Task::Bench { quick, large, filter } => {
            let extent = match (quick, large) {
                (true, _) => bench::Extent::Quick,
                (_, true) => bench::Extent::Large,
                _ => bench::Extent::Usual,
            };
            bench::run(extent, filter.as_deref())
        }
        Task::Model { rules } => model::run(rules),
        Task::Openapi => openapi(),
        Task::Test { quick } => test::run(quick),
    }
}

fn openapi() -> Result<()> {
    let document = step::output(
        "write openapi/keystile.json",
        step::cargo(["run", "--quiet", "--package", "keystile", "--", "openapi"]),
    )?;
    std::fs::write(step::root().join("openapi/keystile.json"), document)?;
    Ok(())
}

/// The chores of the Keystile project.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Write crates/*/public-api.txt anew.
    Api,
    /// Measure the server against a bare endpoint that answers the same bytes.
    Bench {
        /// One short round with fewer keys: to see that it works.
        #[arg(long)]
        quick: bool,
        /// As many keys as the server is meant to bear: hours, and 12 GB on the disk.
        #[arg(long, conflicts_with = "quick")]
        large: bool,
        /// Only what has this in its name.
        filter: Option<String>,
    },
    /// Search millions of small worlds for one in which a revoked key is accepted.
    Model {
        /// Leave out one rule after the other, and show how the promise is then broken.
        #[arg(long)]
        rules: bool,
    },
    /// Write openapi/keystile.json anew.
    Openapi,
    /// Format, lints, all tests, documentation: what a change must pass.
    Test {
        /// Lints, and the tests that need neither PostgreSQL nor a browser nor Keycloak.
        #[arg(long)]
        quick: bool,
    },
}
