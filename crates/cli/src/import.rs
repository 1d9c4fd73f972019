//! `import`: keys from a file, batch by batch, so that it can be broken off at any place and gone
//! on with: no key is made twice.
//!
//! [`rows`] reads the file, [`journal`] remembers how far it got, [`report`] tells what was refused.
//! Each batch has an idempotency key that is made from what is imported, where to, and its number;
//! so the one that was under way when an import was broken off can be sent again.

mod journal;
mod report;
mod rows;

use std::fs;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::SignedDuration;
use keystile_api::api_keys::{ApiKey, BatchAnswer, NewApiKeys};
use keystile_client::Change;

use self::journal::Journal;
use self::report::{Refused, Secrets, refuse_to_write_over};
use self::rows::{Format, Row};
use crate::deed::WITHOUT_CONFIRM;
use crate::environment;
use crate::failure::Failure;
use crate::files;
use crate::output::{self, plain, say};
use crate::resources::roles::role_ids;
use crate::session::{Common, Session};

/// Imports keys.
#[derive(Args)]
#[command(after_help = HELP)]
pub struct Import {
    /// The keys: CSV, or JSON with one key in each line
    file: PathBuf,
    /// How the file is written; otherwise as its name says
    #[arg(long)]
    format: Option<Format>,
    /// The roles of keys that name none, by id or name, as in 1,3 or verifier
    #[arg(long, value_name = "ROLES", value_delimiter = ',')]
    role: Vec<String>,
    /// Where the secrets are written of keys that have neither a key nor a hash in the file
    #[arg(long, value_name = "FILE")]
    secrets: Option<PathBuf>,
    /// How many keys are made at once, all or none of them if the import is broken off
    #[arg(long, value_name = "NUMBER", default_value_t = 500)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=10_000))]
    batch: u16,
    /// Have everything checked and make nothing
    #[arg(long, alias = "dry-run")]
    what_if: bool,
    /// Have everything checked, say what would be made, and ask before it is made
    #[arg(long, conflicts_with = "what_if")]
    confirm: bool,
    /// Print the keys that were made, as `keys list` does; those that were refused are told of on
    /// standard error then
    #[arg(long)]
    pass_thru: bool,
    /// Import a file once more that was imported to its end
    #[arg(long, conflicts_with = "what_if")]
    again: bool,
    /// What to do with a batch of which nobody knows any more whether it was made
    #[arg(long, value_name = "DEED")]
    in_doubt: Option<InDoubt>,
    /// Which server, and how to print.
    #[command(flatten)]
    pub common: Common,
}

/// What to do with a batch that may have been made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum InDoubt {
    /// Make its keys: they may be there twice then
    Send,
    /// Go on behind it
    Skip,
}

impl Import {
    /// Does it.
    ///
    /// # Errors
    /// What went wrong. What was done until then stays, and the same command goes on behind it.
    pub async fn run(self, session: &Session) -> Result<(), Failure> {
        let text = files::read(&self.file)?;
        let format = self.format.or_else(|| Format::of(&self.file)).ok_or_else(|| {
            Failure::Usage("the name of the file says neither csv nor json: --format does".into())
        })?;
        let mut rows = rows::read(format, &text)?;
        let roles = role_ids(&session.client, &self.role);
        let roles = session.stop.unless_pressed(roles).await?;
        for key in rows.iter_mut().filter_map(|row| row.key.as_mut().ok()) {
            if key.role_ids.is_empty() {
                key.role_ids.clone_from(&roles);
            }
        }
        let drawn = rows.iter().filter(|row| row.has_its_secret_drawn()).count();
        if drawn > 0 && self.secrets.is_none() {
            return Err(Failure::Usage(format!(
                "{drawn} of the keys have neither `key` nor `hash`: --secrets names the file that \
                 their secrets are written to"
            )));
        }
        let server = session.client.server().as_str();
        let name =
            journal::name(&[&text, server.as_bytes(), &written(&roles), &self.batch.to_be_bytes()]);
        let mut journal = Journal::open(&name, &self.file)?;
        if self.again {
            journal.begin_anew();
        }
        if let Some(at) = &journal.finished {
            return Err(Failure::Usage(format!(
                "this file was imported at {at}: --again imports it once more"
            )));
        }
        self.settle_doubts(&mut journal)?;
        if let (Some(file), None) = (&self.secrets, journal.secrets) {
            refuse_to_write_over(file)?;
        }
        if self.what_if {
            journal = journal.rehearsal();
        }
        if self.confirm && !self.agreed(session, &rows, &journal).await? {
            return Ok(());
        }
        let made = self.make(session, &rows, &mut journal, self.what_if).await?;
        self.tell(session, &rows, &mut journal, made)
    }

