//! How soon a revoked key is refused by every node of a cluster: three servers on one PostgreSQL,
//! one of which is told, while the others are asked without a pause.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::client::Client;
use super::postgres::Postgres;
use super::report::Report;
use super::target::Target;
use super::{Extent, directory};
use crate::step;

/// Measures it for whoever does not wait, and for whoever waits for the cluster.
pub fn run(extent: Extent, wanted: &dyn Fn(&str) -> bool, report: &mut Report) -> Result<()> {
    if ![REVOKED, REVOKED_EVERYWHERE].into_iter().any(wanted) {
        return Ok(());
    }
    let directory = directory("cluster")?;
    let postgres = Postgres::start()?;
    let database = postgres.database("cluster")?;
    let nodes = ["1", "2", "3"]
        .map(|node| Target::keystile_on_postgres(&directory.join(node), &database, MASTER_KEY));
    let [told, second, third] = nodes;
    let (told, others) = (told?, [second?, third?]);
    let count = extent.of(10, 200, 200);
    if wanted(REVOKED) {
        step::say(REVOKED);
        let mut times = Vec::new();
        for key in make(&told, count)? {
            let revoked = Revoked::of(&told, &others, &key, "")?;
            times.push(millis(revoked.refused.duration_since(revoked.asked)));
        }
        tell(report, REVOKED, times);
    }
    if wanted(REVOKED_EVERYWHERE) {
        step::say(REVOKED_EVERYWHERE);
        let mut times = Vec::new();
        for key in make(&told, count)? {
            let revoked = Revoked::of(&told, &others, &key, "?wait=cluster")?;
            let is_late = revoked.last_accepted.is_some_and(|sent| sent > revoked.answered);
            ensure!(!is_late, "accepted after it was revoked");
            times.push(millis(revoked.answered.duration_since(revoked.asked)));
        }
        tell(report, REVOKED_EVERYWHERE, times);
    }
    Ok(())
}

/// What happened to a key, by one clock.
struct Revoked {
    /// When the request to delete it was sent.
    asked: Instant,
    /// When it was answered.
    answered: Instant,
    /// When the last of the other nodes had refused the key.
    refused: Instant,
    /// When the last request was sent that was accepted; `None`: each was refused.
    last_accepted: Option<Instant>,
}

impl Revoked {
    /// Deletes a key by one node, and shows it to the others until they refuse it.
    fn of(told: &Target, others: &[Target], key: &Key, query: &str) -> Result<Self> {
        let watching: Vec<_> = others
            .iter()
            .map(|node| {
                let mut client = Client::connect(&node.url, &key.secret)?;
                // From here on the node remembers it.
                ensure!(client.status("GET", ME)? == 200, "a new key is good at every node");
                Ok(thread::spawn(move || watch(client)))
            })
            .collect::<Result<_>>()?;
        let mut client = Client::connect(&told.url, &told.admin)?;
        let asked = Instant::now();
        let status = client.status("DELETE", &format!("/api/v1/api-keys/{}{query}", key.id))?;
        let answered = Instant::now();
        ensure!(matches!(status, 200 | 204), "a key is deleted with {status}");
        let mut revoked = Self { asked, answered, refused: asked, last_accepted: None };
        for watching in watching {
            let seen = watching.join().ok().context("a thread ended early")?;
            let (last_accepted, refused) = seen?;
            revoked.refused = revoked.refused.max(refused);
            revoked.last_accepted = revoked.last_accepted.max(last_accepted);
        }
        Ok(revoked)
    }
}

/// Shows a key until it is refused: when it was last sent and accepted, and when it was refused.
fn watch(mut client: Client) -> Result<(Option<Instant>, Instant)> {
    let mut last_accepted = None;
    loop {
        let sent = Instant::now();
        match client.status("GET", ME)? {
            200 => last_accepted = Some(sent),
            401 => return Ok((last_accepted, Instant::now())),
            status => bail!("a key is answered {status}"),
        }
    }
}

struct Key {
    id: String,
    secret: String,
}

fn make(server: &Target, count: usize) -> Result<Vec<Key>> {
    let asked: Vec<_> = (0..count).map(|number| json!({ "name": format!("{number}") })).collect();
    let answer = server.post("/api/v1/api-keys/batch", &json!({ "api_keys": asked }))?;
    let made = answer.get("data").and_then(Value::as_array).context("the keys")?;
    let text = |key: &Value, name: &str| Some(key.get(name)?.as_str()?.to_owned());
    made.iter()
        .map(|key| Some(Key { id: text(key, "id")?, secret: text(key, "key")? }))
        .collect::<Option<_>>()
        .with_context(|| format!("no keys were made: {answer}"))
}

fn tell(report: &mut Report, name: &'static str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or(f64::NAN);
    report.note(name, "ms, at most for half of the keys", at(50));
    report.note(name, "ms, at most for 99 of 100", at(99));
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

const REVOKED: &str = "revocation, until all nodes refuse";
const REVOKED_EVERYWHERE: &str = "revocation with ?wait=cluster";
const ME: &str = "/api/v1/me";
/// 32 bytes, of which nobody makes a secret.
const MASTER_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
