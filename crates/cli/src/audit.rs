//! `audit`: who changed what, as a list, as it happens, and whether the log is whole.

use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Subcommand};
use futures_util::{StreamExt, TryStreamExt, future};
use jiff::Timestamp;
use keystile_api::audit_events::{AuditEvent, ChainReport};
use keystile_client::audit_events::AuditEventFilter;
use keystile_client::{Client, Error, Paging};
use serde::Serialize;
use tokio::time::sleep;
use uuid::Uuid;

use crate::failure::Failure;
use crate::moments::ago;
use crate::output::{self, Column, Form, Shown, moment, plain};
use crate::session::Session;

/// What to do with the log.
#[derive(Subcommand)]
pub enum AuditVerb {
    /// Tell of each change as it happens, until Ctrl-C
    #[command(after_help = FOLLOW)]
    Follow {
        #[command(flatten)]
        filter: Filter,
        /// Begin with so many changes that have happened
        #[arg(long, value_name = "NUMBER", default_value_t = 10)]
        tail: usize,
    },
    /// List changes, the latest first
    #[command(visible_alias = "ls", after_help = LIST)]
    List {
        #[command(flatten)]
        filter: Filter,
        /// No more than so many
        #[arg(long, value_name = "NUMBER", default_value = "50")]
        limit: NonZeroUsize,
        /// `seq` for the first ones first
        #[arg(long, value_name = "MEMBER", allow_hyphen_values = true)]
        sort: Option<String>,
    },
    /// Have the server walk along the sealed log: is anything changed or missing?
    #[command(after_help = HEAD)]
    Verify {
        /// The end of the log as `audit verify` told it before: it must still be in the log
        #[arg(long, value_name = "SEQ:HASH")]
        head: Option<Head>,
    },
}

/// Which changes are told of.
#[derive(Args, Clone)]
pub struct Filter {
    /// Only this action, as in `api_key.created`
    #[arg(long)]
    action: Option<String>,
    /// Only what this principal did, by id
    #[arg(long, value_name = "ID", value_parser = id)]
    actor: Option<Uuid>,
    /// Only what was done with this credential, by id
    #[arg(long, value_name = "ID", value_parser = id)]
    credential: Option<Uuid>,
    /// Only what was done to this kind of thing, as in `api_key`, or to one: `api_key/ID`
    #[arg(long, value_name = "KIND[/ID]")]
    target: Option<String>,
    /// Only what this request did
    #[arg(long, value_name = "ID")]
    request: Option<String>,
    /// Only from this time on: 2026-11-22T09:00:00Z, 2026-11-22, or 12h for so long ago
    #[arg(long, value_name = "TIME", value_parser = ago)]
    since: Option<Timestamp>,
    /// Only before this time
    #[arg(long, value_name = "TIME", value_parser = ago)]
    until: Option<Timestamp>,
}

/// The end that a log had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    seq: i64,
    hash: String,
}

/// What a log was found to be, and whether it has the end that was kept.
#[derive(Serialize)]
struct Found<'a> {
    #[serde(flatten)]
    report: &'a ChainReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    head_found: Option<bool>,
}

impl AuditVerb {
    /// Does it.
    ///
    /// # Errors
    /// What went wrong.
    pub async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Follow { filter, tail } => follow(session, &filter.open(), tail).await,
            Self::List { filter, limit, sort } => {
                let paging = Paging { sort, ..Paging::default() };
                let filter = AuditEventFilter { paging, ..filter.open() };
                let events = session.client.audit_events().stream(filter);
                let events = events.take(limit.get()).try_collect::<Vec<_>>();
                let events = session.stop.unless_pressed(events).await?;
                output::many(&events, session.form(), &session.look)
            }
            Self::Verify { head } => verify(session, head).await,
        }
    }
}

impl Filter {
    fn open(self) -> AuditEventFilter {
        let (kind, id) = match self.target {
            Some(target) => match target.split_once('/') {
                Some((kind, id)) => (Some(kind.to_owned()), Some(id.to_owned())),
                None => (Some(target), None),
            },
            None => (None, None),
        };
        AuditEventFilter {
            action: self.action,
            actor: self.actor,
            credential: self.credential,
            target_kind: kind,
            target_id: id,
            request_id: self.request,
            since: self.since.map(|at| at.to_string()),
            until: self.until.map(|at| at.to_string()),
            paging: Paging::default(),
        }
    }
}

impl FromStr for Head {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let wrong = "the end of a log is SEQ:HASH, as `audit verify` tells it";
        let (seq, hash) = text.split_once(':').ok_or(wrong)?;
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        let seq = seq.parse().ok().filter(|seq| *seq >= 0 && is_hash).ok_or(wrong)?;
        Ok(Self { seq, hash: hash.to_ascii_lowercase() })
    }
}

fn id(text: &str) -> Result<Uuid, &'static str> {
    text.parse().or(Err("it goes by id alone, as `get NAME -o id` prints it"))
}

