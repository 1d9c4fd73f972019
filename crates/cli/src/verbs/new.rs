//! `new`: one more thing, and its secret, which is shown this once.

use clap::Args;
use keystile_client::Change;
use secrecy::ExposeSecret;
use serde_json::Value;

use crate::deed::{self, ChangeFlags, WITHOUT_CONFIRM, capital, title};
use crate::failure::Failure;
use crate::output::{self, Form, Shown, say};
use crate::resource::{Made, Resource};
use crate::session::Session;

/// Makes a thing.
// Its members have groups of the same names.
#[derive(Args)]
#[group(skip)]
pub struct New<R: Resource> {
    #[command(flatten)]
    new: R::New,
    #[command(flatten)]
    scope: R::Scope,
    #[command(flatten)]
    flags: ChangeFlags,
}

impl<R: Resource> New<R> {
    pub async fn run(self, session: &Session) -> Result<(), Failure> {
        refuse_to_lose_the_secret(session, R::SECRET)?;
        if self.flags.what_if && session.form == Some(Form::Id) {
            return Err(Failure::Usage("nothing is made, so there is no id: leave -o out".into()));
        }
        let resource = session.stop.unless_pressed(R::open(&session.client, self.scope)).await?;
        let body = session.stop.unless_pressed(resource.body(self.new, session)).await?;
        if self.flags.confirm {
            let rehearsal = Change::new().dry_run(true);
            let would = resource.create(&body, &rehearsal);
            let would = session.stop.unless_pressed(would).await?;
            say(deed::would(session, &deed_of::<R>(&would.thing), &would.thing, &[])?);
            let question = format!("Make this {}?", R::ONE);
            if !session.agrees(&question, WITHOUT_CONFIRM)? {
                return Ok(());
            }
        }
        let made = resource.create(&body, &self.flags.change()).await?;
        if self.flags.what_if {
            let text = deed::would(session, &deed_of::<R>(&made.thing), &made.thing, &[])?;
            if session.form != Some(Form::Name) && (self.flags.pass_thru || session.form.is_some())
            {
                session.note(&text);
                let thing = deed::without_drawn(&made.thing)?;
                return output::value(&thing, session.form(), &session.look);
            }
            return print_what_if(session, &made.thing, text, false);
        }
        print_made(session, R::ONE, R::SECRET, &made, "made", self.flags.pass_thru)
    }
}

fn deed_of<R: Resource>(thing: &R::Thing) -> String {
    format!("make {} \"{}\"", R::ONE, output::plain(thing.name()))
}

/// A form without the secret would lose it for ever.
pub fn refuse_to_lose_the_secret(session: &Session, secret: &str) -> Result<(), Failure> {
    match session.form {
        Some(Form::Id | Form::Name) if !secret.is_empty() => Err(Failure::Usage(format!(
            "-o id and -o name would lose the {secret}, which is shown once: -o json has both"
        ))),
        _ => Ok(()),
    }
}

/// Prints what would be done, or the whole thing as it would be if that was asked for.
pub fn print_what_if<T: Shown>(
    session: &Session,
    thing: &T,
    text: String,
    whole: bool,
) -> Result<(), Failure> {
    if whole || session.form.is_some() {
        session.note(&text);
        return output::one(thing, session.form(), &session.look);
    }
    output::lines([text])
}

/// Prints something with its secret: the secret alone, or the whole thing if that was asked for.
///
/// # Errors
/// If the secret could not be printed it is lost, and the thing is there all the same.
pub fn print_made<T: Shown>(
    session: &Session,
    one: &str,
    member: &str,
    made: &Made<T>,
    done: &str,
    whole: bool,
) -> Result<(), Failure> {
    let title = title(one, &made.thing);
    let printed = print_with_secret(session, member, made, whole);
    if made.secret.is_some()
        && let Err(failure) = printed
    {
        return Err(Failure::Partly(format!(
            "{title} was {done}, and its {member} is lost: {failure}. Rotate it, or remove it"
        )));
    }
    printed?;
    session.note(&format!("{} {title}", capital(done)));
    if made.secret.is_some() {
        session.note(&format!("The {member} is shown this once: store it now."));
    }
    Ok(())
}

fn print_with_secret<T: Shown>(
    session: &Session,
    member: &str,
    made: &Made<T>,
    whole: bool,
) -> Result<(), Failure> {
    let secret = made.secret.as_ref().map(ExposeSecret::expose_secret);
    match (secret, session.form()) {
        (Some(secret), form) if whole || session.form.is_some() => {
            let mut thing = serde_json::to_value(&made.thing)?;
            if let Some(members) = thing.as_object_mut() {
                members.insert(member.to_owned(), Value::from(secret));
            }
            output::value(&thing, form, &session.look)
        }
        (None, form) if whole || session.form.is_some() => {
            output::one(&made.thing, form, &session.look)
        }
        (secret, _) => output::lines(secret),
    }
}
