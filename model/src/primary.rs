//! The primary: the feed of changes, the rows of the nodes, and what becomes of them when a
//! standby takes over or a backup is restored.

use crate::scenario::Scenario;
use crate::{Protocol, Rule, World};

/// A place in the feed. The event at 0 made the installation.
pub type Seq = usize;

/// What a change does to the one credential that the model is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// It lives again.
    Enable,
    /// Nothing.
    Other,
    /// Whatever the backup says.
    Restore,
    /// It ends.
    Revoke,
    /// It ends, in words of a later version that the nodes do not know.
    Strange,
}

/// An event; its generation stands for its hash, for no two events at one place are of one
/// generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    pub change: Change,
    pub born: u8,
}

/// A place in one history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    pub seq: Seq,
    pub born: u8,
}

/// What one node says of itself (rule 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Row {
    pub owner: Owner,
    pub beat: u8,
    pub settled: Seq,
    /// How long ago the beat was written, by the clock of the database.
    pub age: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    pub node: usize,
    pub incarnation: u8,
}

/// What a primary has, and a copy of it may have.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Data {
    /// A place without an event is one whose transaction has not committed, which rule 1 forbids.
    pub feed: Vec<Option<Event>>,
    pub rows: Vec<Row>,
    /// What a node can see of failovers and restores.
    pub generation: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Primary {
    pub data: Data,
    pub standby: Option<Data>,
    pub replica: Option<Data>,
    /// Changes that have not committed.
    pub open: Vec<(Seq, Change)>,
    /// How many histories there were before this one.
    pub born: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    Open(Change),
    Commit(usize),
    /// The standby catches up.
    Replicate,
    /// The replica catches up.
    Follow,
    /// The primary is fenced and the standby takes over (A1).
    FailOver,
    /// The oldest backup takes the place of everything.
    Restore,
}

impl Data {
    pub fn head(&self) -> Place {
        let seq = self.feed.len().saturating_sub(1);
        self.place(seq).unwrap_or(Place { seq, born: 0 })
    }

    pub fn place(&self, seq: Seq) -> Option<Place> {
        let event = (*self.feed.get(seq)?)?;
        Some(Place { seq, born: event.born })
    }

    pub fn has(&self, place: Place) -> bool {
        self.place(place.seq) == Some(place)
    }

    pub fn is_live(&self) -> bool {
        let says = |event: &Event| match event.change {
            Change::Enable => Some(true),
            Change::Revoke | Change::Strange => Some(false),
            Change::Other | Change::Restore => None,
        };
        self.feed.iter().flatten().rev().find_map(says).unwrap_or(true)
    }

    /// The last event in `after + 1 ..= to` that touches the credential, as a node reads it.
    pub fn touched(&self, protocol: &Protocol, after: Seq, to: Seq) -> Option<Seq> {
        let touches = |seq: &Seq| match self.feed.get(*seq).copied().flatten()?.change {
            Change::Other => None,
            Change::Strange => protocol.keeps(Rule::UnknownEmpties).then_some(()),
            Change::Enable | Change::Restore | Change::Revoke => Some(()),
        };
        (after + 1..=to).rev().find(|seq| touches(seq).is_some())
    }

    pub fn row(&mut self, owner: Owner) -> Option<&mut Row> {
        self.rows.iter_mut().find(|row| row.owner == owner)
    }
}

impl Primary {
    pub fn new(scenario: &Scenario) -> Self {
        let changes = [Change::Other].into_iter().chain(scenario.history.iter().copied());
        let feed = changes.map(|change| Some(Event { change, born: 0 })).collect();
        let data = Data { feed, rows: Vec::new(), generation: 0 };
        Self { data, standby: None, replica: None, open: Vec::new(), born: 0 }
    }

    /// Whether an acknowledged commit is there: a failover keeps it (A2).
    pub fn is_durable(&self, place: Place) -> bool {
        self.standby.as_ref().unwrap_or(&self.data).has(place)
    }

    /// Takes the next place for a change (rule 1). `None`: another change holds the lock.
    pub fn open(&mut self, protocol: &Protocol, change: Change) -> Option<Place> {
        if protocol.keeps(Rule::GaplessFeed) && !self.open.is_empty() {
            return None;
        }
        let taken = self.open.iter().map(|(seq, _)| *seq).max().unwrap_or(0);
        let seq = taken.max(self.data.head().seq) + 1;
        self.open.push((seq, change));
        Some(Place { seq, born: self.born })
    }

    fn commit(&mut self, (seq, change): (Seq, Change)) {
        let feed = &mut self.data.feed;
        feed.resize(feed.len().max(seq + 1), None);
        if let Some(event) = feed.get_mut(seq) {
            *event = Some(Event { change, born: self.born });
        }
    }

    fn begin_history(&mut self, data: Data) {
        self.data = data;
        self.born += 1;
        self.open.clear();
    }

    fn fail_over(&mut self) {
        let Some(standby) = self.standby.clone() else { return };
        self.begin_history(standby);
        self.data.generation += 1;
        self.standby = Some(self.data.clone());
    }

    /// Rule 22.
    fn restore(&mut self, protocol: &Protocol) {
        let mut backup = Data { rows: Vec::new(), ..self.data.clone() };
        backup.feed.truncate(protocol.scenario.history.len() + 1);
        self.begin_history(backup);
        if protocol.keeps(Rule::RestoreIsNew) {
            self.data.generation += 1;
            self.commit((self.data.feed.len(), Change::Restore));
        }
        self.standby = self.standby.is_some().then(|| self.data.clone());
    }
}

pub fn steps(protocol: &Protocol, world: &World, steps: &mut Vec<Step>) {
    let Primary { data, standby, replica, open, .. } = &world.primary;
    let room = data.head().seq + open.len() < protocol.scenario.changes;
    if room && (open.is_empty() || !protocol.keeps(Rule::GaplessFeed)) {
        steps.extend(protocol.scenario.writes.iter().map(|change| Step::Open(*change)));
    }
    steps.extend((0..open.len()).map(Step::Commit));
    if standby.as_ref().is_some_and(|standby| standby != data) {
        steps.push(Step::Replicate);
    }
    if replica.as_ref().is_some_and(|replica| replica != data && data.has(replica.head())) {
        steps.push(Step::Follow);
    }
    if world.budget.failovers > 0 && standby.is_some() {
        steps.push(Step::FailOver);
    }
    if world.budget.restores > 0 {
        steps.push(Step::Restore);
    }
}

pub fn step(protocol: &Protocol, world: &mut World, step: Step) {
    let primary = &mut world.primary;
    match step {
        Step::Open(change) => {
            primary.open(protocol, change);
        }
        Step::Commit(index) => {
            let (seq, change) = primary.open.remove(index);
            primary.commit((seq, change));
            if change == Change::Enable {
                world.release();
            }
            if change == Change::Other && !protocol.keeps(Rule::PositionByFeed) {
                let place = world.primary.data.head();
                world.nodes.iter_mut().take(1).for_each(|node| node.verifier.position = place);
            }
        }
        Step::Replicate => primary.standby = Some(primary.data.clone()),
        Step::Follow => primary.replica = Some(primary.data.clone()),
        Step::FailOver => {
            primary.fail_over();
            world.budget.failovers -= 1;
        }
        Step::Restore => {
            primary.restore(protocol);
            world.budget.restores -= 1;
            // What was revoked after the backup lives again, and restore says so.
            if world.primary.data.is_live() {
                world.release();
            }
        }
    }
}
