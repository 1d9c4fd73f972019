//! Following a server: asking for the lease, and applying what has changed before it is believed.
//!
//! The clock is read before each question. The lease of the answer counts from there, and only once
//! every change up to the place that the answer names is applied. What the stream tells ends what is
//! remembered at once, and never extends a lease. The server is told what is applied, and up to where
//! that is settled: every decision has ended that began before.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use keystile_api::changes::Change;
use keystile_api::leases::{KeyFormat, Lease, LeaseRequest, VerifierSettings};
use keystile_auth::{Ambiguity, Chain, Clock, Place, Settlement, SystemClock, Trust, Verifier};
use keystile_domain::{
    Effect, Encoding, Formats, HeaderName, KeyLength, Prefix, QueryName, SecretFormat, Seq, Touches,
};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use crate::feed::{listen, pauses};
use crate::server::{Server, ServerError};
use crate::store::RemoteStore;

/// Keeps up what a verifier may believe.
pub(crate) struct Follower {
    server: Server,
    trust: Arc<Trust>,
    verifier: Arc<Verifier<RemoteStore, SystemClock>>,
    chain: Arc<ArcSwap<Chain>>,
    ambiguity: Ambiguity,
    staleness: Duration,
    lease: Option<String>,
    counter: i64,
    applied: Option<Applied>,
    /// Up to where the server was told last that it is settled.
    told: Seq,
    /// Whether the server is to be asked how keys look.
    must_learn: bool,
}

/// The last change that is applied.
#[derive(Clone)]
struct Applied {
    seq: Seq,
    mark: String,
    /// Which server the database was when everything was forgotten last.
    generation: String,
}

impl Follower {
    pub(crate) fn new(
        server: Server,
        trust: Arc<Trust>,
        verifier: Arc<Verifier<RemoteStore, SystemClock>>,
        chain: Arc<ArcSwap<Chain>>,
        ambiguity: Ambiguity,
        staleness: Duration,
    ) -> Self {
        Self {
            server,
            trust,
            verifier,
            chain,
            ambiguity,
            staleness,
            lease: None,
            counter: 0,
            applied: None,
            told: Seq(0),
            must_learn: true,
        }
    }

    /// Follows for as long as it is polled.
    pub(crate) async fn run(mut self) {
        let (sender, mut changes) = mpsc::channel(STREAM);
        let _stream = AbortOnDrop(tokio::spawn(listen(self.server.clone(), sender)));
        let trust = Arc::clone(&self.trust);
        let mut settlement = Settlement::new(&trust);
        let mut pauses = pauses();
        loop {
            let pause = match self.ask(&mut settlement).await {
                Ok(pause) => {
                    pauses = self::pauses();
                    pause
                }
                Err(error) => {
                    tracing::warn!(%error, "no lease from the server");
                    if error.is_refusal() {
                        // It is there, and tells this verifier nothing any more.
                        self.trust.end();
                    }
                    pauses.next().unwrap_or(LONGEST_PAUSE)
                }
            };
            self.listen(&mut changes, &mut settlement, pause).await;
        }
    }

    /// Takes what the stream tells, until the next question is due: after the pause, or at once
    /// when something was applied or settled that somebody may wait for.
    async fn listen(
        &mut self,
        changes: &mut mpsc::Receiver<Change>,
        settlement: &mut Settlement<'_>,
        pause: Duration,
    ) {
        let due = Instant::now() + pause;
        while settlement.is_under_way() && Instant::now() < due {
            if self.settle(settlement) > self.told {
                return;
            }
            if let Ok(change) = timeout(SETTLE, changes.recv()).await {
                return self.apply_all(change, changes);
            }
        }
        if let Ok(change) = timeout_at(due, changes.recv()).await {
            self.apply_all(change, changes);
        }
    }

    /// Up to where decisions go by nothing any more that was before.
    fn settle(&self, settlement: &mut Settlement<'_>) -> Seq {
        self.applied.as_ref().map_or(Seq(0), |applied| settlement.settle(applied.seq))
    }

    fn apply_all(&mut self, first: Option<Change>, changes: &mut mpsc::Receiver<Change>) {
        let mut change = first;
        while let Some(next) = change {
            self.apply(&next);
            change = changes.try_recv().ok();
        }
    }

    /// Asks for the lease; how long until the next question.
    async fn ask(&mut self, settlement: &mut Settlement<'_>) -> Result<Duration, ServerError> {
        self.counter += 1;
        self.told = self.settle(settlement);
        let applied = self.applied.as_ref();
        let question = LeaseRequest {
            lease: self.lease.clone(),
            counter: self.counter,
            position: applied.map(|applied| applied.seq.0),
            mark: applied.map(|applied| applied.mark.clone()),
            generation: applied.map(|applied| applied.generation.clone()),
            settled: applied.map(|_| self.told.0),
            staleness_millis: (!self.staleness.is_zero()).then(|| millis(self.staleness)),
        };
        let asked = SystemClock.elapsed();
        let answer = self.server.extend_lease(&question).await?;
        self.lease = Some(answer.lease.clone());
        if answer.forgets {
            settlement.begin_anew();
            self.begin_anew(&answer);
        }
        for change in &answer.changes {
            self.apply(change);
        }
        if self.must_learn {
            self.learn(self.server.settings().await?);
        }
        let applied = self.applied.as_ref();
        let is_there = applied.is_some_and(|applied| applied.seq.0 == answer.position);
        let left = answer.lease_millis.and_then(|millis| u64::try_from(millis).ok());
        let left = left.map(Duration::from_millis).filter(|_| is_there);
        if let Some(left) = left {
            self.trust.extend(asked + left + self.staleness);
        }
        if answer.forgets || !answer.changes.is_empty() {
            // Somebody may wait until this verifier has said that it is there.
            return Ok(Duration::ZERO);
        }
        Ok(left.map_or(SHORTEST_PAUSE, |left| (left / 3).clamp(SHORTEST_PAUSE, LONGEST_PAUSE)))
    }

