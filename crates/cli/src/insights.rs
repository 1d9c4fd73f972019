//! `insights`: which keys deserve attention.

use clap::{Args, ValueEnum};
use futures_util::TryStreamExt;
use keystile_api::api_keys::ApiKey;
use keystile_api::insights::{Insights as Report, KeyInsight, OverGrantedKey};
use keystile_client::Paging;
use keystile_client::api_keys::ApiKeyFilter;
use keystile_client::insights::{InsightFilter, OverGrantedFilter};

use crate::failure::Failure;
use crate::output::{self, Cell, Column, Form, Shown, Tone, plain};
use crate::session::{Common, Session};

/// Tells which keys deserve attention.
#[derive(Args)]
#[command(after_help = HELP)]
pub struct Insights {
    /// List all keys of one kind
    kind: Option<Kind>,
    /// A key that was not used for so many days is unused
    #[arg(long, value_name = "DAYS", default_value_t = 90)]
    unused_days: i64,
    /// A key that ends within so many days is expiring
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    expiring_days: i64,
    /// Only a key that is so many days old counts as never used or granted too much
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    older_than_days: i64,
    /// Which server, and how to print.
    #[command(flatten)]
    pub common: Common,
}

/// Why a key deserves attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// It ends soon
    Expiring,
    /// It was never used
    NeverUsed,
    /// It may do more than it was ever needed for
    OverGranted,
    /// It was not used for long
    Unused,
    /// It has no end
    WithoutExpiry,
}

impl Insights {
    /// Does it.
    ///
    /// # Errors
    /// What went wrong.
    pub async fn run(self, session: &Session) -> Result<(), Failure> {
        if self.kind == Some(Kind::OverGranted) {
            let older_than_days = Some(self.older_than_days);
            let filter = OverGrantedFilter { older_than_days, paging: Paging::default() };
            let keys = session.client.insights().stream_over_granted(filter);
            let keys: Vec<_> = session.stop.unless_pressed(keys.try_collect()).await?;
            return output::many(&keys, session.form(), &session.look);
        }
        let filter = InsightFilter {
            unused_days: Some(self.unused_days),
            expiring_days: Some(self.expiring_days),
            older_than_days: Some(self.older_than_days),
        };
        let insights = session.client.insights();
        let report = session.stop.unless_pressed(insights.show(&filter)).await?;
        let keys = match self.kind {
            None if session.form() == Form::Table => {
                return output::lines([output::table(KINDS, &summary(&report), &session.look)]);
            }
            None => return output::value(&report, session.form(), &session.look),
            Some(Kind::Expiring) => &report.expiring,
            Some(Kind::NeverUsed) => &report.never_used,
            Some(Kind::Unused) => &report.unused,
            Some(Kind::WithoutExpiry) => &report.without_expiry,
            Some(Kind::OverGranted) => return Ok(()),
        };
        let keys = session.client.api_keys().stream(filter_of(keys));
        let keys: Vec<ApiKey> = session.stop.unless_pressed(keys.try_collect()).await?;
        output::many(&keys, session.form(), &session.look)
    }
}

/// The filter of the list that the server names.
fn filter_of(keys: &KeyInsight) -> ApiKeyFilter {
    let (_, query) = keys.list.split_once('?').unwrap_or_default();
    let mut filter = ApiKeyFilter::default();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let (flag, text) = (value.parse().ok(), Some(value.into_owned()));
        match &*name {
            "created_before" => filter.created_before = text,
            "enabled" => filter.enabled = flag,
            "expired" => filter.expired = flag,
            "expires" => filter.expires = flag,
            "expires_before" => filter.expires_before = text,
            "sort" => filter.paging.sort = text,
            "unused_since" => filter.unused_since = text,
            "used" => filter.used = flag,
            _ => {}
        }
    }
    filter
}

/// One kind of keys, as a line.
struct Line {
    kind: &'static str,
    total: Option<i64>,
    some: Vec<String>,
}

fn summary(report: &Report) -> Vec<Line> {
    let line = |kind, keys: &KeyInsight| Line {
        kind,
        total: Some(keys.total),
        some: keys.data.iter().map(|key| key.name.clone()).collect(),
    };
    let over_granted = &report.over_granted;
    vec![
        line("never-used", &report.never_used),
        line("unused", &report.unused),
        line("expiring", &report.expiring),
        line("without-expiry", &report.without_expiry),
        Line {
            kind: "over-granted",
            total: over_granted.total,
            some: over_granted.data.iter().map(|key| key.api_key.name.clone()).collect(),
        },
    ]
}

const KINDS: &[Column<Line>] = &[
    Column { head: "KIND", cell: |line, _| line.kind.into(), from: 0 },
    Column {
        head: "KEYS",
        cell: |line, _| match line.total {
            Some(0) => Cell::toned("0", Tone::Good),
            Some(total) => Cell::toned(total.to_string(), Tone::Bad),
            None => "many".into(),
        },
        from: 0,
    },
    Column {
        head: "THE OLDEST",
        cell: |line, _| {
            plain(&line.some.iter().take(3).cloned().collect::<Vec<_>>().join(", ")).into()
        },
        from: 60,
    },
];

impl Shown for OverGrantedKey {
    const COLUMNS: &'static [Column<Self>] = &[
        Column { head: "ID", cell: |key, _| key.api_key.id.to_string().into(), from: 0 },
        Column { head: "NAME", cell: |key, _| key.api_key.name.as_str().into(), from: 0 },
        Column {
            head: "NOT NEEDED",
            cell: |key, _| key.unexercised_permissions.join(", ").into(),
            from: 0,
        },
        Column {
            head: "ENOUGH",
            cell: |key, _| key.sufficient_permissions.join(", ").into(),
            from: 100,
        },
    ];

    fn id(&self) -> String {
        self.api_key.id.to_string()
    }

    fn name(&self) -> &str {
        &self.api_key.name
    }
}

const HELP: &str = "\
Examples:
  keystile insights
  keystile insights never-used --older-than-days 30
What is told of a kind can be acted on:
  keystile insights unused -o id | keystile keys set - --disable --what-if";
