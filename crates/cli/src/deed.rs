//! How things are changed, one after the other: what-if, questions, Ctrl-C, and what is told of it.

use clap::Args;
use keystile_client::Change;
use serde::Serialize;
use serde_json::{Value, json};

use crate::environment;
use crate::failure::Failure;
use crate::output::{self, Shown, plain, say};
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

    /// Whether things are printed, and not only told of: as they would be too, if a form was asked
    /// for.
    fn prints(&self, session: &Session) -> bool {
        self.pass_thru || (self.what_if && session.form.is_some())
    }
}

impl<T> Outcome<T> {
    /// What there is to print: of what is no more, what it was.
    fn or(self, before: T) -> T {
        match self {
            Self::Now(after) => after,
            Self::Gone => before,
        }
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
    let mut asks = asks.or(flags.confirm.then_some(WITHOUT_CONFIRM));
    let mut changed = Vec::new();
    if asks.is_some() && tally.all > 1 && environment::has_somebody() {
        say(format_args!("{} {} to {}", tally.all, words.many, words.verb));
    }
    for thing in things {
        if session.stop.is_pressed() {
            tally.interrupted = true;
            break;
        }
        let thing = match thing {
            Ok(thing) => thing,
            Err(failure) => {
                tally.fail(None, failure);
                continue;
            }
        };
        let title = title(words.one, &thing);
        if flags.what_if || flags.confirm {
            match act(&thing, &Change::new().dry_run(true)).await {
                Ok(after) => {
                    tell_what_if(session, flags, words, &title, &thing, &after)?;
                    if flags.what_if {
                        tally.done += 1;
                        changed.push(after.or(thing));
                        continue;
                    }
                }
                Err(failure) => {
                    tally.fail(Some(&title), failure.of_question());
                    continue;
                }
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
                Ok(Answer::Quit) => {
                    tally.quit = true;
                    break;
                }
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
                session.note(&match &after {
                    Outcome::Now(after) if is_same(&thing, after)? => {
                        format!("{} is so already", capital(&title))
                    }
                    _ => format!("{} {title}", capital(words.done)),
                });
                changed.push(after.or(thing));
            }
            Err(failure) => tally.fail(Some(&title), failure),
        }
    }
    if flags.prints(session) {
        output::even_if_closed(print_all(session, &changed, tally.all))?;
    }
    tally.end(session, flags, words)
}

/// Says what would be done, and what would come of it: without what only the deed itself draws, and
/// what says nothing.
///
/// # Errors
/// It cannot be told.
pub fn would(
    session: &Session,
    deed: &str,
    thing: &impl Serialize,
    more: &[(&str, String)],
) -> Result<String, Failure> {
    let mut members = without_drawn(thing)?;
    if let Some(members) = members.as_object_mut() {
        members.retain(|_, value| says_something(value));
        members.extend(more.iter().map(|(name, text)| ((*name).to_owned(), json!(text))));
    }
    let members = output::details(&members, &session.look);
    Ok(format!("What if: would {deed}\n{}", members.trim_end()))
}

/// Something as it would be, without what only the deed itself draws.
///
/// # Errors
/// It cannot be told.
pub fn without_drawn(thing: &impl Serialize) -> Result<Value, Failure> {
    let mut members = serde_json::to_value(thing)?;
    if let Some(members) = members.as_object_mut() {
        members.retain(|name, _| !DRAWN.contains(&name.as_str()));
    }
    Ok(members)
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(values) => !values.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    }
}

/// What became of each.
#[derive(Default)]
struct Tally {
    all: usize,
    done: usize,
    skipped: usize,
    failed: Vec<Failure>,
    interrupted: bool,
    quit: bool,
}

impl Tally {
    /// Where there are several, each failure is told when it happens, and of what.
    fn fail(&mut self, title: Option<&str>, failure: Failure) {
        if self.all > 1 {
            let of = title.map(|title| format!("{title}: ")).unwrap_or_default();
            say(format_args!("keystile: {of}{failure}"));
        }
        self.failed.push(failure);
    }

    fn end(mut self, session: &Session, flags: &ChangeFlags, words: Words) -> Result<(), Failure> {
        let Self { all, done, .. } = self;
        let would = if flags.what_if { "would be " } else { "" };
        let became = format!("{} {would}{}", words.many, words.done);
        let told = |what: &str| format!("{what}: {done} of {all} {became}");
        if self.quit || (self.skipped > 0 && !self.interrupted) {
            let left = all - done - self.failed.len();
            session.note(&match done {
                0 if self.failed.is_empty() => prompt::DECLINED.to_owned(),
                _ => format!("{}, {left} left as they were", told("answered")),
            });
        }
        if self.interrupted {
            return Err(match done {
                0 if self.failed.is_empty() => {
                    Failure::Interrupted("interrupted: nothing was done".into())
                }
                0 => Failure::Interrupted(told("interrupted")),
                _ if done + self.skipped == all => return Ok(()),
                _ => Failure::Partly(told("interrupted")),
            });
        }
        match (self.failed.pop(), all) {
            (None, _) => Ok(()),
            (Some(failure), 1) => Err(failure),
            (Some(last), _) if done == 0 => {
                let alike = self.failed.iter().all(|other| other.number() == last.number());
                let text = format!("none of {all} {became}");
                Err(if alike { last.saying(text) } else { Failure::System(text) })
            }
            (Some(_), _) => {
                Err(Failure::Partly(told(if flags.what_if { "in part" } else { "partly done" })))
            }
        }
    }
}

/// How a thing is told from others: `API key "CI pipeline" 0199…`.
pub fn title(one: &str, thing: &impl Shown) -> String {
    format!("{one} \"{}\" {}", plain(thing.name()), thing.id())
}

/// Tells it where it is in nobody's way: on standard error, where standard output has the things.
fn tell_what_if<T: Shown>(
    session: &Session,
    flags: &ChangeFlags,
    words: Words,
    title: &str,
    before: &T,
    after: &Outcome<T>,
) -> Result<(), Failure> {
    let mut text = vec![format!("What if: would {} {title}", words.verb)];
    if let Outcome::Now(after) = after {
        if is_same(before, after)? {
            text.push("  it is so already".to_owned());
        }
        text.extend(differences(before, after)?);
    }
    if flags.confirm {
        text.iter().for_each(say);
    } else if flags.prints(session) {
        text.iter().for_each(|line| session.note(line));
    } else {
        output::lines(text)?;
    }
    Ok(())
}

/// Whether a change left a thing as it was. One of what is never shown, a password say, is seen by
/// its time.
fn is_same(before: &impl Serialize, after: &impl Serialize) -> Result<bool, Failure> {
    Ok(serde_json::to_value(before)? == serde_json::to_value(after)?)
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

/// What to write where `--confirm` finds nobody to ask.
pub const WITHOUT_CONFIRM: &str = "leave --confirm out";
/// The members that a thing has from when it was made or changed.
const DRAWN: [&str; 6] =
    ["id", "created_at", "created_by", "key_prefix", "last_used_at", "updated_at"];

/// A word at the beginning of a sentence.
pub fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
