//! The whole world at one moment: what every part of it is, what was promised, and the time.

use crate::follower::{self, Follower};
use crate::node::{self, Node, Standing};
use crate::primary::{self, Owner, Primary};
use crate::reaper::{self, Reaper};
use crate::scenario::Budget;
use crate::verifier::{self, Decision, Read, Source, Told, Verifier};
use crate::waiter::{self, Stage, Waiter, Why};
use crate::{LEASE, Protocol, Rule};

/// The world at one moment. All times in it are relative, so that it is the same world at any time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub primary: Primary,
    pub nodes: Vec<Node>,
    pub follower: Option<Follower>,
    pub waiter: Waiter,
    pub reaper: Reaper,
    pub promise: Promise,
    pub budget: Budget,
}

/// What was answered to whoever revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Promise {
    Nothing,
    /// The first node, which answered, accepts the credential no more.
    Here,
    /// Nobody accepts it any more.
    Everywhere,
}

/// A step of one part of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Time goes on, a tick for everybody but one.
    Tick {
        slow: Option<Who>,
    },
    Primary(primary::Step),
    Node(usize, node::Step),
    Follower(follower::Step),
    Verifier(Who, verifier::Step),
    Waiter(waiter::Step),
    Reaper(reaper::Step),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Node(usize),
    Follower,
}

impl World {
    /// Everybody has just looked, and remembers the credential if it lives.
    pub fn new(protocol: &Protocol) -> Self {
        let scenario = &protocol.scenario;
        let mut primary = Primary::new(scenario);
        let mut nodes: Vec<_> = (0..scenario.nodes)
            .map(|node| Node::new(Owner { node, incarnation: 0 }, &primary.data))
            .collect();
        let mut follower = scenario.follower.then(|| Follower::new(&primary.data));
        for node in nodes.iter_mut().take(scenario.nodes - usize::from(scenario.cold)) {
            node.standing = Standing::Registered;
            primary.data.rows.push(node.row(protocol));
        }
        primary.standby = scenario.standby.then(|| primary.data.clone());
        primary.replica = scenario.replica.then(|| primary.data.clone());
        let registered = nodes.iter_mut().filter(|node| node.standing == Standing::Registered);
        let verifiers = registered.map(|node| &mut node.verifier);
        for verifier in verifiers.chain(follower.iter_mut().map(|one| &mut one.verifier)) {
            verifier.entry = primary.data.is_live().then_some(verifier.position.seq);
        }
        Self {
            waiter: Waiter::new(primary.data.generation),
            primary,
            nodes,
            follower,
            reaper: Reaper::Idle,
            promise: Promise::Nothing,
            budget: scenario.budget,
        }
    }

    /// The waiter answers.
    pub fn answer(&mut self, why: Why, promise: Promise) {
        self.waiter.stage = Stage::Answered(why);
        self.promise = promise;
    }

    /// The credential lives again, by right: nothing is promised any more, and whoever waits will
    /// have to ask again.
    pub fn release(&mut self) {
        self.promise = Promise::Nothing;
        self.waiter.stage = Stage::Idle;
        self.verifiers_mut().for_each(|(_, verifier)| verifier.decision = None);
    }

    pub fn is_promised_by(&self, who: Who) -> bool {
        match self.promise {
            Promise::Nothing => false,
            Promise::Here => who == Who::Node(0),
            Promise::Everywhere => true,
        }
    }

    pub fn verifiers(&self) -> impl Iterator<Item = (Who, &Verifier)> {
        let nodes = self.nodes.iter().map(|node| &node.verifier).enumerate();
        let follower = self.follower.iter().map(|one| (Who::Follower, &one.verifier));
        let nodes = nodes.map(|(index, verifier)| (Who::Node(index), verifier));
        nodes.chain(follower)
    }

    fn verifiers_mut(&mut self) -> impl Iterator<Item = (Who, &mut Verifier)> {
        let nodes = self.nodes.iter_mut().map(|node| &mut node.verifier).enumerate();
        let follower = self.follower.iter_mut().map(|one| (Who::Follower, &mut one.verifier));
        let nodes = nodes.map(|(index, verifier)| (Who::Node(index), verifier));
        nodes.chain(follower)
    }

    /// Whether somebody has accepted what was promised to be over.
    pub fn has_broken_its_promise(&self) -> bool {
        self.verifiers().any(|(_, verifier)| verifier.decision == Some(Decision::Accepted))
    }

    /// Whether somebody may accept, by right, without reading.
    pub fn remembers_what_lives(&self) -> bool {
        let mut verifiers = self.verifiers();
        let remembers = |verifier: &Verifier| {
            verifier.lease > 0 && verifier.entry.is_some_and(|entry| verifier.is_good(entry))
        };
        self.primary.data.is_live() && verifiers.any(|(_, verifier)| remembers(verifier))
    }

    pub fn has_answered(&self, why: Why) -> bool {
        self.waiter.stage == Stage::Answered(why)
    }

