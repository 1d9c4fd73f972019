//! `keys rotate` and `tokens rotate`: a new secret, and the farewell to the old one.

use std::time::Duration;

use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use keystile_api::rotation::{ExtendRotation, OldSecretUse, Rotation};
use keystile_client::{Change, Error};
use serde_json::Value;

use crate::deed::{self, ChangeFlags, WITHOUT_CONFIRM, capital, title};
use crate::environment;
use crate::expiry::has_ended;
use crate::failure::Failure;
use crate::output::{self, Column, Form, Look, Shown, moment, plain, say};
use crate::resource::{Made, Resource};
use crate::session::Session;
use crate::spans::{overlap, overlap_or_none};
use crate::targets::find_one;
use crate::verbs::{examples, print_made, print_what_if, refuse_to_lose_the_secret};

/// A resource whose things have a secret that can be replaced.
pub trait Rotating: Resource {
    /// A line or two for each step, as its help shows them.
    const STEPS: StepExamples;

    /// Gives one a new secret; the old one works for `overlap_seconds` more.
    fn rotate(
        &self,
        thing: &Self::Thing,
        overlap_seconds: i64,
        change: &Change,
    ) -> impl Future<Output = Result<Made<Self::Thing>, Error>>;

    /// How long the old secret of one works, and who still shows it.
    fn rotation(&self, thing: &Self::Thing) -> impl Future<Output = Result<Rotation, Error>>;

    /// Lets the old secret of one work for longer.
    fn extend_rotation(
        &self,
        thing: &Self::Thing,
        extend: &ExtendRotation,
        change: &Change,
    ) -> impl Future<Output = Result<Rotation, Error>>;

    /// Ends the old secret of one now.
    fn finish_rotation(
        &self,
        thing: &Self::Thing,
        change: &Change,
    ) -> impl Future<Output = Result<Rotation, Error>>;
}

/// Lines that show how the steps of a rotation are taken.
pub struct StepExamples {
    pub rotate: &'static [&'static str],
    pub extend: &'static [&'static str],
    pub finish: &'static [&'static str],
    pub status: &'static [&'static str],
}

/// Gives a key or token a new secret, or takes a step with the old one.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(subcommand_help_heading = "The old secret", subcommand_value_name = "STEP")]
#[command(after_help = examples(R::STEPS.rotate))]
pub struct Rotate<R: Rotating> {
    /// Which one, by id or name
    #[arg(required = true, value_name = "ID")]
    target: Option<String>,
    /// How long the old secret works beside the new one, as in 1d or 12h, up to 30d; without this it
    /// ends at once
    #[arg(long, value_name = "SPAN", value_parser = overlap_or_none, default_value = "0s")]
    overlap: SignedDuration,
    /// Stay, and tell who still shows the old secret, until it ends or Ctrl-C
    #[arg(long, conflicts_with = "what_if")]
    watch: bool,
    #[command(flatten)]
    scope: R::Scope,
    #[command(flatten)]
    flags: ChangeFlags,
    #[command(subcommand)]
    step: Option<Step<R>>,
}

/// What comes after a rotation.
#[derive(Subcommand)]
enum Step<R: Rotating> {
    /// Let the old secret work for longer
    #[command(after_help = examples(R::STEPS.extend))]
    Extend {
        #[command(flatten)]
        rotated: Rotated<R>,
        /// How long from now, as in 1d or 12h, up to 30d
        #[arg(long, value_name = "SPAN", value_parser = overlap)]
        overlap: SignedDuration,
        #[command(flatten)]
        flags: ChangeFlags,
    },
    /// End the old secret now
    #[command(after_help = examples(R::STEPS.finish))]
    Finish {
        #[command(flatten)]
        rotated: Rotated<R>,
        #[command(flatten)]
        flags: ChangeFlags,
    },
    /// Show how long the old secret works, and who still shows it
    #[command(after_help = examples(R::STEPS.status))]
    Status {
        #[command(flatten)]
        rotated: Rotated<R>,
        /// Stay until the old secret ends, or Ctrl-C
        #[arg(long)]
        watch: bool,
    },
}