    /// Has the server check what is left of the file, and asks.
    async fn agreed(
        &self,
        session: &Session,
        rows: &[Row],
        journal: &Journal,
    ) -> Result<bool, Failure> {
        let mut rehearsal = journal.rehearsal();
        if let Some(failure) = self.make(session, rows, &mut rehearsal, true).await?.stopped {
            return Err(failure.of_question());
        }
        let unreadable = rows.iter().filter(|row| row.key.is_err()).count();
        let (made, refused) = (rehearsal.made, rehearsal.refused.len() + unreadable);
        let server = session.client.server();
        say(format_args!("What if: {made} keys would be imported at {server}, {refused} refused"));
        session.agrees("Import them?", WITHOUT_CONFIRM)
    }

    /// Answers to the batch that was under way may be asked for again as long as the server keeps
    /// them.
    fn settle_doubts(&self, journal: &mut Journal) -> Result<(), Failure> {
        let Some(sent_at) = journal.under_way else { return Ok(()) };
        let age = environment::now().duration_since(sent_at);
        if age < KEPT {
            return Ok(());
        }
        match self.in_doubt {
            Some(InDoubt::Send) => journal.runs += 1,
            Some(InDoubt::Skip) => journal.batches += 1,
            None => {
                let first = journal.batches * usize::from(self.batch) + 1;
                return Err(Failure::Usage(format!(
                    "a batch was under way at {sent_at}, and whether it was made is not known any \
                     more. Look whether key {first} of those in the file is there, then go on with \
                     --in-doubt skip, or send"
                )));
            }
        }
        journal.under_way = None;
        Ok(())
    }

    async fn make(
        &self,
        session: &Session,
        rows: &[Row],
        journal: &mut Journal,
        what_if: bool,
    ) -> Result<Made, Failure> {
        let good: Vec<_> = rows.iter().filter_map(Row::good).collect();
        let size = usize::from(self.batch);
        let bar = bar(session, good.len());
        let file = self.secrets.as_deref().filter(|_| !what_if);
        journal.write_secrets_to(file)?;
        let mut secrets = Secrets::open(file, journal.secrets)?;
        let (mut stopped, mut keys) = (None, Vec::new());
        for (number, batch) in good.chunks(size).enumerate().skip(journal.batches) {
            bar.set_position(u64::try_from(number * size).unwrap_or_default());
            if session.stop.is_pressed() {
                stopped = Some(Failure::Interrupted("interrupted".into()));
                break;
            }
            let was_under_way = journal.under_way;
            if let Err(failure) = journal.send(environment::now()) {
                stopped = Some(failure);
                break;
            }
            let api_keys = batch.iter().map(|(_, key)| (*key).clone()).collect();
            let change = Change::new().dry_run(what_if).idempotency_key(journal.key(number));
            let made = match session
                .client
                .api_keys()
                .create_batch(&NewApiKeys { api_keys }, &change)
                .await
            {
                Ok(made) => made.value,
                Err(error) => {
                    if !error.may_be_done() {
                        journal.under_way = was_under_way;
                    }
                    stopped = Some(error.into());
                    break;
                }
            };
            let (mut created, mut refused) = (Vec::new(), Vec::new());
            for ((row, _), answer) in batch.iter().zip(made.data) {
                match answer {
                    BatchAnswer::Created(key) => {
                        secrets.keep(&key)?;
                        created.push(key.api_key);
                    }
                    BatchAnswer::Refused(it) => refused.push(Refused::by_server(row, it)),
                }
            }
            // Without its secrets a batch was not answered: it is asked for once more.
            match secrets.write() {
                Ok(length) => {
                    journal.made += created.len();
                    journal.refused.append(&mut refused);
                    journal.answered(number, length);
                }
                Err(failure) => {
                    stopped = Some(failure);
                    break;
                }
            }
            if self.pass_thru {
                keys.append(&mut created);
            }
        }
        bar.finish_and_clear();
        if let Some(empty) = secrets.empty_file() {
            // Whatever stands there when this goes on is not of this import: known before it can be.
            let length = journal.secrets.take();
            match journal.save() {
                // It would stand in the way of the next import, which says so.
                Ok(()) => drop(fs::remove_file(empty)),
                Err(_) => journal.secrets = length,
            }
        }
        Ok(Made { keys, stopped })
    }

