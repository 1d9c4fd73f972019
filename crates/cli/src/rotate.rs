//! `keys rotate`: a new secret, and the farewell to the old one. `tokens rotate`: the new secret.

use std::time::Duration;

use clap::{Args, Subcommand};
use jiff::SignedDuration;
use keystile_api::api_keys::{ApiKey, RotateApiKey};
use keystile_api::rotation::{ExtendRotation, OldSecretUse, Rotation};
use keystile_api::tokens::RotateToken;
use keystile_client::{Change, Client, Error};

use crate::deed::{self, ChangeFlags, capital, title};
use crate::failure::Failure;
use crate::output::{self, Column, Form, Look, moment, plain, say};
use crate::prompt::{self, Answer};
use crate::resource::{Made, Nothing, Resource};
use crate::resources::api_keys::ApiKeys;
use crate::resources::tokens::{Owner, Tokens};
use crate::session::Session;
use crate::spans::{span, span_or_none};
use crate::targets::find_one;
use crate::verbs::{print_made, print_what_if, refuse_to_lose_the_secret};

/// Rotates a key.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(subcommand_help_heading = "The old secret", subcommand_value_name = "STEP")]
pub struct RotateKey {
    /// The key, by id or name
    #[arg(required = true, value_name = "ID")]
    key: Option<String>,
    /// How long the old secret works beside the new one, as in 1d or 12h; 0s ends it at once
    #[arg(long, value_name = "SPAN", value_parser = span_or_none, default_value = "0s")]
    overlap: SignedDuration,
    /// Stay, and tell who still shows the old secret, until it ends or Ctrl-C
    #[arg(long, conflicts_with = "what_if")]
    watch: bool,
    #[command(flatten)]
    flags: ChangeFlags,
    #[command(subcommand)]
    step: Option<Step>,
}

/// What comes after a rotation.
#[derive(Subcommand)]
enum Step {
    /// Let the old secret work for longer
    Extend {
        /// The key, by id or name
        #[arg(value_name = "ID")]
        key: String,
        /// How long from now, as in 1d or 12h
        #[arg(long, value_name = "SPAN", value_parser = span)]
        overlap: SignedDuration,
        #[command(flatten)]
        flags: ChangeFlags,
    },
    /// End the old secret now
    Finish {
        /// The key, by id or name
        #[arg(value_name = "ID")]
        key: String,
        #[command(flatten)]
        flags: ChangeFlags,
    },
    /// Show how long the old secret works, and who still shows it
    Status {
        /// The key, by id or name
        #[arg(value_name = "ID")]
        key: String,
        /// Stay until the old secret ends, or Ctrl-C
        #[arg(long)]
        watch: bool,
    },
}

/// Rotates a token.
#[derive(Args)]
pub struct RotateTokenOf {
    /// The token, by id or name
    #[arg(value_name = "ID")]
    token: String,
    /// How long the old secret works beside the new one, as in 1d or 12h; 0s ends it at once
    #[arg(long, value_name = "SPAN", value_parser = span_or_none, default_value = "0s")]
    overlap: SignedDuration,
    #[command(flatten)]
    owner: Owner,
    #[command(flatten)]
    flags: ChangeFlags,
}

impl RotateKey {
    /// Does it.
    ///
    /// # Errors
    /// What went wrong.
    pub async fn run(self, session: &Session) -> Result<(), Failure> {
        match (self.step, self.key) {
            (None, Some(key)) => rotate(session, &key, self.overlap, &self.flags, self.watch).await,
            (None, None) => Err(Failure::Usage("which key? Give its id or name".into())),
            (Some(Step::Extend { key, overlap, flags }), _) => {
                let extend = ExtendRotation { overlap_seconds: overlap.as_secs() };
                let step = ("extend the rotation of", "extended the rotation of");
                farewell(session, &key, &flags, step, async |client, key, change| {
                    Ok(client.api_keys().extend_rotation(key.id, &extend, change).await?.value)
                })
                .await
            }
            (Some(Step::Finish { key, flags }), _) => {
                let step = ("finish the rotation of", "finished the rotation of");
                farewell(session, &key, &flags, step, async |client, key, change| {
                    Ok(client.api_keys().finish_rotation(key.id, change).await?.value)
                })
                .await
            }
            (Some(Step::Status { key, watch: false }), _) => {
                let key = find(session, &key).await?;
                let keys = session.client.api_keys();
                let rotation = keys.rotation(key.id);
                show(session, &session.stop.unless_pressed(rotation).await?)
            }
            (Some(Step::Status { key, watch: true }), _) => {
                let key = find(session, &key).await?;
                watch(session, &key).await
            }
        }
    }
}

impl RotateTokenOf {
    /// Does it.
    ///
    /// # Errors
    /// What went wrong.
    pub async fn run(self, session: &Session) -> Result<(), Failure> {
        refuse_to_lose_the_secret(session, Tokens::SECRET)?;
        let find = async {
            let tokens = Tokens::open(&session.client, self.owner).await?;
            let token = find_one(&tokens, &self.token).await?;
            Ok::<_, Failure>((tokens, token))
        };
        let (tokens, token) = session.stop.unless_pressed(find).await?;
        let title = title(Tokens::ONE, &token);
        let rotate = RotateToken { overlap_seconds: self.overlap.as_secs() };
        if self.flags.confirm {
            let would = tokens.rotate(token.id, &rotate, &Change::new().dry_run(true)).await?;
            if !deed::agreed(session, "rotate", Tokens::ONE, &would.thing)? {
                return Ok(());
            }
        }
        let made = tokens.rotate(token.id, &rotate, &self.flags.change()).await?;
        let whole = self.flags.pass_thru;
        if self.flags.what_if {
            let text = format!("What if: would rotate {title}");
            return print_what_if(session, &made.thing, text, whole);
        }
        print_made(session, Tokens::ONE, Tokens::SECRET, &made, "rotated", whole)
    }
}