    /// Forgets everything: what was remembered may be of another history.
    fn begin_anew(&mut self, answer: &Lease) {
        self.trust.begin_anew(Seq(answer.position));
        let (seq, mark) = (Seq(answer.position), answer.mark.clone());
        self.applied = Some(Applied { seq, mark, generation: answer.generation.clone() });
        self.must_learn = true;
    }

    /// Ends what is remembered of what was changed. A change that is not the next one is not counted
    /// as applied: the next answer has those before it.
    fn apply(&mut self, change: &Change) {
        let touches = Touches::of(&change.action, &change.target_id);
        self.must_learn |= touches == Touches::Everything || change.action == IMPORT;
        self.trust.raise([Effect { seq: Seq(change.seq), touches }]);
        if let Some(applied) = &mut self.applied
            && applied.seq.next().0 == change.seq
        {
            self.trust.advance(Seq(change.seq));
            applied.seq = Seq(change.seq);
            applied.mark.clone_from(&change.mark);
        }
    }

    /// Learns how keys look and where they stand. What cannot be read here is left out: such keys
    /// are refused.
    fn learn(&mut self, settings: VerifierSettings) {
        let headers = settings.headers.iter().filter_map(|name| name.parse::<HeaderName>().ok());
        let queries = settings.query_parameters.iter();
        let queries = queries.filter_map(|name| name.parse::<QueryName>().ok());
        let places =
            headers.map(Place::from).chain([Place::BEARER]).chain(queries.map(Place::from));
        self.chain.store(Arc::new(Chain::new(places).with_ambiguity(self.ambiguity)));
        let formats = Formats::new(settings.formats.iter().filter_map(format).collect());
        let formats = if settings.any_format { formats.and_any() } else { formats };
        self.verifier.replace_formats(formats);
        self.must_learn = false;
    }
}

/// A task that ends with whoever holds this.
#[derive(Debug)]
pub(crate) struct AbortOnDrop(pub(crate) tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn format(format: &KeyFormat) -> Option<SecretFormat> {
    Some(SecretFormat {
        prefix: format.prefix.parse::<Prefix>().ok()?,
        encoding: format.encoding.parse::<Encoding>().ok()?,
        key_length: KeyLength::new(u8::try_from(format.key_length).ok()?).ok()?,
    })
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// What makes keys of any format possible.
const IMPORT: &str = "api_key.imported";
/// How many changes may wait; those that find no room wait in the connection.
const STREAM: usize = 256;
/// How soon to look whether decisions have ended.
const SETTLE: Duration = Duration::from_millis(2);
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use keystile_auth::{Refusal, RequestView};
    use keystile_domain::Secret;

    use super::*;

    /// A request with two keys.
    struct Request;

    impl RequestView for Request {
        fn headers<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
            let lines = [("x-partner", "ks_one"), ("authorization", "Bearer ks_two")];
            let value = lines.into_iter().find(|(line, _)| line.eq_ignore_ascii_case(name));
            value.map(|(_, value)| value.as_bytes()).into_iter()
        }

        fn query(&self) -> &str {
            ""
        }

        fn peer(&self) -> IpAddr {
            Ipv4Addr::LOCALHOST.into()
        }

        fn is_tls(&self) -> bool {
            true
        }
    }

    /// What stands in front once the server has named its places.
    fn found(ambiguity: Ambiguity) -> Result<Option<String>, Refusal> {
        let key = Secret::parse("ks_verifier").unwrap();
        let url = "http://localhost".parse().unwrap();
        let server = Server::new(reqwest::Client::new(), url, &key).unwrap();
        let store = RemoteStore::new(server.clone());
        let verifier = Arc::new(Verifier::new(store, SystemClock, Formats::default()));
        let chain = Arc::<ArcSwap<Chain>>::default();
        let (trust, chained) = (Arc::default(), Arc::clone(&chain));
        let mut follower =
            Follower::new(server, trust, verifier, chained, ambiguity, Duration::ZERO);
        follower.learn(VerifierSettings {
            headers: vec!["x-partner".to_owned()],
            query_parameters: Vec::new(),
            formats: Vec::new(),
            any_format: false,
        });
        let presented = chain.load().extract(&Request)?;
        Ok(presented.map(|presented| presented.text.expose().to_owned()))
    }

    #[test]
    fn two_keys_at_places_that_the_server_names_are_judged_as_the_builder_says() {
        assert_eq!(found(Ambiguity::Refuse), Err(Refusal::Ambiguous));
        assert_eq!(found(Ambiguity::TakeFirst), Ok(Some("ks_one".to_owned())));
    }
}