    /// What the source of a read says now; `None`: it may not be used. A decision that reads for
    /// itself asks no replica.
    fn told(&self, protocol: &Protocol, who: Who, step: verifier::Step) -> Option<Told> {
        let data = &self.primary.data;
        let (_, verifier) = self.verifiers().find(|(one, _)| *one == who)?;
        let shared = verifier.flight.filter(|_| step == verifier::Step::Execute);
        match (who, self.nodes.first(), &self.primary.replica, shared) {
            (Who::Follower, Some(node), _, _) => Some(node.told(data)),
            (_, _, Some(replica), Some(Read { from: Source::Replica, .. })) => {
                verifier.told_by_replica(protocol, replica)
            }
            _ => Some(Told { live: data.is_live(), position: data.head().seq }),
        }
    }

    pub fn actions(&self, protocol: &Protocol, actions: &mut Vec<Action>) {
        if self.waiter.stage == Stage::Failed {
            return;
        }
        actions.push(Action::Tick { slow: None });
        if self.budget.drifts > 0 {
            let slow = self.verifiers().map(|(who, _)| Some(who));
            actions.extend(slow.map(|slow| Action::Tick { slow }));
        }
        collect(actions, Action::Primary, |steps| primary::steps(protocol, self, steps));
        collect(actions, Action::Waiter, |steps| waiter::steps(protocol, self, steps));
        collect(actions, Action::Reaper, |steps| reaper::steps(protocol, self, steps));
        for (index, node) in self.nodes.iter().enumerate() {
            let of_node = |step| Action::Node(index, step);
            collect(actions, of_node, |steps| node::steps(protocol, self, node, steps));
        }
        if let Some(one) = &self.follower {
            collect(actions, Action::Follower, |steps| {
                follower::steps(protocol, self, one, steps);
            });
        }
        for (who, verifier) in self.verifiers() {
            let of_verifier = |step| Action::Verifier(who, step);
            let reads =
                protocol.scenario.flights && (self.follower.is_none() || who == Who::Follower);
            let promised = self.is_promised_by(who);
            collect(actions, of_verifier, |steps| {
                verifier::steps(protocol, verifier, reads, promised, steps);
            });
        }
    }

    pub fn step(&mut self, protocol: &Protocol, action: Action) {
        if let Stage::Answered(_) = self.waiter.stage {
            self.waiter.stage = Stage::Over;
        }
        match action {
            Action::Tick { slow } => self.tick(slow),
            Action::Primary(step) => primary::step(protocol, self, step),
            Action::Node(index, step) => node::step(protocol, self, index, step),
            Action::Follower(step) => follower::step(protocol, self, step),
            Action::Waiter(step) => waiter::step(protocol, self, step),
            Action::Reaper(step) => reaper::step(protocol, self, step),
            Action::Verifier(who, step) => {
                let told = self.told(protocol, who, step);
                if let Some((_, verifier)) = self.verifiers_mut().find(|(one, _)| *one == who) {
                    verifier::step(protocol, verifier, step, told);
                }
            }
        }
        self.renumber_beats();
        self.drop_what_nobody_reads(protocol);
    }

    fn tick(&mut self, slow: Option<Who>) {
        self.budget.drifts -= u8::from(slow.is_some());
        self.waiter.tick();
        self.reaper.tick();
        self.primary.data.rows.iter_mut().for_each(|row| row.age = LEASE.min(row.age + 1));
        for (index, node) in self.nodes.iter_mut().enumerate() {
            if slow != Some(Who::Node(index)) {
                node.tick();
            }
        }
        if slow != Some(Who::Follower) {
            self.follower.iter_mut().for_each(Follower::tick);
        }
    }

    /// Worlds that differ in nothing that matters any more are one.
    fn drop_what_nobody_reads(&mut self, protocol: &Protocol) {
        let over = self.waiter.stage == Stage::Over;
        if over {
            self.waiter = Waiter { stage: Stage::Over, ..Waiter::new(0) };
        }
        let Primary { data, standby, .. } = &mut self.primary;
        for row in data.rows.iter_mut().chain(standby.iter_mut().flat_map(|data| &mut data.rows)) {
            if over {
                row.settled = 0;
            }
            if over || protocol.keeps(Rule::EveryRow) {
                row.age = 0;
            }
        }
    }

    /// Only whether two beats are the same matters: numbered anew, they are few.
    fn renumber_beats(&mut self) {
        let Self { primary, reaper, .. } = self;
        let standby = primary.standby.iter_mut().flat_map(|data| &mut data.rows);
        let rows = primary.data.rows.iter_mut().chain(standby);
        let mut beats: Vec<&mut u8> = rows.map(|row| &mut row.beat).chain(reaper.beat()).collect();
        let mut known: Vec<u8> = beats.iter().map(|beat| **beat).collect();
        known.sort_unstable();
        known.dedup();
        for beat in &mut beats {
            let rank = known.iter().position(|one| *one == **beat).unwrap_or_default();
            **beat = u8::try_from(rank).unwrap_or(u8::MAX);
        }
    }
}

fn collect<S>(
    actions: &mut Vec<Action>,
    of: impl Fn(S) -> Action,
    steps: impl FnOnce(&mut Vec<S>),
) {
    let mut taken = Vec::new();
    steps(&mut taken);
    actions.extend(taken.into_iter().map(of));
}