async fn rotate(
    session: &Session,
    key: &str,
    overlap: SignedDuration,
    flags: &ChangeFlags,
    stay: bool,
) -> Result<(), Failure> {
    refuse_to_lose_the_secret(session, ApiKeys::SECRET)?;
    let key = find(session, key).await?;
    let title = title(ApiKeys::ONE, &key);
    let rotate = RotateApiKey { overlap_seconds: overlap.as_secs() };
    if flags.confirm {
        let keys = session.client.api_keys();
        let would = keys.rotate(key.id, &rotate, &Change::new().dry_run(true)).await?.value;
        if !deed::agreed(session, "rotate", ApiKeys::ONE, &would.shown)? {
            return Ok(());
        }
    }
    let made = session.client.api_keys().rotate(key.id, &rotate, &flags.change()).await?.value;
    if flags.what_if {
        let text = format!("What if: would rotate {title}");
        return print_what_if(session, &made.shown, text, flags.pass_thru);
    }
    let made = Made { thing: made.shown, secret: made.secret };
    print_made(session, ApiKeys::ONE, ApiKeys::SECRET, &made, "rotated", flags.pass_thru)?;
    if stay { watch(session, &key).await } else { Ok(()) }
}

/// One step with an old secret, made as every change is.
async fn farewell(
    session: &Session,
    key: &str,
    flags: &ChangeFlags,
    (verb, done): (&str, &str),
    step: impl AsyncFn(&Client, &ApiKey, &Change) -> Result<Rotation, Error>,
) -> Result<(), Failure> {
    let key = find(session, key).await?;
    let title = title(ApiKeys::ONE, &key);
    if !agreed(flags, &format!("Do you want to {verb} {title}?"))? {
        return Ok(());
    }
    let rotation = step(&session.client, &key, &flags.change()).await?;
    if flags.what_if {
        let told = format!("What if: would {verb} {title}");
        if session.form.is_none() && !flags.pass_thru {
            return output::lines([told]);
        }
        session.note(&told);
        return show(session, &rotation);
    }
    session.note(&format!("{} {title}", capital(done)));
    if flags.pass_thru { show(session, &rotation) } else { Ok(()) }
}

async fn find(session: &Session, key: &str) -> Result<ApiKey, Failure> {
    session
        .stop
        .unless_pressed(async {
            let keys = ApiKeys::open(&session.client, Nothing {}).await?;
            find_one(&keys, key).await
        })
        .await
}

fn agreed(flags: &ChangeFlags, question: &str) -> Result<bool, Failure> {
    if !flags.confirm {
        return Ok(true);
    }
    Ok(matches!(prompt::ask(question, "leave --confirm out")?, Answer::Yes | Answer::All))
}

fn show(session: &Session, rotation: &Rotation) -> Result<(), Failure> {
    match session.form() {
        Form::Table => output::lines([
            ends(rotation, &session.look),
            output::table(USES, &rotation.uses, &session.look),
        ]),
        form => output::value(rotation, form, &session.look),
    }
}

/// Tells what is new about an old secret until it ends, or Ctrl-C. Whoever looks changes nothing,
/// so Ctrl-C is no failure here.
async fn watch(session: &Session, key: &ApiKey) -> Result<(), Failure> {
    let keys = session.client.api_keys();
    let mut told = Vec::new();
    let mut end = None;
    loop {
        let rotation = match session.stop.unless_pressed(keys.rotation(key.id)).await {
            Err(Failure::Interrupted(_)) => return Ok(()),
            rotation => rotation?,
        };
        let look = Look { now: crate::environment::now(), ..session.look.clone() };
        let ended = crate::expiry::has_ended(rotation.old_secret_expires_at.as_deref(), look.now);
        if end != Some((rotation.old_secret_expires_at.clone(), ended)) {
            say(ends(&rotation, &look));
            end = Some((rotation.old_secret_expires_at.clone(), ended));
        }
        for one in rotation.uses.iter().rev().filter(|one| !told.contains(*one)) {
            let who = one.user_agent.as_deref().unwrap_or("somebody");
            let from = one.address.as_deref().unwrap_or("somewhere");
            let at = moment(Some(&one.last_at), "", &look);
            let line = format!("{who} at {from}: {} uses, the last {at}", one.count);
            say(plain(&line));
        }
        told = rotation.uses;
        if ended || end.as_ref().is_some_and(|(end, _)| end.is_none()) {
            return Ok(());
        }
        tokio::select! {
            () = session.stop.pressed() => return Ok(()),
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

fn ends(rotation: &Rotation, look: &Look) -> String {
    match rotation.old_secret_expires_at.as_deref() {
        None => "There is no old secret.".to_owned(),
        Some(at) if crate::expiry::has_ended(Some(at), look.now) => {
            format!("The old secret ended {}.", moment(Some(at), "", look))
        }
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

/// Uses are seen some seconds after they happen.
const PAUSE: Duration = Duration::from_secs(2);
