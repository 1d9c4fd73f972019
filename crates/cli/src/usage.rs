//! `keys usage` and `tokens usage`: how often a credential was checked, as a chart.

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use keystile_api::usage::{Usage, UsagePeriod};
use keystile_client::usage::UsageFilter;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::moments::ago;
use crate::output::{self, Form, Look, moment, plain};
use crate::resource::{Nothing, Resource};
use crate::resources::api_keys::ApiKeys;
use crate::resources::tokens::{Owner, Tokens};
use crate::session::Session;
use crate::targets::find_one;

/// Shows how a key or token is used.
#[derive(Args)]
pub struct UsageOf<S: Args> {
    /// Which one, by id or name
    #[arg(value_name = "ID")]
    target: String,
    /// How long a bar is
    #[arg(long, default_value = "day")]
    by: By,
    /// From this time on: 2026-11-22T09:00:00Z, 2026-11-22, or 30d for so long ago
    #[arg(long, value_name = "TIME", value_parser = ago)]
    since: Option<Timestamp>,
    /// Before this time
    #[arg(long, value_name = "TIME", value_parser = ago)]
    until: Option<Timestamp>,
    #[command(flatten)]
    scope: S,
}

/// `keys usage`.
pub type UsageOfKey = UsageOf<Nothing>;
/// `tokens usage`.
pub type UsageOfToken = UsageOf<Owner>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum By {
    Day,
    Hour,
}

impl UsageOf<Nothing> {
    /// Does it.
    ///
    /// # Errors
    /// What went wrong.
    pub async fn run(self, session: &Session) -> Result<(), Failure> {
        session.refuse_names()?;
        let filter = self.filter();
        let work = async {
            let keys = ApiKeys::open(&session.client, self.scope).await?;
            let key = find_one(&keys, &self.target).await?;
            Ok::<_, Failure>(session.client.api_keys().usage(key.id, &filter).await?)
        };
        print(session, &session.stop.unless_pressed(work).await?)
    }
}

impl UsageOf<Owner> {
    /// Does it.
    ///
    /// # Errors
    /// What went wrong.
    pub async fn run(self, session: &Session) -> Result<(), Failure> {
        session.refuse_names()?;
        let filter = self.filter();
        let work = async {
            let tokens = Tokens::open(&session.client, self.scope).await?;
            let token = find_one(&tokens, &self.target).await?;
            let usage = match &tokens {
                Tokens::Own(own) => own.usage(token.id, &filter).await?,
                Tokens::Of(others) => others.usage(token.id, &filter).await?,
            };
            Ok::<_, Failure>(usage)
        };
        print(session, &session.stop.unless_pressed(work).await?)
    }
}

impl<S: Args> UsageOf<S> {
    fn filter(&self) -> UsageFilter {
        let by = match self.by {
            By::Day => "day",
            By::Hour => "hour",
        };
        UsageFilter {
            by: Some(by.to_owned()),
            since: self.since.map(|at| at.to_string()),
            until: self.until.map(|at| at.to_string()),
        }
    }
}

fn print(session: &Session, usage: &Usage) -> Result<(), Failure> {
    match session.form() {
        Form::Table => output::lines([chart(usage, &session.look)]),
        Form::Csv => output::rows(&usage.data.iter().map(row).collect::<Vec<_>>(), &session.look),
        form => output::value(usage, form, &session.look),
    }
}

/// An hour or day as one line: how many were refused in all, and for each reason.
fn row(period: &UsagePeriod) -> Value {
    let refused: i64 = period.refused.values().sum();
    let mut row = json!({"at": period.at, "allowed": period.allowed, "refused": refused});
    if let Some(row) = row.as_object_mut() {
        let reasons = period.refused.iter();
        row.extend(reasons.map(|(code, count)| (format!("refused.{code}"), json!(count))));
    }
    row
}

/// Each hour or day with a check as a bar: what was let in, and what was refused.
fn chart(usage: &Usage, look: &Look) -> String {
    let last = moment(usage.last_used_at.as_deref(), "never", look);
    let from = usage.last_address.as_ref().map(|from| format!(" from {from}")).unwrap_or_default();
    let client = usage.last_user_agent.as_ref().map(|name| format!(" by {name}"));
    let head = plain(&format!("last used {last}{from}{}", client.unwrap_or_default()));
    let most = usage.data.iter().map(all).max().unwrap_or_default().max(1);
    let room = i64::from(look.width.unwrap_or(80)).saturating_sub(LABELS).clamp(10, 60);
    let bar = |period| bar(period, most, room, look);
    usage.data.iter().fold(head, |chart, period| chart + "\n" + &bar(period))
}

fn bar(period: &UsagePeriod, most: i64, room: i64, look: &Look) -> String {
    // Whatever happened is seen.
    let length = |count: i64| if count == 0 { 0 } else { (count * room / most).max(1) };
    let draw = |letter: &str, count| letter.repeat(usize::try_from(length(count)).unwrap_or(0));
    let refused: i64 = period.refused.values().sum();
    let (let_in, shut_out) = (draw("█", period.allowed), draw("░", refused));
    let shut_out = if look.colour { format!("\u{1b}[31m{shut_out}\u{1b}[0m") } else { shut_out };
    let reasons: Vec<_> =
        period.refused.iter().map(|(code, count)| format!("{count} {code}")).collect();
    let reasons =
        if reasons.is_empty() { String::new() } else { format!(", {}", reasons.join(", ")) };
    let at = period.at.trim_end_matches(":00:00Z").trim_end_matches("T00");
    format!("{at:<13} {let_in}{shut_out} {} let in{reasons}", period.allowed)
}

fn all(period: &UsagePeriod) -> i64 {
    period.allowed + period.refused.values().sum::<i64>()
}

/// What stands beside a bar.
const LABELS: i64 = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_shows_each_day_and_everything_that_happened() {
        let period = |at: &str, allowed, refused: &[(&str, i64)]| UsagePeriod {
            at: at.to_owned(),
            allowed,
            refused: refused.iter().map(|(code, n)| ((*code).to_owned(), *n)).collect(),
        };
        let usage = Usage {
            credential_id: uuid::Uuid::nil(),
            last_used_at: Some("2026-11-22T09:00:00Z".to_owned()),
            last_address: Some("192.0.2.7".to_owned()),
            last_user_agent: None,
            data: vec![
                period("2026-11-21T00:00:00Z", 400, &[]),
                period("2026-11-22T00:00:00Z", 1, &[("expired", 2)]),
            ],
        };
        let now = "2026-11-22T11:00:00Z".parse().unwrap();
        let look = Look { colour: false, terminal: false, width: Some(50), absolute: false, now };
        let bars = "█".repeat(10);
        assert_eq!(
            chart(&usage, &look),
            format!(
                "last used 2 hours ago from 192.0.2.7\n\
                 2026-11-21    {bars} 400 let in\n\
                 2026-11-22    █░ 1 let in, 2 expired"
            )
        );
    }
}