/// What a step is about.
#[derive(Args)]
struct Rotated<R: Rotating> {
    /// Which one, by id or name
    #[arg(value_name = "ID")]
    target: String,
    #[command(flatten)]
    scope: R::Scope,
}

impl<R: Rotating> Rotate<R> {
    /// Does it.
    ///
    /// # Errors
    /// What went wrong.
    pub async fn run(self, session: &Session) -> Result<(), Failure> {
        match (self.step, self.target) {
            (None, Some(target)) => {
                let rotated = Rotated { target, scope: self.scope };
                rotate::<R>(session, rotated, self.overlap, &self.flags, self.watch).await
            }
            (None, None) => Err(Failure::Usage("which one? Give its id or name".into())),
            (Some(Step::Extend { rotated, overlap, flags }), _) => {
                let extend = ExtendRotation { overlap_seconds: overlap.as_secs() };
                let step = ("extend the rotation of", "extended the rotation of");
                farewell(session, rotated, &flags, step, async |all: &R, one, change| {
                    all.extend_rotation(one, &extend, change).await
                })
                .await
            }
            (Some(Step::Finish { rotated, flags }), _) => {
                let step = ("finish the rotation of", "finished the rotation of");
                farewell(session, rotated, &flags, step, async |all: &R, one, change| {
                    all.finish_rotation(one, change).await
                })
                .await
            }
            (Some(Step::Status { rotated, watch: false }), _) => {
                session.refuse_names()?;
                let (all, one) = rotated.find(session).await?;
                show(session, &session.stop.unless_pressed(all.rotation(&one)).await?)
            }
            (Some(Step::Status { rotated, watch: true }), _) => {
                let (all, one) = rotated.find(session).await?;
                watch(session, &all, &one).await
            }
        }
    }
}

impl<R: Rotating> Rotated<R> {
    async fn find(self, session: &Session) -> Result<(R, R::Thing), Failure> {
        let find = async {
            let all = R::open(&session.client, self.scope).await?;
            let one = find_one(&all, &self.target).await?;
            Ok::<_, Failure>((all, one))
        };
        session.stop.unless_pressed(find).await
    }
}

async fn rotate<R: Rotating>(
    session: &Session,
    rotated: Rotated<R>,
    overlap: SignedDuration,
    flags: &ChangeFlags,
    stay: bool,
) -> Result<(), Failure> {
    refuse_to_lose_the_secret(session, R::SECRET)?;
    let (all, one) = rotated.find(session).await?;
    let title = title(R::ONE, &one);
    let before = match session.stop.unless_pressed(all.rotation(&one)).await {
        Err(interrupted @ Failure::Interrupted(_)) => return Err(interrupted),
        Err(failure) => {
            session.note(&format!("Whether an older secret still works is not known: {failure}"));
            Rotation { old_secret_expires_at: None, uses: Vec::new() }
        }
        Ok(before) => before,
    };
    let older = still_works(&before, &session.look);
    let is_own = session.stop.unless_pressed(session.acts_with(&one.id())).await?;
    let would = |thing: &R::Thing| {
        let mut more = vec![("old secret", fate::<R>(overlap, thing, &session.look)?)];
        if is_own {
            more.push(("you", format!("ask with this: {}", session.source.with_new(R::SECRET))));
        }
        more.extend(older.map(|_| ("older secret", "ends at once".to_owned())));
        deed::would(session, &format!("rotate {title}"), thing, &more)
    };
    if flags.confirm {
        let rehearsal = Change::new().dry_run(true);
        let rehearsed = all.rotate(&one, overlap.as_secs(), &rehearsal);
        say(would(&session.stop.unless_pressed(rehearsed).await?.thing)?);
    }
    // A script has made up its mind.
    let asks = older.is_some() && !flags.what_if && !session.quiet && environment::has_somebody();
    if let Some(at) = older.filter(|_| asks) {
        let at = moment(Some(at), "", &session.look);
        say(format_args!(
            "An older secret still works. It would end {at}, and ends now with this."
        ));
        before.uses.iter().for_each(|one| say(told(one, &session.look)));
        if before.uses.is_empty() {
            say(NOBODY);
        }
    }
    if (flags.confirm || asks) && !session.agrees(&format!("Rotate {title}?"), WITHOUT_CONFIRM)? {
        return Ok(());
    }
    let made = all.rotate(&one, overlap.as_secs(), &flags.change()).await?;
    if flags.what_if {
        return print_what_if(session, &made.thing, would(&made.thing)?, flags.pass_thru);
    }
    // First: whoever loses what is printed has it there.
    let kept = if is_own { session.keep(made.secret.as_ref()) } else { Ok(()) };
    print_made(session, R::ONE, R::SECRET, &made, "rotated", flags.pass_thru)?;
    if is_own {
        session.note(&format!("You ask with this: {}.", session.source.with_new(R::SECRET)));
    }
    kept?;
    if older.is_some() {
        session.note("The older secret, which still worked, has ended with this.");
    }
    if !stay || (is_own && overlap.is_zero()) {
        return Ok(());
    }
    // What was done is done, whatever comes of looking on.
    watch(session, &all, &one)
        .await
        .map_err(|failure| Failure::Partly(format!("{title} was rotated: {failure}")))
}

