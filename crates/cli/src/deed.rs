//! How things are changed, one after the other: what-if, questions, Ctrl-C, and what is told of it.

use clap::Args;
use keystile_client::Change;
use serde::Serialize;
use serde_json::Value;

use crate::failure::Failure;
use crate::output::{self, Shown, plain};
use crate::prompt::{self, Answer};
use crate::session::Session;

/// The flags of every change.
#[derive(Args, Clone, Debug)]
pub struct ChangeFlags {
    /// Print what would be done, as the server would do it, and change nothing
    #[arg(long, alias = "dry-run")]
    pub what_if: bool,
    /// Show each change and ask before it is made
    #[arg(long, conflicts_with = "what_if")]
    pub confirm: bool,
    /// Print what was changed, as `get` does
    #[arg(long)]
    pub pass_thru: bool,
    /// Go on when the change is in force on every server and verifier
    #[arg(long)]
    pub wait: bool,
}

/// A change, in words.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// What one thing is called.
    pub one: &'static str,
    /// What several are called.
    pub many: &'static str,
    /// What is to be done: "remove".
    pub verb: &'static str,
    /// What was done: "removed".
    pub done: &'static str,
}

/// What a change of one thing came to.
pub enum Outcome<T> {
    /// It is as it says.
    Now(T),
    /// It is no more.
    Gone,
}

impl ChangeFlags {
    /// The same for the server.
    pub fn change(&self) -> Change {
        Change::new().dry_run(self.what_if).wait_for_cluster(self.wait)
    }

    fn rehearsal(&self) -> Change {
        Change::new().dry_run(true)
    }
}

/// Changes each of these things, and tells of it.
///
/// `asks` has the first word where changes are asked for even without `--confirm`: what to write
/// instead, if there is nobody to ask.
///
/// # Errors
/// The first thing that went wrong, if there was one thing; otherwise how many did.
pub async fn each<T: Shown + Clone>(
    session: &Session,
    flags: &ChangeFlags,
    words: Words,
    asks: Option<&str>,
    things: Vec<Result<T, Failure>>,
    act: impl AsyncFn(&T, &Change) -> Result<Outcome<T>, Failure>,
) -> Result<(), Failure> {
    let mut tally = Tally { all: things.len(), ..Tally::default() };
    let mut asks = asks.or(flags.confirm.then_some("leave --confirm out"));
    let mut changed = Vec::new();
    for thing in things {
        if session.stop.is_pressed() {
            tally.interrupted = true;
            break;
        }
        let thing = match thing {
            Ok(thing) => thing,
            Err(failure) => {
                tally.fail(failure);
                continue;
            }
        };
        let title = title(words.one, &thing);
        if flags.what_if || flags.confirm {
            match act(&thing, &flags.rehearsal()).await {
                Ok(after) => tell_what_if(session, flags, words, &title, &thing, after)?,
                Err(failure) => {
                    tally.fail(failure);
                    continue;
                }
            }
            if flags.what_if {
                tally.done += 1;
                continue;
            }
        }
        if let Some(instead) = asks {
            let question = format!("{} {title}?", capital(words.verb));
            match prompt::ask(&question, instead) {
                Ok(Answer::Yes) => {}
                Ok(Answer::All) => asks = None,
                Ok(Answer::No) => {
                    tally.skipped += 1;
                    continue;
                }
                Ok(Answer::Quit) => break,
                Err(Failure::Interrupted(_)) => {
                    tally.interrupted = true;
                    break;
                }
                Err(failure) => return Err(failure),
            }
        }
        match act(&thing, &flags.change()).await {
            Ok(after) => {
                tally.done += 1;
                session.note(&format!("{} {title}", capital(words.done)));
                changed.push(match after {
                    Outcome::Now(after) => after,
                    Outcome::Gone => thing,
                });
            }
            Err(failure) => tally.fail(failure),
        }
    }
    if flags.pass_thru {
        output::even_if_closed(print_all(session, &changed, tally.all))?;
    }
    tally.end(words)
}

/// What became of each.
#[derive(Default)]
struct Tally {
    all: usize,
    done: usize,
    skipped: usize,
    failed: Vec<Failure>,
    interrupted: bool,
}

impl Tally {
    /// Where there are several, each failure is told when it happens.
    fn fail(&mut self, failure: Failure) {
        if self.all > 1 {
            eprintln!("keystile: {failure}");
        }
        self.failed.push(failure);
    }

    fn end(mut self, words: Words) -> Result<(), Failure> {
        let Self { all, done, .. } = self;
        let told = |what: &str| format!("{what}: {done} of {all} {} {}", words.many, words.done);
        if self.interrupted {
            return Err(match done {
                0 => Failure::Interrupted("interrupted: nothing was done".into()),
                _ if done + self.skipped == all => return Ok(()),
                _ => Failure::Partly(told("interrupted")),
            });
        }
        let failed = self.failed.len();
        match (self.failed.pop(), all) {
            (None, _) => Ok(()),
            (Some(failure), 1) => Err(failure),
            (Some(last), _) if done == 0 => {
                let alike = self.failed.iter().all(|other| other.number() == last.number());
                let text = format!("none of {all} {} {}", words.many, words.done);
                Err(if alike { last.saying(text) } else { Failure::System(text) })
            }
            (Some(_), _) => {
                Err(Failure::Partly(format!("{failed} failed; {}", told("partly done"))))
            }
        }
    }
}

/// How a thing is told from others: `API key "CI pipeline" 0199…`.
pub fn title(one: &str, thing: &impl Shown) -> String {
    format!("{one} \"{}\" {}", plain(thing.name()), thing.id())
}

fn tell_what_if<T: Shown>(
    session: &Session,
    flags: &ChangeFlags,
    words: Words,
    title: &str,
    before: &T,
    after: Outcome<T>,
) -> Result<(), Failure> {
    let after = match after {
        Outcome::Now(after) => Some(after),
        Outcome::Gone => None,
    };
    let differences = after.as_ref().map_or(Ok(Vec::new()), |after| differences(before, after))?;
    let mut text = vec![format!("What if: would {} {title}", words.verb)];
    text.extend(differences);
    if flags.confirm {
        text.iter().for_each(|line| eprintln!("{line}"));
        return Ok(());
    }
    match session.form {
        // Whoever wants the object gets what it would be.
        Some(form) if flags.pass_thru => {
            output::one(after.as_ref().unwrap_or(before), form, &session.look)
        }
        _ => output::lines(text),
    }
}

/// What a change makes of a thing, member by member.
fn differences(before: &impl Serialize, after: &impl Serialize) -> Result<Vec<String>, Failure> {
    let [before, after] = [serde_json::to_value(before)?, serde_json::to_value(after)?];
    let members = after.as_object().into_iter().flatten();
    let changed = members
        .filter(|(name, after)| *name != "updated_at" && before.get(name.as_str()) != Some(*after));
    let line = |(name, after): (&String, &Value)| {
        let before = before.get(name.as_str()).unwrap_or(&Value::Null);
        format!(
            "  {}: {} becomes {}",
            name.replace('_', " "),
            plain(&before.to_string()),
            plain(&after.to_string())
        )
    };
    Ok(changed.map(line).collect())
}

/// One thing alone is no list.
fn print_all<T: Shown>(session: &Session, things: &[T], asked: usize) -> Result<(), Failure> {
    match things {
        [one] if asked == 1 => output::one(one, session.form(), &session.look),
        things => output::many(things, session.form(), &session.look),
    }
}

/// A word at the beginning of a sentence.
pub fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