    fn tell(
        &self,
        session: &Session,
        rows: &[Row],
        journal: &mut Journal,
        Made { keys, stopped }: Made,
    ) -> Result<(), Failure> {
        if self.pass_thru {
            output::even_if_closed(output::many(&keys, session.form(), &session.look))?;
        }
        let (all, made) = (rows.len(), journal.made);
        let verb = if self.what_if { "would be imported" } else { "imported" };
        if let Some(failure) = stopped {
            // What stands there is enough to go on: a batch is asked for once more rather than lost.
            if let Err(unsaved) = journal.save() {
                say(format_args!("keystile: {unsaved}"));
            }
            if made == 0 {
                return Err(failure);
            }
            return Err(Failure::Partly(format!(
                "{made} of {all} keys {verb}, the same command goes on: {failure}"
            )));
        }
        let mut refused: Vec<_> = rows.iter().filter_map(Row::refused).collect();
        refused.append(&mut journal.refused.clone());
        refused.sort_by_key(|refused| refused.row);
        journal.finish(environment::now())?;
        session.note(&format!("{made} of {all} keys {verb}"));
        if refused.is_empty() {
            return Ok(());
        }
        if self.pass_thru {
            for Refused { row, name, reason } in &refused {
                say(plain(&format!("keystile: row {row} {name}: {reason}")));
            }
        } else {
            output::even_if_closed(output::many(&refused, session.form(), &session.look))?;
        }
        let text = format!("{} of {all} keys are refused", refused.len());
        Err(if made == 0 { Failure::System(text) } else { Failure::Partly(text) })
    }
}

/// What came of the batches of one run.
struct Made {
    /// The keys, if they are printed.
    keys: Vec<ApiKey>,
    /// Why the last batches were not sent.
    stopped: Option<Failure>,
}

fn bar(session: &Session, rows: usize) -> ProgressBar {
    if session.quiet {
        return ProgressBar::hidden();
    }
    // Without a terminal it is hidden by itself.
    let bar = ProgressBar::new(u64::try_from(rows).unwrap_or_default());
    match ProgressStyle::with_template("{wide_bar} {human_pos} of {human_len} keys {eta}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn written(roles: &[i64]) -> Vec<u8> {
    roles.iter().flat_map(|role| role.to_be_bytes()).collect()
}

/// How long the server surely keeps an answer: it is 24 hours, and clocks differ.
const KEPT: SignedDuration = SignedDuration::from_hours(23);

const HELP: &str = "\
Examples:
  keystile import keys.csv --role verifier --what-if
  keystile import keys.ndjson --secrets secrets.ndjson

A file of JSON has in each line what the HTTP API takes as a new key:
  {\"name\": \"CI\", \"role_ids\": [4], \"hash\": {\"algorithm\": \"sha256\", \"value\": \"9f86…\"}}
The first line of CSV names the same members, those inside of others after a dot:
  name,role_ids,expires_at,hash.algorithm,hash.value
  CI,4,2027-01-31T12:00:00Z,sha256,9f86…
  Nightly,\"4,5\",,sha256,60303…

An import that was broken off is gone on with by the same command, without a double. How far it got
is kept in keystile/imports in your folder for such things: ~/.local/state on Linux, or
XDG_STATE_HOME.";