async fn follow(session: &Session, filter: &AuditEventFilter, tail: usize) -> Result<(), Failure> {
    let (mut seen, mut first) = (None, true);
    loop {
        let new = since(&session.client, filter, seen, tail);
        let new = match session.stop.unless_pressed(new).await {
            // Ctrl-C is how this ends.
            Err(Failure::Interrupted(_)) => return Ok(()),
            new => new?,
        };
        for event in new.iter().rev() {
            seen = seen.max(Some(event.seq));
            tell(session, event, first)?;
            first = false;
        }
        seen = seen.or(Some(0));
        tokio::select! {
            () = sleep(BETWEEN) => {}
            () = session.stop.pressed() => return Ok(()),
        }
    }
}

/// What happened behind the last that was seen, or the latest, the latest first.
async fn since(
    client: &Client,
    filter: &AuditEventFilter,
    seen: Option<i64>,
    tail: usize,
) -> Result<Vec<AuditEvent>, Error> {
    let events = client.audit_events().stream(filter.clone());
    let count = if seen.is_some() { usize::MAX } else { tail };
    let new = events.take(count).try_take_while(|event| future::ok(Some(event.seq) > seen));
    new.try_collect().await
}

/// One event as one line: as text, or as JSON or CSV for programs.
fn tell(session: &Session, event: &AuditEvent, first: bool) -> Result<(), Failure> {
    let (one, look) = (std::slice::from_ref(event), &session.look);
    match session.form() {
        Form::Table => output::lines([line(event)]),
        Form::Json => output::json_line(event, look),
        Form::Csv if !first => output::more_rows(one, look),
        form => output::many(one, form, look),
    }
}

fn line(event: &AuditEvent) -> String {
    let reason = event.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let AuditEvent { seq, at, action, target, .. } = event;
    plain(&format!("{seq} {at} {} {action} {} {}{reason}", actor(event), target.kind, target.name))
}

async fn verify(session: &Session, kept: Option<Head>) -> Result<(), Failure> {
    session.refuse_names()?;
    let events = session.client.audit_events();
    let mut report = session.stop.unless_pressed(events.verify()).await?;
    // Of a broken log nothing more is asked: that it is broken must be told in any case.
    let head_found = match kept.as_ref().filter(|_| report.broken.is_none()) {
        Some(kept) => {
            let still = still_there(&session.client, &report, kept);
            Some(session.stop.unless_pressed(still).await?)
        }
        None => None,
    };
    report.valid &= head_found != Some(false);
    let found = Found { report: &report, head_found };
    output::even_if_closed(output::value(&found, session.form(), &session.look))?;
    if let Some(broken) = &report.broken {
        let text = format!("the log is broken at {}: {}", broken.seq, broken.detail);
        return Err(Failure::System(plain(&text)));
    }
    if let (Some(kept), Some(false)) = (kept, head_found) {
        let text = format!("the log was cut or rewritten: {} is not what it was", kept.seq);
        return Err(Failure::System(text));
    }
    session.note(&format!("whole. Keep this elsewhere: {}:{}", report.head.seq, report.head.hash));
    Ok(())
}

/// Whether the end that the log had is in it.
async fn still_there(client: &Client, report: &ChainReport, kept: &Head) -> Result<bool, Error> {
    if kept.seq >= report.head.seq {
        return Ok((kept.seq, &kept.hash) == (report.head.seq, &report.head.hash));
    }
    let behind = client.changes().list(Some(kept.seq - 1)).await?;
    Ok(behind.data.first().is_some_and(|change| change.seq == kept.seq && change.mark == kept.hash))
}

fn actor(event: &AuditEvent) -> &str {
    event.actor.as_ref().map_or("Keystile", |actor| &actor.name)
}

impl Shown for AuditEvent {
    const COLUMNS: &'static [Column<Self>] = &[
        Column { head: "SEQ", cell: |event, _| event.seq.to_string().into(), from: 0 },
        Column {
            head: "AT",
            cell: |event, look| moment(Some(&event.at), "", look).into(),
            from: 0,
        },
        Column { head: "ACTOR", cell: |event, _| plain(actor(event)).into(), from: 0 },
        Column { head: "ACTION", cell: |event, _| event.action.as_str().into(), from: 0 },
        Column { head: "TARGET", cell: |event, _| plain(&event.target.name).into(), from: 0 },
        Column {
            head: "REASON",
            cell: |event, _| event.reason.as_deref().unwrap_or_default().into(),
            from: 120,
        },
        Column {
            head: "ADDRESS",
            cell: |event, _| event.address.as_deref().unwrap_or_default().into(),
            from: 140,
        },
    ];

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn name(&self) -> &str {
        &self.target.name
    }
}

/// How often the log is looked at.
const BETWEEN: Duration = Duration::from_secs(1);

const FOLLOW: &str = "\
Examples:
  keystile audit follow --target role
  keystile audit follow --tail 0 -o json";

const LIST: &str = "\
Examples:
  keystile audit list --since 12h
  keystile audit list --target api_key --sort seq --limit 10 -o json";

const HEAD: &str = "\
A log that was cut short is still a valid chain. Only who has kept its end elsewhere can tell:
  keystile audit verify --head 42:1f0c4f6b7d3a9e58c2b40d6f8a1e3c5b7d9f0a2c4e6b8d0f1a3c5e7b9d2f4a6c";