/// One step with an old secret, made as every change is.
async fn farewell<R: Rotating>(
    session: &Session,
    rotated: Rotated<R>,
    flags: &ChangeFlags,
    (verb, done): (&str, &str),
    step: impl AsyncFn(&R, &R::Thing, &Change) -> Result<Rotation, Error>,
) -> Result<(), Failure> {
    session.refuse_names()?;
    let (all, one) = rotated.find(session).await?;
    let title = title(R::ONE, &one);
    let would = |rotation: &Rotation| {
        let uses = rotation.uses.iter().map(|one| format!("\n  {}", told(one, &session.look)));
        let uses = if rotation.uses.is_empty() { format!("\n  {NOBODY}") } else { uses.collect() };
        let end = match still_works(rotation, &session.look) {
            Some(_) => ends(rotation, &session.look),
            None => "The old secret ends now.".to_owned(),
        };
        format!("What if: would {verb} {title}\n  {end}{uses}")
    };
    if flags.confirm {
        let rehearsal = Change::new().dry_run(true);
        let rehearsed = step(&all, &one, &rehearsal);
        say(would(&session.stop.unless_pressed(rehearsed).await?));
        if !session.agrees(&format!("{} {title}?", capital(verb)), WITHOUT_CONFIRM)? {
            return Ok(());
        }
    }
    let rotation = step(&all, &one, &flags.change()).await?;
    if flags.what_if {
        if session.form.is_none() && !flags.pass_thru {
            return output::lines([would(&rotation)]);
        }
        session.note(&format!("What if: would {verb} {title}"));
        return show(session, &rotation);
    }
    session.note(&format!("{} {title}", capital(done)));
    if flags.pass_thru { show(session, &rotation) } else { Ok(()) }
}

/// When the old secret ends, if it still works.
fn still_works<'a>(rotation: &'a Rotation, look: &Look) -> Option<&'a str> {
    let at = rotation.old_secret_expires_at.as_deref();
    at.filter(|at| !has_ended(Some(at), look.now))
}

/// What a rotation makes of the secret that is replaced, which ends with its key or token.
fn fate<R: Rotating>(
    overlap: SignedDuration,
    thing: &R::Thing,
    look: &Look,
) -> Result<String, Failure> {
    if overlap.is_zero() {
        return Ok("ends at once".to_owned());
    }
    let thing = serde_json::to_value(thing)?;
    let end = thing.get("expires_at").and_then(Value::as_str);
    let then = look.now.saturating_add(overlap).unwrap_or(Timestamp::MAX);
    let end = end.filter(|end| has_ended(Some(end), then));
    Ok(match end {
        Some(end) => format!("works until the {} ends, {}", R::ONE, moment(Some(end), "", look)),
        None => format!("works for {overlap:#} more"),
    })
}

