//! The things that a command names: by id, by name, by pattern, or by ids from standard input.

use std::collections::HashSet;
use std::io::{self, BufRead, BufReader};

use clap::Args;
use futures_util::TryStreamExt;

use crate::deed::title;
use crate::failure::Failure;
use crate::files::bounded;
use crate::output::{Shown, plain};
use crate::resource::Resource;
use crate::session::Session;

/// The things that a command names.
#[derive(Args, Clone, Debug)]
pub struct Targets {
    /// Ids, names or patterns such as 'temp-*'; `-` reads ids from standard input
    #[arg(required = true, value_name = "ID")]
    targets: Vec<String>,
}

impl Targets {
    /// Whether exactly one thing is meant, and not whatever fits.
    pub fn is_one(&self) -> bool {
        matches!(&self.targets[..], [one] if one != STANDARD_INPUT && !is_pattern(one))
    }

    /// Makes sure that somebody can be asked: not where the ids come from standard input.
    ///
    /// # Errors
    /// They do, and this is what to write instead.
    pub fn leave_the_terminal_free(&self, instead: &str) -> Result<(), Failure> {
        if self.targets.iter().any(|target| target == STANDARD_INPUT) {
            return Err(Failure::Usage(format!(
                "the ids come from standard input, so nobody can be asked there: {instead}"
            )));
        }
        Ok(())
    }

    /// Finds each, in order, and no thing twice. What cannot be found stands in its place.
    ///
    /// # Errors
    /// Standard input cannot be read, or Ctrl-C was pressed.
    pub async fn find<R: Resource>(
        &self,
        resource: &R,
        session: &Session,
    ) -> Result<Vec<Result<R::Thing, Failure>>, Failure> {
        let mut found: Vec<Result<R::Thing, Failure>> = Vec::new();
        let mut seen = HashSet::new();
        for target in self.texts::<R>(session)? {
            let things = session
                .stop
                .unless_pressed(async { Ok::<_, Failure>(look_up(resource, &target).await) });
            match things.await? {
                Ok(things) => {
                    let new = things.into_iter().filter(|thing| seen.insert(thing_id(thing)));
                    found.extend(new.map(Ok));
                }
                Err(failure) => found.push(Err(failure)),
            }
        }
        Ok(found)
    }

    /// Leaves out what the caller acts as or with, so that a pattern or a list does not shut out
    /// whoever gave it. The id itself is no accident.
    ///
    /// # Errors
    /// Nobody could say who the caller is, or Ctrl-C was pressed.
    pub async fn spare_oneself<R: Resource>(
        &self,
        found: Vec<Result<R::Thing, Failure>>,
        session: &Session,
    ) -> Result<Vec<Result<R::Thing, Failure>>, Failure> {
        let ids = self.targets.iter().filter_map(|target| target.parse::<R::Id>().ok());
        let named: Vec<_> = ids.map(|id| id.to_string()).collect();
        if named.len() == self.targets.len() {
            return Ok(found);
        }
        let me = session.stop.unless_pressed(session.client.me().show()).await?;
        let oneself = [me.credential.id, me.principal.id].map(|id| id.to_string());
        let spare = |thing: R::Thing| match thing.id() {
            id if oneself.contains(&id) && !named.contains(&id) => Err(Failure::Partly(format!(
                "{} is who asks, and is left out: give its id to mean it",
                title(R::ONE, &thing)
            ))),
            _ => Ok(thing),
        };
        Ok(found.into_iter().map(|thing| thing.and_then(spare)).collect())
    }

    /// What is to be found. From standard input these are ids and nothing else: a thing may be
    /// called `*`, or by the id of another.
    fn texts<R: Resource>(&self, session: &Session) -> Result<Vec<String>, Failure> {
        let mut texts = Vec::new();
        for target in &self.targets {
            if target != STANDARD_INPUT {
                texts.push(target.clone());
                continue;
            }
            let before = texts.len();
            let lines = BufReader::new(bounded(io::stdin().lock())).lines();
            for (number, line) in lines.enumerate() {
                let line =
                    line.map_err(|error| Failure::System(format!("standard input: {error}")))?;
                let line = line.trim();
                if line.is_empty() {
                    continue;
                }
                if line.parse::<R::Id>().is_err() {
                    let (number, one) = (number + 1, R::ONE);
                    return Err(Failure::Usage(format!(
                        "line {number} of standard input is no {one}'s id: {}",
                        plain(line)
                    )));
                }
                texts.push(line.to_owned());
            }
            if texts.len() == before {
                session.note("no ids came from standard input");
            }
        }
        Ok(texts)
    }
}

/// Finds the one thing of this id or name.
///
/// # Errors
/// There is none, or more than one.
pub async fn find_one<R: Resource>(resource: &R, text: &str) -> Result<R::Thing, Failure> {
    if is_pattern(text) {
        return Err(Failure::Usage(format!("{text}: a pattern cannot stand here")));
    }
    let mut found = look_up(resource, text).await?;
    found.pop().ok_or_else(|| none::<R>(text))
}

/// All things that a text names: one for an id or a name, any number for a pattern.
async fn look_up<R: Resource>(resource: &R, text: &str) -> Result<Vec<R::Thing>, Failure> {
    if let Ok(id) = text.parse::<R::Id>() {
        let shown = resource.show(id).await;
        return match shown {
            Err(error) if error.is_not_found() => Err(none::<R>(text)),
            shown => Ok(vec![shown?]),
        };
    }
    let things: Vec<R::Thing> = resource.named(text).try_collect().await?;
    match &things[..] {
        [] => Err(none::<R>(text)),
        [_, _, ..] if !is_pattern(text) => {
            let ids: Vec<_> = things.iter().map(thing_id).collect();
            Err(Failure::Usage(format!(
                "{} {} are called {text}; say which by its id: {}",
                things.len(),
                R::MANY,
                ids.join(", ")
            )))
        }
        _ => Ok(things),
    }
}

fn none<R: Resource>(text: &str) -> Failure {
    Failure::NotFound(format!("there is no {} {text}", R::ONE))
}

fn thing_id(thing: &impl Shown) -> String {
    thing.id()
}

/// Whether a text stands for more than one name.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

const STANDARD_INPUT: &str = "-";