fn show(session: &Session, rotation: &Rotation) -> Result<(), Failure> {
    let nobody = rotation.uses.is_empty() && rotation.old_secret_expires_at.is_some();
    match session.form() {
        Form::Table => output::lines([
            ends(rotation, &session.look),
            if nobody { NOBODY.to_owned() } else { String::new() },
            output::table(USES, &rotation.uses, &session.look),
        ]),
        Form::Csv => output::rows(&rotation.uses, &session.look),
        form => output::value(rotation, form, &session.look),
    }
}

/// Tells what is new about an old secret until it ends, or Ctrl-C. Whoever looks changes nothing,
/// so Ctrl-C is no failure here.
async fn watch<R: Rotating>(session: &Session, all: &R, one: &R::Thing) -> Result<(), Failure> {
    let mut seen = Vec::new();
    let mut end = None;
    loop {
        let rotation = match session.stop.unless_pressed(all.rotation(one)).await {
            Err(Failure::Interrupted(_)) => return Ok(()),
            rotation => rotation?,
        };
        let look = Look { now: environment::now(), ..session.look.clone() };
        let ended = has_ended(rotation.old_secret_expires_at.as_deref(), look.now);
        let begins = end.is_none();
        if end != Some((rotation.old_secret_expires_at.clone(), ended)) {
            say(ends(&rotation, &look));
            end = Some((rotation.old_secret_expires_at.clone(), ended));
        }
        if begins && rotation.uses.is_empty() && rotation.old_secret_expires_at.is_some() {
            say(NOBODY);
        }
        for one in rotation.uses.iter().rev().filter(|one| !seen.contains(*one)) {
            say(told(one, &look));
        }
        seen = rotation.uses;
        if ended || end.as_ref().is_some_and(|(end, _)| end.is_none()) {
            return Ok(());
        }
        tokio::select! {
            () = session.stop.pressed() => return Ok(()),
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// Who has shown an old secret, in a line.
fn told(one: &OldSecretUse, look: &Look) -> String {
    let who = match (one.user_agent.as_deref(), one.address.as_deref()) {
        (Some(who), Some(from)) => format!("{who} at {from}"),
        (Some(who), None) => who.to_owned(),
        (None, Some(from)) => format!("somebody at {from}"),
        (None, None) => "somebody without a name or an address".to_owned(),
    };
    let uses = if one.count == 1 { "1 use".to_owned() } else { format!("{} uses", one.count) };
    plain(&format!("{who}: {uses}, the last {}", moment(Some(&one.last_at), "", look)))
}

fn ends(rotation: &Rotation, look: &Look) -> String {
    match rotation.old_secret_expires_at.as_deref() {
        None => "There is no old secret.".to_owned(),
        Some(at) if has_ended(Some(at), look.now) => match moment(Some(at), "", look).as_str() {
            "now" => "The old secret has just ended.".to_owned(),
            at => format!("The old secret ended {at}."),
        },
        Some(at) => format!("The old secret ends {}.", moment(Some(at), "", look)),
    }
}

const USES: &[Column<OldSecretUse>] = &[
    Column {
        head: "ADDRESS",
        cell: |one, _| one.address.as_deref().unwrap_or("-").into(),
        from: 0,
    },
    Column {
        head: "USER AGENT",
        cell: |one, _| one.user_agent.as_deref().unwrap_or("-").into(),
        from: 0,
    },
    Column { head: "USES", cell: |one, _| one.count.to_string().into(), from: 0 },
    Column { head: "LAST", cell: |one, look| moment(Some(&one.last_at), "", look).into(), from: 0 },
];

/// Uses are written down every few seconds on each server.
const NOBODY: &str = "Nobody has shown it since it was replaced, as far as is known; what happened \
                      in the last 5 seconds may be missing.";

/// Uses are seen some seconds after they happen.
const PAUSE: Duration = Duration::from_secs(2);
